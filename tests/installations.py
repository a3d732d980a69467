"""A new installation for a test: made once by the real commands, then copied, since migrating takes a while."""

from __future__ import annotations

import shutil
import tempfile
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg

from outreach import bootstrap
from outreach.config import Settings
from outreach.store.types import new_id


def initialise(settings: Settings, *, is_trial: bool) -> None:
    """Do what `bootstrap.initialise` does, with a copy of what it made before; raises Refused as it does.

    All copies have the same `database_id`: what it names lies in the data folder, and each test has its own.
    """
    if settings.database_url:
        _copy_database(settings, is_trial)
        return
    there = settings.data_dir / "outreach.db"
    if there.exists():
        # It says what is wrong.
        bootstrap.initialise(settings, is_trial=is_trial)
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(_file(is_trial), there)


@cache
def _file(is_trial: bool) -> Path:
    folder = Path(tempfile.mkdtemp(prefix="installation-"))
    bootstrap.initialise(Settings(data_dir=folder), is_trial=is_trial)
    return folder / "outreach.db"


def _copy_database(settings: Settings, is_trial: bool) -> None:
    parts = urlsplit(settings.database_url)
    server = urlunsplit(parts._replace(path="/postgres"))
    template, name = _database(server, is_trial), parts.path.removeprefix("/")
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    with psycopg.connect(server, autocommit=True) as conn:
        conn.execute(f"DROP DATABASE {name}")
        conn.execute(f"CREATE DATABASE {name} TEMPLATE {template}")


@cache
def _database(server: str, is_trial: bool) -> str:
    name = f"template_{new_id()[:12]}"
    with psycopg.connect(server, autocommit=True) as conn:
        conn.execute(f"CREATE DATABASE {name}")
    folder = Path(tempfile.mkdtemp(prefix="installation-"))
    url = urlunsplit(urlsplit(server)._replace(path=f"/{name}"))
    bootstrap.initialise(Settings(data_dir=folder, database_url=url), is_trial=is_trial)
    return name

"""Settings from the environment, read once and checked; a name ending in _FILE reads the value from a file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from outreach.errors import UsageError

NAMES = (
    "OUTREACH_DATA_DIR",
    "OUTREACH_DATABASE_URL",
    "OUTREACH_SMTP_URL",
    "OUTREACH_MAIL_FROM",
    "OUTREACH_PUBLIC_URL",
    "OUTREACH_LEASE_SECONDS",
    "OUTREACH_TICK_SECONDS",
    "OUTREACH_BIND",
    "OUTREACH_METRICS_TOKEN",
    "OUTREACH_OWN_RULES",
)


@dataclass(frozen=True)
class Settings:
    """How this installation is set up; its repr shows no secret."""

    data_dir: Path = Path("data")
    outbox_dir: Path | None = None
    database_url: str = field(default="", repr=False)
    smtp_url: str = field(default="", repr=False)
    mail_from: str = "rekeningen@outreach.example"
    public_url: str = "http://127.0.0.1:8000"
    lease_seconds: float = 20.0
    tick_seconds: float = 60.0
    bind: str = "127.0.0.1:8000"
    metrics_token: str = field(default="", repr=False)
    own_rules: Path | None = None

    @classmethod
    def read(cls, environ: Mapping[str, str]) -> Settings:
        """Read the settings; raises UsageError naming the variable and what was expected."""
        unknown = [
            name
            for name in environ
            if name.startswith("OUTREACH_") and name.removesuffix("_FILE") not in NAMES
        ]
        if unknown:
            msg = f"{sorted(unknown)[0]}: expected one of {', '.join(NAMES)} (or with _FILE)"
            raise UsageError(msg)
        given = {name: value for name in NAMES if (value := _value(environ, name))}
        default = cls()
        mail_from = given.get("OUTREACH_MAIL_FROM", default.mail_from)
        if mail_from.count("@") != 1 or mail_from.startswith("@") or mail_from.endswith("@"):
            msg = "OUTREACH_MAIL_FROM: expected an address, as in rekeningen@example.nl"
            raise UsageError(msg)
        return cls(
            data_dir=Path(given.get("OUTREACH_DATA_DIR", str(default.data_dir))),
            database_url=given.get("OUTREACH_DATABASE_URL", ""),
            smtp_url=given.get("OUTREACH_SMTP_URL", ""),
            mail_from=mail_from,
            public_url=given.get("OUTREACH_PUBLIC_URL", default.public_url),
            lease_seconds=_number(given, "OUTREACH_LEASE_SECONDS", default.lease_seconds),
            tick_seconds=_number(given, "OUTREACH_TICK_SECONDS", default.tick_seconds),
            bind=given.get("OUTREACH_BIND", default.bind),
            metrics_token=given.get("OUTREACH_METRICS_TOKEN", ""),
            own_rules=Path(given["OUTREACH_OWN_RULES"]) if "OUTREACH_OWN_RULES" in given else None,
        )

    @property
    def url(self) -> str:
        """The database: the one named, or a file in the data folder."""
        return self.database_url or f"sqlite:///{self.data_dir / 'outreach.db'}"

    @property
    def outbox(self) -> Path:
        """Where messages go that have no provider: files that one can open."""
        return self.outbox_dir or self.data_dir / "outbox"

    @property
    def mail_domain(self) -> str:
        """The domain of Message-IDs and return paths."""
        return self.mail_from.rpartition("@")[2]


def _value(environ: Mapping[str, str], name: str) -> str:
    if path := environ.get(f"{name}_FILE"):
        try:
            return Path(path).read_text(encoding="utf-8").strip()
        except OSError as error:
            msg = f"{name}_FILE: expected a readable file ({error.strerror})"
            raise UsageError(msg) from error
    return environ.get(name, "").strip()


def _number(given: Mapping[str, str], name: str, default: float) -> float:
    try:
        value = float(given.get(name, default))
    except ValueError as error:
        msg = f"{name}: expected a number of seconds"
        raise UsageError(msg) from error
    if not 0.1 <= value <= 86_400:
        msg = f"{name}: expected between 0.1 and 86400 seconds"
        raise UsageError(msg)
    return value

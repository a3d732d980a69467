"""Bring a database to the newest schema, and say whether it is what the code expects."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, select
from sqlalchemy.dialects import postgresql, sqlite

from outreach.store import triggers
from outreach.store.tables.vocabulary import TABLES, VOCABULARIES

MIGRATIONS = Path(__file__).parent / "migrations"


def upgrade(conn: Connection) -> None:
    """Run the migrations, write the vocabularies and reinstall the triggers, in the caller's transaction."""
    settings = config()
    settings.attributes["connection"] = conn
    command.upgrade(settings, "head")
    _write_vocabularies(conn)
    triggers.install(conn)


def problems(conn: Connection) -> list[str]:
    """Return what differs from what the code expects; sending is refused while there is anything."""
    current = MigrationContext.configure(conn).get_current_revision()
    head = ScriptDirectory.from_config(config()).get_current_head()
    if current != head:
        return [f"the schema is at {current or 'nothing'}; this code needs {head} (run: outreach migrate)"]
    missing = [
        f"vocabulary {name} lacks the word {word!r} (run: outreach migrate)"
        for name, table in TABLES.items()
        for word in sorted(set(VOCABULARIES[name]) - set(conn.execute(select(table.c.word)).scalars()))
    ]
    return missing + triggers.differences(conn)


def _write_vocabularies(conn: Connection) -> None:
    build = sqlite.insert if conn.dialect.name == "sqlite" else postgresql.insert
    for name, table in TABLES.items():
        conn.execute(
            build(table).on_conflict_do_nothing(index_elements=["word"]),
            [{"word": word} for word in VOCABULARIES[name]],
        )


def config() -> Config:
    """Return what Alembic needs to find the migrations."""
    made = Config()
    made.set_main_option("script_location", str(MIGRATIONS))
    made.set_main_option("path_separator", "os")
    return made

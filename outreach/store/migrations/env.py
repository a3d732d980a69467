"""Alembic's entry: migrations run on the connection that the caller opened, inside its transaction."""

from alembic import context

from outreach.store.types import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,
    transactional_ddl=False,
)
context.run_migrations()

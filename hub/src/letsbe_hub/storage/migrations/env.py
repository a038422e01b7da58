"""Run by Alembic: applies migrations on the connection that it is given."""

from __future__ import annotations

from alembic import context

from letsbe_hub.storage.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    # SQLite alters a table by making a new one in its place.
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()

"""Alembic's entry point; the connection is handed over by :func:`layers.migrate.upgrade`."""

from alembic import context

from layers.models import Base

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    version_table_schema="catalogue",
    include_schemas=True,
)
with context.begin_transaction():
    context.run_migrations()

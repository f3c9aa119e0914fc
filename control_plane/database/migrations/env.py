"""Run by alembic, on the connection `upgrade` gives it."""

from alembic import context

from control_plane.database.schema import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()

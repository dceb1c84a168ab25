"""Runs migrations on the connection that `db.schema` hands over."""

from alembic import context

from db.models import SCHEMA, Base
from db.schema import is_described

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=Base.metadata,
    version_table_schema=SCHEMA,
    include_schemas=True,
    include_name=is_described,
    compare_server_default=True,
)
with context.begin_transaction():
    context.run_migrations()

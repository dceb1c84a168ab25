"""The news database: schema, migrations, the embedded server and connections."""

from db.engine import SESSION_LOST, Connection, Database, open_database, retry_deadlocks, without_password
from db.errors import DatabaseError, DatabaseUnavailable, SchemaMismatch

__all__ = [
    "SESSION_LOST",
    "Connection",
    "Database",
    "DatabaseError",
    "DatabaseUnavailable",
    "SchemaMismatch",
    "open_database",
    "retry_deadlocks",
    "without_password",
]

"""Database errors that the user can fix. Each message says how."""


class DatabaseError(Exception):
    """A foreseeable problem with the database. The message is meant for the user."""


class DatabaseUnavailable(DatabaseError):
    """The server cannot be reached, started or logged in to."""


class SchemaMismatch(DatabaseError):
    """The schema in the database is not the one that this version of the program needs."""

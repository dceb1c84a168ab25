"""What can go wrong with the database in ways that a user can mend; each message says how."""


class DatabaseError(Exception):
    """A foreseeable trouble with the database. The message is meant for the user."""


class DatabaseUnavailable(DatabaseError):
    """The server cannot be reached, started or logged in to."""


class SchemaMismatch(DatabaseError):
    """The schema in the database is not the one this version of the program works with."""

"""The system user that the server runs as."""

import contextlib
import os
import pwd
import subprocess

from db.errors import DatabaseUnavailable

SERVER_USER = "embedded_postgres"


def server_owner() -> pwd.struct_passwd:
    """Return the system user the server runs as: the current one or, for root, a dedicated user, created if missing."""
    if os.geteuid() != 0:
        try:
            return pwd.getpwuid(os.geteuid())
        except KeyError:
            raise DatabaseUnavailable(
                f"user id {os.geteuid()} has no name in the user database, which PostgreSQL needs. "
                "Run as a named user, or set NEWS_DATABASE_URL to a server"
            ) from None
    try:
        return pwd.getpwnam(SERVER_USER)
    except KeyError:
        pass
    try:
        subprocess.run(
            ["useradd", "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", SERVER_USER],
            check=True,
            capture_output=True,
            text=True,
        )
        return pwd.getpwnam(SERVER_USER)
    except (OSError, subprocess.CalledProcessError, KeyError) as error:
        # Two processes may try at once. The second one finds the user that the first has created.
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(SERVER_USER)
        raise DatabaseUnavailable(
            f"PostgreSQL does not run as root, and the system user {SERVER_USER} for it cannot be made ({error}). "
            "Run as another user, or set NEWS_DATABASE_URL to a server"
        ) from error

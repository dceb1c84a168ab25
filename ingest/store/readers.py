"""Sessions of readers, which are ended from outside if they last too long."""

import logging
from datetime import timedelta

from db import Connection

__all__ = ["end_overdue"]

log = logging.getLogger(__name__)

# Slightly more than the limits set for logins (`db.logins`), which a session may change for itself.
RUN, IDLE = timedelta(seconds=75), timedelta(minutes=6)


def end_overdue(connection: Connection) -> None:
    """Cancel readers' statements that run too long, and end transactions that are idle too long. Commits."""
    row = connection.execute("SELECT news.end_overdue_readers(%s, %s)", [RUN, IDLE]).fetchone()
    connection.commit()
    if row is not None and row[0]:
        log.warning("ended %d statements or idle transactions of readers that lasted too long", row[0])

"""End sessions of readers that last too long."""

import logging
from datetime import timedelta

from db import Connection

__all__ = ["end_overdue"]

log = logging.getLogger(__name__)

# A little more than logins are told (`db.logins`): a session may change its own limits.
RUN, IDLE = timedelta(seconds=75), timedelta(minutes=6)


def end_overdue(connection: Connection) -> None:
    """Cancel statements of readers that run for too long, and end transactions that idle for too long. Commits."""
    row = connection.execute("SELECT news.end_overdue_readers(%s, %s)", [RUN, IDLE]).fetchone()
    connection.commit()
    if row is not None and row[0]:
        log.warning("ended %d statements or idle transactions of readers that lasted too long", row[0])

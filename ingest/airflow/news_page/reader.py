"""The news page's database connection: read-only, with a time limit."""

from collections.abc import Iterator
from contextlib import contextmanager

from db import Connection
from db.engine import connect
from ingest.config.errors import IngestError
from ingest.config.settings import load_settings

__all__ = ["reading"]

ROLE = "news_reader"
STATEMENT_SECONDS = 10


@contextmanager
def reading() -> Iterator[Connection]:
    """Yield a connection with one read-only transaction, as the role news_reader.

    NEWS_READER_URL logs in as that role. Without it, the pipeline's own login is used, which gives up its other
    rights first. Raises DatabaseUnavailable, or IngestError if no database is configured.
    """
    settings = load_settings()
    url = settings.reader_url or settings.database_url
    if url is None:
        raise IngestError("set NEWS_READER_URL, or NEWS_DATABASE_URL, for the API server")
    with connect(url) as connection:
        connection.execute(f"SET default_transaction_read_only = on; SET statement_timeout = '{STATEMENT_SECONDS}s'")
        if settings.reader_url is None:
            connection.execute(f"SET ROLE {ROLE}")
        connection.commit()
        yield connection
        connection.rollback()

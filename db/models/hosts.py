"""Web hosts, and the data needed for politeness."""

from datetime import datetime, timedelta

from sqlalchemy import Index, Integer, SmallInteger, text
from sqlalchemy.orm import Mapped, mapped_column

from db.models.base import Base


class Host(Base):
    __tablename__ = "hosts"
    __table_args__ = (
        Index("hosts_next_request_at_idx", "next_request_at"),
        Index("hosts_leased_idx", "lease_holder", postgresql_where=text("lease_holder IS NOT NULL")),
        {"comment": "A web host and what politeness towards it needs, shared by all workers."},
    )
    host: Mapped[str] = mapped_column(primary_key=True, comment="Host and port.")
    next_request_at: Mapped[datetime] = mapped_column(comment="The next request may be sent from this time on.")
    crawl_delay: Mapped[timedelta | None] = mapped_column(comment="Crawl-delay in its robots.txt.")
    robots: Mapped[str | None] = mapped_column(comment="Its robots.txt; empty when it has none.")
    robots_status: Mapped[int | None] = mapped_column(
        SmallInteger, comment="HTTP status of robots.txt; null when it could not be reached."
    )
    robots_fetched_at: Mapped[datetime | None] = mapped_column(comment="When robots.txt was last asked for.")
    lease_holder: Mapped[int | None] = mapped_column(
        Integer,
        comment="Token (leases.token) of the session that has a request to the host in hand without holding an entry "
        "or a feed of it.",
    )

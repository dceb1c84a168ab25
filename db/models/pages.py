"""Fetched pages (raw layer)."""

from datetime import datetime

from sqlalchemy import ForeignKey, Integer, PrimaryKeyConstraint, SmallInteger
from sqlalchemy.orm import Mapped, mapped_column

from db.models.base import Base


class Page(Base):
    __tablename__ = "pages"
    __table_args__ = (
        PrimaryKeyConstraint("entry_id", "fetched_at"),
        {
            "comment": "A fetched page, as it came (raw layer). Partitioned by month of fetched_at.",
            "postgresql_partition_by": "RANGE (fetched_at)",
        },
    )
    entry_id: Mapped[int] = mapped_column(
        ForeignKey("news.entries.id", ondelete="CASCADE"), comment="The entry (entries.id)."
    )
    fetched_at: Mapped[datetime] = mapped_column(comment="When the page was fetched.")
    final_url: Mapped[str] = mapped_column(comment="Address after redirects.")
    http_status: Mapped[int] = mapped_column(SmallInteger, comment="HTTP status of the answer.")
    content_type: Mapped[str | None] = mapped_column(comment="Content-Type header of the answer.")
    etag: Mapped[str | None] = mapped_column(comment="ETag of the answer.")
    last_modified: Mapped[str | None] = mapped_column(comment="Last-Modified of the answer.")
    body: Mapped[bytes] = mapped_column(comment="Body of the answer, decoded, compressed with zstd (RFC 8878).")
    body_bytes: Mapped[int] = mapped_column(Integer, comment="Size of the body before compression, in bytes.")

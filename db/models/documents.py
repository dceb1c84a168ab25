"""Documents extracted from pages (clean layer)."""

from datetime import datetime

from sqlalchemy import REAL, CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from db.models.base import DATE_SOURCES, Base, one_of


class Document(Base):
    __tablename__ = "documents"
    __table_args__ = (
        CheckConstraint(one_of("published_from", DATE_SOURCES), name="published_from_known"),
        CheckConstraint("(published_at IS NULL) = (published_from IS NULL)", name="published_from"),
        Index("documents_page_url_idx", "page_url", postgresql_where=text("page_url IS NOT NULL")),
        {"comment": "The article extracted from a page (clean layer), whether on a topic or not."},
    )
    entry_id: Mapped[int] = mapped_column(
        ForeignKey("news.entries.id", ondelete="CASCADE"),
        primary_key=True,
        autoincrement=False,
        comment="The entry (entries.id).",
    )
    extracted_at: Mapped[datetime] = mapped_column(comment="When the page was extracted.")
    title: Mapped[str | None] = mapped_column(comment="Title of the article.")
    author: Mapped[str | None] = mapped_column(comment="Author of the article.")
    published_at: Mapped[datetime | None] = mapped_column(comment="When the article was published.")
    published_from: Mapped[str | None] = mapped_column(
        comment="Where that date comes from: feed, jsonld, meta, page or url."
    )
    language: Mapped[str | None] = mapped_column(comment="Language of the text (ISO 639-1).")
    text: Mapped[str] = mapped_column(comment="The article's text.")
    extractor: Mapped[str] = mapped_column(comment="What produced the text, with its version.")
    stated_at: Mapped[datetime | None] = mapped_column(
        comment="The date that the page gives for programs (JSON-LD, meta elements), whichever was taken."
    )
    published_note: Mapped[str | None] = mapped_column(
        comment="Dates on the page that were refused, with source and reason, such as jsonld: future: "
        "2031-01-01T00:00:00+0000."
    )
    agency: Mapped[str | None] = mapped_column(
        comment="News agency that the text is credited to; agencies where it says no more than that."
    )
    page_url: Mapped[str | None] = mapped_column(
        comment="Address that the page states as its own (rel=canonical), where it is one of the same site."
    )
    taken: Mapped[float | None] = mapped_column(
        REAL,
        comment="How much of the prose on the page the text is: less than 1 if some was left out, more if it has lists "
        "and headings; null where that is not known.",
    )

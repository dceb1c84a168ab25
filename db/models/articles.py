"""Articles, where they were seen, their topics and former texts (curated layer)."""

from datetime import datetime
from typing import Any

from sqlalchemy import REAL, CheckConstraint, Computed, ForeignKey, Index, Integer, text
from sqlalchemy.dialects.postgresql import JSONB, TSVECTOR
from sqlalchemy.orm import Mapped, mapped_column

from db.models.base import DATE_SOURCES, Base, feed_key, number, one_of

REVISION_CAUSES = ("publisher", "extraction")
EDITS = ("headline", "typing", "numbers", "wording", "extended", "cut", "rewritten")


class Article(Base):
    __tablename__ = "articles"
    __table_args__ = (
        CheckConstraint("content_hash ~ '^[0-9a-f]{64}$'", name="content_hash"),
        CheckConstraint(one_of("published_from", DATE_SOURCES), name="published_from_known"),
        CheckConstraint("(published_at IS NULL) = (published_from IS NULL)", name="published_from"),
        Index("articles_content_id_idx", "content_id"),
        Index("articles_published_at_idx", text("published_at DESC NULLS LAST")),
        Index("articles_published_on_idx", text("((published_at AT TIME ZONE 'UTC')::date)")),
        Index("articles_landed_at_idx", "landed_at"),
        Index("articles_story_id_idx", "story_id"),
        # In kB: the maximum size of the pending list, which collects entries during mass landings.
        Index(
            "articles_search_idx", "search", postgresql_using="gin", postgresql_with={"gin_pending_list_limit": "16384"}
        ),
        {
            "comment": "A distinct text on a topic (curated layer). Where several places published the same text, "
            "the row describes the earliest, by publication date and address; sightings lists them all."
        },
    )
    id: Mapped[int] = number("Number of the article.")
    content_hash: Mapped[str] = mapped_column(
        unique=True, comment="SHA-256 of news.fold(text) in UTF-8, 64 hexadecimal digits."
    )
    content_id: Mapped[str] = mapped_column(
        Computed("left(content_hash, 16)", persisted=True), comment="First 16 digits of content_hash."
    )
    entry_id: Mapped[int] = mapped_column(
        ForeignKey("news.entries.id"), unique=True, comment="The entry the row describes (entries.id)."
    )
    story_id: Mapped[int] = mapped_column(ForeignKey("news.stories.id"), comment="The story (stories.id).")
    url: Mapped[str] = mapped_column(comment="Address of the article, without tracking parameters.")
    outlet: Mapped[str] = mapped_column(comment="Name of the publisher.")
    title: Mapped[str | None] = mapped_column(comment="Title of the article.")
    author: Mapped[str | None] = mapped_column(comment="Author of the article.")
    published_at: Mapped[datetime | None] = mapped_column(comment="When the article was published.")
    published_from: Mapped[str | None] = mapped_column(
        comment="Where that date comes from: feed, jsonld, meta, page or url."
    )
    language: Mapped[str | None] = mapped_column(comment="Language of the text (ISO 639-1).")
    text: Mapped[str] = mapped_column(comment="The article's text.")
    word_count: Mapped[int] = mapped_column(Integer, comment="Number of words in the text.")
    landed_at: Mapped[datetime] = mapped_column(comment="When the text was first landed.")
    agency: Mapped[str | None] = mapped_column(
        comment="News agency that the text is credited to; agencies where it says no more than that."
    )
    search: Mapped[str | None] = mapped_column(
        TSVECTOR,
        comment="Lemmas of title and text and, behind =, their words, for news.search and news.search_query (@@).",
    )


class ArticleRevision(Base):
    __tablename__ = "article_revisions"
    __table_args__ = (
        CheckConstraint("content_hash ~ '^[0-9a-f]{64}$'", name="content_hash"),
        CheckConstraint("seen_from <= seen_until", name="seen"),
        CheckConstraint(one_of("cause", REVISION_CAUSES), name="cause"),
        CheckConstraint(one_of("edit", EDITS), name="edit"),
        Index("article_revisions_article_idx", "article_id", "seen_until"),
        # If a copy of a former text arrives late, it belongs to the article that had the text.
        Index("article_revisions_content_hash_idx", "content_hash"),
        {
            "comment": "A former text or title of an article, in whose place there is another now. `articles` has the "
            "present one."
        },
    )
    id: Mapped[int] = number("Number of the revision.")
    article_id: Mapped[int] = mapped_column(
        ForeignKey("news.articles.id", ondelete="CASCADE"), comment="The article (articles.id)."
    )
    content_hash: Mapped[str] = mapped_column(comment="Hash of the former text, as in articles.content_hash.")
    title: Mapped[str | None] = mapped_column(comment="The former title.")
    text: Mapped[str] = mapped_column(comment="The former text.")
    word_count: Mapped[int] = mapped_column(Integer, comment="Number of words in the former text.")
    seen_from: Mapped[datetime] = mapped_column(comment="When this text and title were first seen.")
    seen_until: Mapped[datetime] = mapped_column(comment="When they were found to have been replaced.")
    cause: Mapped[str] = mapped_column(
        server_default="publisher",
        comment="Who has put another text or title in its place: the publisher, or extraction by later rules.",
    )
    edit: Mapped[str | None] = mapped_column(
        comment="What kind of change led to the next version: headline, typing, numbers, wording, extended, cut or "
        "rewritten; null for changes before this was recorded."
    )


class Sighting(Base):
    __tablename__ = "sightings"
    __table_args__ = (
        Index("sightings_article_id_idx", "article_id"),
        {"comment": "A place where an article's text was seen, one row per entry."},
    )
    id: Mapped[int] = number("Number of the sighting.")
    article_id: Mapped[int] = mapped_column(ForeignKey("news.articles.id"), comment="The article (articles.id).")
    entry_id: Mapped[int] = mapped_column(ForeignKey("news.entries.id"), unique=True, comment="The entry (entries.id).")
    feed_id: Mapped[int] = feed_key()
    url: Mapped[str] = mapped_column(comment="Address it was seen at; seed:... for an imported file.")
    seen_at: Mapped[datetime] = mapped_column(comment="When it was first seen there.")
    content_hash: Mapped[str] = mapped_column(
        comment="Hash of the text as it was last seen there; not the article's where one of the two was changed since."
    )


class ArticleTopic(Base):
    __tablename__ = "article_topics"
    __table_args__ = (
        Index("article_topics_topic_idx", "topic"),
        {"comment": "A topic an article is about."},
    )
    article_id: Mapped[int] = mapped_column(
        ForeignKey("news.articles.id", ondelete="CASCADE"),
        primary_key=True,
        autoincrement=False,
        comment="The article (articles.id).",
    )
    topic: Mapped[str] = mapped_column(primary_key=True, comment="Name of the topic in topics.yaml.")
    score: Mapped[float] = mapped_column(REAL, comment="How strongly the text matches; see docs/curators.md.")
    matched: Mapped[dict[str, Any]] = mapped_column(JSONB, comment="The words that matched, by concept.")
    rules: Mapped[float | None] = mapped_column(
        REAL, comment="The score of the rules alone; null for topics without rules."
    )
    meaning: Mapped[float | None] = mapped_column(
        REAL,
        comment="How likely the text is about the topic by its meaning alone, 0 to 1; null if that was not asked.",
    )

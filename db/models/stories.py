"""Stories: articles that are copies of each other, and the data used to find copies."""

from datetime import datetime

from sqlalchemy import REAL, BigInteger, CheckConstraint, ForeignKey, Index, Integer, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from db.models.base import Base, article_key, number, one_of

RELATIONS = ("same_text", "syndicated")


class Story(Base):
    __tablename__ = "stories"
    __table_args__ = (
        CheckConstraint("size > 0", name="size"),
        Index("stories_first_article_id_idx", "first_article_id"),
        {"comment": "A story: articles that are near-duplicates of each other."},
    )
    id: Mapped[int] = number("Number of the story.")
    first_article_id: Mapped[int] = mapped_column(
        ForeignKey("news.articles.id", deferrable=True, initially="DEFERRED", use_alter=True),
        comment="The article published first (articles.id).",
    )
    size: Mapped[int] = mapped_column(Integer, server_default=text("1"), comment="Number of its articles.")
    created_at: Mapped[datetime] = mapped_column(server_default=text("now()"), comment="When its first article landed.")


class StoryMerge(Base):
    __tablename__ = "story_merges"
    __table_args__ = (
        {"comment": "A story that became part of an older one, when an article turned out to be a copy of both."},
    )
    story_id: Mapped[int] = mapped_column(
        BigInteger, primary_key=True, autoincrement=False, comment="Number of the story that is no more."
    )
    into_id: Mapped[int] = mapped_column(
        BigInteger, comment="Number of the story it became part of, which may have been merged since."
    )
    merged_at: Mapped[datetime] = mapped_column(comment="When they became one.")


class ArticleSignature(Base):
    __tablename__ = "article_signatures"
    __table_args__ = (
        Index("article_signatures_bands_idx", "bands", postgresql_using="gin", postgresql_with={"fastupdate": "off"}),
        {"comment": "What finds texts that are alike (MinHash over runs of six folded words)."},
    )
    article_id: Mapped[int] = article_key("The article (articles.id).")
    bands: Mapped[list[int]] = mapped_column(
        ARRAY(Integer),
        comment="Hashes of its MinHash values; two texts that are alike share some. Empty for short texts.",
    )


class ArticleLink(Base):
    __tablename__ = "article_links"
    __table_args__ = (
        CheckConstraint(one_of("relation", RELATIONS), name="relation"),
        CheckConstraint("article_id < other_id", name="order"),
        Index("article_links_other_idx", "other_id"),
        {"comment": "Two articles of which one is a copy of the other, edited or not. What is linked is one story."},
    )
    article_id: Mapped[int] = article_key("The article with the lower id (articles.id).")
    other_id: Mapped[int] = article_key("The article with the higher id (articles.id).")
    relation: Mapped[str] = mapped_column(
        comment="same_text (differences in spelling, dateline and the like) or syndicated (cut or edited)."
    )
    similarity: Mapped[float] = mapped_column(
        REAL, comment="Share of the runs of three words of either that both have (Jaccard)."
    )
    containment: Mapped[float] = mapped_column(
        REAL, comment="Share of the runs of three words of the shorter one that the other has."
    )

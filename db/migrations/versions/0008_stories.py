"""Signatures of texts, links between copies, merged stories; agencies; scores of what is off topic."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def _agency() -> sa.Column[Any]:
    return sa.Column("agency", sa.Text(), nullable=True,
                     comment="News agency that the text is credited to; agencies where it says no more than that.")  # fmt: skip


def _article(name: str, comment: str) -> sa.Column[Any]:
    return sa.Column(name, sa.BigInteger(), autoincrement=False, nullable=False, comment=comment)


def _to_article(table: str, column: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], ["news.articles.id"], ondelete="CASCADE",
                                   name=op.f(f"{table}_{column}_fkey"))  # fmt: skip


def upgrade() -> None:
    op.add_column("documents", _agency(), schema="news")
    op.add_column("articles", _agency(), schema="news")
    op.add_column(
        "entries",
        sa.Column("topic_score", sa.REAL(), nullable=True,
                  comment="Score of the best topic of one that ended as off_topic for mentioning it only."),
        schema="news",
    )  # fmt: skip
    op.add_column(
        "stories",
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False,
                  comment="When its first article landed."),
        schema="news",
    )  # fmt: skip
    # While stories are regrouped, two may have the same first article for a moment.
    op.drop_constraint(op.f("stories_first_article_id_key"), "stories", schema="news")
    op.create_index("stories_first_article_id_idx", "stories", ["first_article_id"], schema="news")
    op.create_table(
        "article_signatures",
        _article("article_id", "The article (articles.id)."),
        sa.Column("bands", postgresql.ARRAY(sa.Integer()), nullable=False,
                  comment="Hashes of pairs of its MinHash values; two texts that are alike share some. Empty for "
                          "short texts."),
        _to_article("article_signatures", "article_id"),
        sa.PrimaryKeyConstraint("article_id", name=op.f("article_signatures_pkey")),
        schema="news",
        comment="What finds texts that are alike (MinHash over runs of three folded words).",
    )  # fmt: skip
    # Each landing searches it: a list of pending insertions would be read from end to end every time.
    op.create_index(
        "article_signatures_bands_idx", "article_signatures", ["bands"], schema="news", postgresql_using="gin",
        postgresql_with={"fastupdate": "off"},
    )  # fmt: skip
    op.create_table(
        "article_links",
        _article("article_id", "The article with the lower id (articles.id)."),
        _article("other_id", "The article with the higher id (articles.id)."),
        sa.Column("relation", sa.Text(), nullable=False,
                  comment="same_text (differences in spelling, dateline and the like) or syndicated (cut or edited)."),
        sa.Column("similarity", sa.REAL(), nullable=False,
                  comment="Share of the runs of three words of either that both have (Jaccard)."),
        sa.Column("containment", sa.REAL(), nullable=False,
                  comment="Share of the runs of three words of the shorter one that the other has."),
        sa.CheckConstraint("relation IN ('same_text', 'syndicated')", name=op.f("article_links_relation_check")),
        sa.CheckConstraint("article_id < other_id", name=op.f("article_links_order_check")),
        _to_article("article_links", "article_id"),
        _to_article("article_links", "other_id"),
        sa.PrimaryKeyConstraint("article_id", "other_id", name=op.f("article_links_pkey")),
        schema="news",
        comment="Two articles of which one is a copy of the other, edited or not. What is linked is one story.",
    )  # fmt: skip
    op.create_index("article_links_other_idx", "article_links", ["other_id"], schema="news")
    op.create_table(
        "story_merges",
        sa.Column("story_id", sa.BigInteger(), autoincrement=False, nullable=False,
                  comment="Number of the story that is no more."),
        sa.Column("into_id", sa.BigInteger(), autoincrement=False, nullable=False,
                  comment="Number of the story it became part of, which may have been merged since."),
        sa.Column("merged_at", sa.DateTime(timezone=True), nullable=False, comment="When they became one."),
        sa.PrimaryKeyConstraint("story_id", name=op.f("story_merges_pkey")),
        schema="news",
        comment="A story that became part of an older one, when an article turned out to be a copy of both.",
    )  # fmt: skip

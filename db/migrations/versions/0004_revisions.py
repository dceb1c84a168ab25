"""Pages that are fetched again, former texts of articles, ranks among waiting entries, notes about dates."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

ENTRY_COLUMNS: list[sa.Column[Any]] = [
    sa.Column("published_note", sa.Text(), nullable=True,
              comment="What is doubtful about published_at: future (with what the feed says; published_at is when it "
                      "was seen), no zone (taken for the time of the feed's country), no time (its first minute), "
                      "lastmod (only the last change is known), too old (null)."),
    sa.Column("updated_at", sa.DateTime(timezone=True), nullable=True,
              comment="Time of the last change in the feed."),
    sa.Column("priority", sa.SmallInteger(), server_default=sa.text("0"), nullable=False,
              comment="Rank among the entries of its host that wait to be fetched: 0 new in a feed, 1 fetched again "
                      "to see whether it changed, 2 from a backfill."),
    sa.Column("recheck_at", sa.DateTime(timezone=True), nullable=True,
              comment="When the page is fetched again to see whether it changed; null when that is done or not "
                      "intended."),
    sa.Column("rechecks", sa.SmallInteger(), server_default=sa.text("0"), nullable=False,
              comment="How often the page was fetched again for that."),
]  # fmt: skip


def upgrade() -> None:
    for column in ENTRY_COLUMNS:
        op.add_column("entries", column, schema="news")
    op.drop_index("entries_to_fetch_idx", "entries", schema="news")
    op.create_index(
        "entries_to_fetch_idx", "entries", ["host", "priority", "next_attempt_at", "id"], schema="news",
        postgresql_where=sa.text("status = 'discovered'"),
    )  # fmt: skip
    op.create_index(
        "entries_recheck_idx", "entries", ["recheck_at"], schema="news",
        postgresql_where=sa.text("recheck_at IS NOT NULL"),
    )  # fmt: skip
    op.drop_index("entries_leased_idx", "entries", schema="news")
    op.create_index(
        "entries_leased_idx", "entries", ["host", "status"], schema="news",
        postgresql_where=sa.text("lease_holder IS NOT NULL"),
    )  # fmt: skip
    op.create_table(
        "article_revisions",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False, comment="Number of the revision."),
        sa.Column("article_id", sa.BigInteger(), nullable=False, comment="The article (articles.id)."),
        sa.Column("content_hash", sa.Text(), nullable=False,
                  comment="Hash of the former text, as in articles.content_hash."),
        sa.Column("title", sa.Text(), nullable=True, comment="The former title."),
        sa.Column("text", sa.Text(), nullable=False, comment="The former text."),
        sa.Column("word_count", sa.Integer(), nullable=False, comment="Number of words in the former text."),
        sa.Column("seen_from", sa.DateTime(timezone=True), nullable=False,
                  comment="When this text and title were first seen."),
        sa.Column("seen_until", sa.DateTime(timezone=True), nullable=False,
                  comment="When they were found to have been replaced."),
        sa.CheckConstraint("content_hash ~ '^[0-9a-f]{64}$'", name=op.f("article_revisions_content_hash_check")),
        sa.CheckConstraint("seen_from <= seen_until", name=op.f("article_revisions_seen_check")),
        sa.ForeignKeyConstraint(["article_id"], ["news.articles.id"], ondelete="CASCADE",
                                name=op.f("article_revisions_article_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("article_revisions_pkey")),
        schema="news",
        comment="A former text or title of an article, which its publisher has changed since. `articles` has the "
                "present one.",
    )  # fmt: skip
    op.create_index("article_revisions_article_idx", "article_revisions", ["article_id", "seen_until"], schema="news")
    op.create_index("article_revisions_content_hash_idx", "article_revisions", ["content_hash"], schema="news")
    op.add_column(
        "sightings",
        sa.Column("content_hash", sa.Text(), nullable=True,
                  comment="Hash of the text as it was last seen there; not the article's where one of the two was "
                          "changed since."),
        schema="news",
    )  # fmt: skip
    op.execute(
        "UPDATE news.sightings s SET content_hash = a.content_hash FROM news.articles a WHERE a.id = s.article_id"
    )
    op.alter_column("sightings", "content_hash", schema="news", nullable=False)

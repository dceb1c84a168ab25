"""The tables of the pipeline, text folding and partitions."""

from pathlib import Path

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

# As it was when this revision was released.
SQL = Path(__file__).parent / "sql"


def upgrade() -> None:
    op.create_table(
        "feeds",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False, comment="Number of the feed."),
        sa.Column("slug", sa.Text(), nullable=False, comment="The feed's id in feeds.yaml."),
        sa.Column("url", sa.Text(), nullable=False, comment="Address of the feed."),
        sa.Column("host", sa.Text(), nullable=False, comment="Host and port of the address, the unit of politeness."),
        sa.Column("outlet", sa.Text(), nullable=False, comment="Name of the publisher."),
        sa.Column("language", sa.Text(), nullable=True, comment="Language of the feed as configured (ISO 639-1)."),
        sa.Column("country", sa.Text(), nullable=True, comment="Country of the publisher (ISO 3166-1 alpha-2)."),
        sa.Column(
            "scope",
            sa.Text(),
            server_default="topic",
            nullable=False,
            comment="general: only entries that pass the topic's gate by title or summary are fetched; topic: all are.",
        ),
        sa.Column(
            "enabled",
            sa.Boolean(),
            server_default=sa.text("true"),
            nullable=False,
            comment="Whether the feed is polled.",
        ),
        sa.Column("poll_every", sa.Interval(), nullable=False, comment="Configured time between two polls."),
        sa.Column(
            "max_age", sa.Interval(), nullable=True, comment="Entries published longer ago than this are not fetched."
        ),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            nullable=False,
            comment="When the feed first appeared in the configuration.",
        ),
        sa.Column(
            "next_poll_at",
            sa.DateTime(timezone=True),
            nullable=False,
            comment="When the next poll is due; while a poll runs, its lease.",
        ),
        sa.Column(
            "lease_holder",
            sa.Integer(),
            nullable=True,
            comment="Backend process id of the session that polls the feed right now.",
        ),
        sa.Column(
            "last_polled_at", sa.DateTime(timezone=True), nullable=True, comment="When the feed was last polled."
        ),
        sa.Column("last_success_at", sa.DateTime(timezone=True), nullable=True, comment="When a poll last succeeded."),
        sa.Column(
            "last_new_at", sa.DateTime(timezone=True), nullable=True, comment="When a poll last found a new entry."
        ),
        sa.Column(
            "failures",
            sa.Integer(),
            server_default=sa.text("0"),
            nullable=False,
            comment="Failed polls since the last success.",
        ),
        sa.Column("last_error", sa.Text(), nullable=True, comment="Why the last poll failed; null after a success."),
        sa.Column(
            "health",
            sa.Text(),
            server_default="waiting",
            nullable=False,
            comment="waiting (not polled yet), ok, failing (last poll failed), disabled (not in the configuration).",
        ),
        sa.Column("etag", sa.Text(), nullable=True, comment="ETag of the last answer, sent back as If-None-Match."),
        sa.Column(
            "last_modified",
            sa.Text(),
            nullable=True,
            comment="Last-Modified of the last answer, sent back as If-Modified-Since.",
        ),
        sa.Column(
            "body_hash",
            sa.LargeBinary(),
            nullable=True,
            comment="SHA-256 of the last body, which spares parsing the same body again.",
        ),
        sa.CheckConstraint("health IN ('waiting', 'ok', 'failing', 'disabled')", name=op.f("feeds_health_check")),
        sa.CheckConstraint("scope IN ('topic', 'general')", name=op.f("feeds_scope_check")),
        sa.CheckConstraint("failures >= 0", name=op.f("feeds_failures_check")),
        sa.PrimaryKeyConstraint("id", name=op.f("feeds_pkey")),
        sa.UniqueConstraint("slug", name=op.f("feeds_slug_key")),
        sa.UniqueConstraint("url", name=op.f("feeds_url_key")),
        schema="news",
        comment="A configured feed and its polling state. Feeds taken out of the configuration stay, disabled.",
    )
    op.create_index(
        "feeds_due_idx",
        "feeds",
        ["host", "next_poll_at", "id"],
        unique=False,
        schema="news",
        postgresql_where=sa.text("enabled"),
    )
    op.create_index(
        "feeds_next_poll_at_idx",
        "feeds",
        ["next_poll_at", "host"],
        unique=False,
        schema="news",
        postgresql_where=sa.text("enabled"),
    )
    op.create_table(
        "hosts",
        sa.Column("host", sa.Text(), nullable=False, comment="Host and port."),
        sa.Column(
            "next_request_at",
            sa.DateTime(timezone=True),
            nullable=False,
            comment="The next request may be sent from this time on.",
        ),
        sa.Column("crawl_delay", sa.Interval(), nullable=True, comment="Crawl-delay in its robots.txt."),
        sa.Column("robots", sa.Text(), nullable=True, comment="Its robots.txt; empty when it has none."),
        sa.Column(
            "robots_status",
            sa.SmallInteger(),
            nullable=True,
            comment="HTTP status of robots.txt; null when it could not be reached.",
        ),
        sa.Column(
            "robots_fetched_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="When robots.txt was last asked for.",
        ),
        sa.PrimaryKeyConstraint("host", name=op.f("hosts_pkey")),
        schema="news",
        comment="A web host and what politeness towards it needs, shared by all workers.",
    )
    op.create_index("hosts_next_request_at_idx", "hosts", ["next_request_at"], unique=False, schema="news")
    op.create_table(
        "stories",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False, comment="Number of the story."),
        sa.Column(
            "first_article_id", sa.BigInteger(), nullable=False, comment="The article published first (articles.id)."
        ),
        sa.Column("size", sa.Integer(), server_default=sa.text("1"), nullable=False, comment="Number of its articles."),
        sa.CheckConstraint("size > 0", name=op.f("stories_size_check")),
        sa.PrimaryKeyConstraint("id", name=op.f("stories_pkey")),
        sa.UniqueConstraint("first_article_id", name=op.f("stories_first_article_id_key")),
        schema="news",
        comment="A story: articles that are near-duplicates of each other.",
    )
    op.create_table(
        "entries",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False, comment="Number of the entry."),
        sa.Column("feed_id", sa.BigInteger(), nullable=False, comment="The feed (feeds.id)."),
        sa.Column(
            "identity",
            sa.Text(),
            nullable=False,
            comment="What names the item within its feed: its guid, else its URL, else a hash of title and summary.",
        ),
        sa.Column(
            "url", sa.Text(), nullable=True, comment="Address of the article as the feed gives it, made absolute."
        ),
        sa.Column(
            "canonical_url",
            sa.Text(),
            nullable=True,
            comment="The address without tracking parameters and fragment, for recognising the same page.",
        ),
        sa.Column("host", sa.Text(), nullable=True, comment="Host and port of the address, the unit of politeness."),
        sa.Column("title", sa.Text(), nullable=True, comment="Title in the feed, as plain text."),
        sa.Column("summary", sa.Text(), nullable=True, comment="Summary in the feed, as plain text."),
        sa.Column("content", sa.Text(), nullable=True, comment="Full text in the feed (content:encoded), as HTML."),
        sa.Column("author", sa.Text(), nullable=True, comment="Author in the feed."),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=True, comment="Publication time in the feed."),
        sa.Column("discovered_at", sa.DateTime(timezone=True), nullable=False, comment="When the item was first seen."),
        sa.Column(
            "status",
            sa.Text(),
            server_default="discovered",
            nullable=False,
            comment="discovered, fetched, extracted (in flight); landed, duplicate, off_topic, rejected, dead (final).",
        ),
        sa.Column(
            "reason", sa.Text(), nullable=True, comment="Why the entry ended as it did, or why it is tried again."
        ),
        sa.Column(
            "attempts",
            sa.Integer(),
            server_default=sa.text("0"),
            nullable=False,
            comment="Failed or interrupted attempts at the present stage.",
        ),
        sa.Column(
            "next_attempt_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="When the next stage may take the entry; while one works on it, the end of its lease; null when final.",
        ),
        sa.Column(
            "lease_holder",
            sa.Integer(),
            nullable=True,
            comment="Backend process id of the session that works on the entry; the lease ends with that session.",
        ),
        sa.CheckConstraint(
            "(status IN ('discovered', 'fetched', 'extracted')) = (next_attempt_at IS NOT NULL)",
            name=op.f("entries_next_attempt_at_check"),
        ),
        sa.CheckConstraint(
            "(url IS NOT NULL AND canonical_url IS NOT NULL AND host IS NOT NULL) OR status = 'rejected'",
            name=op.f("entries_url_check"),
        ),
        sa.CheckConstraint(
            "reason IS NOT NULL OR NOT (status IN ('off_topic', 'rejected', 'dead'))", name=op.f("entries_reason_check")
        ),
        sa.CheckConstraint(
            "status IN ('discovered', 'fetched', 'extracted', 'landed', 'duplicate', 'off_topic', 'rejected', 'dead')",
            name=op.f("entries_status_check"),
        ),
        sa.CheckConstraint("attempts >= 0", name=op.f("entries_attempts_check")),
        sa.CheckConstraint(
            "lease_holder IS NULL OR next_attempt_at IS NOT NULL", name=op.f("entries_lease_holder_check")
        ),
        sa.ForeignKeyConstraint(["feed_id"], ["news.feeds.id"], name=op.f("entries_feed_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("entries_pkey")),
        sa.UniqueConstraint("feed_id", "identity", name=op.f("entries_feed_id_identity_key")),
        schema="news",
        comment="The ledger: each item seen in a feed and what became of it. Not partitioned, because an item must be known again however old it is; deleted by age through entries_discovered_at_idx.",
    )
    op.create_index("entries_canonical_url_idx", "entries", ["canonical_url"], unique=False, schema="news")
    op.create_index(
        "entries_discovered_at_idx", "entries", ["discovered_at"], postgresql_using="brin", unique=False, schema="news"
    )
    op.create_index(
        "entries_leased_idx",
        "entries",
        ["lease_holder"],
        unique=False,
        schema="news",
        postgresql_where=sa.text("lease_holder IS NOT NULL"),
    )
    op.create_index(
        "entries_to_extract_idx",
        "entries",
        ["next_attempt_at", "id"],
        unique=False,
        schema="news",
        postgresql_where=sa.text("status = 'fetched'"),
    )
    op.create_index(
        "entries_to_fetch_idx",
        "entries",
        ["host", "next_attempt_at", "id"],
        unique=False,
        schema="news",
        postgresql_where=sa.text("status = 'discovered'"),
    )
    op.create_index(
        "entries_to_land_idx",
        "entries",
        ["next_attempt_at", "id"],
        unique=False,
        schema="news",
        postgresql_where=sa.text("status = 'extracted'"),
    )
    op.create_table(
        "feed_polls",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False, comment="Number of the poll."),
        sa.Column("feed_id", sa.BigInteger(), nullable=False, comment="The feed (feeds.id)."),
        sa.Column("polled_at", sa.DateTime(timezone=True), nullable=False, comment="When the poll was made."),
        sa.Column(
            "outcome",
            sa.Text(),
            nullable=False,
            comment="new (entries not seen before), unchanged (an answer without), not_modified (304), failed.",
        ),
        sa.Column("status", sa.SmallInteger(), nullable=True, comment="HTTP status, null when there was no answer."),
        sa.Column(
            "entries", sa.Integer(), server_default=sa.text("0"), nullable=False, comment="Entries in the answer."
        ),
        sa.Column(
            "new_entries",
            sa.Integer(),
            server_default=sa.text("0"),
            nullable=False,
            comment="Entries not seen in this feed before.",
        ),
        sa.Column(
            "bytes",
            sa.BigInteger(),
            server_default=sa.text("0"),
            nullable=False,
            comment="Size of the answer's body, decoded, in bytes.",
        ),
        sa.Column("took_ms", sa.Integer(), nullable=False, comment="Duration of the request, in milliseconds."),
        sa.Column("error", sa.Text(), nullable=True, comment="Why the poll failed."),
        sa.CheckConstraint("(outcome = 'failed') = (error IS NOT NULL)", name=op.f("feed_polls_error_check")),
        sa.CheckConstraint(
            "outcome IN ('new', 'unchanged', 'not_modified', 'failed')", name=op.f("feed_polls_outcome_check")
        ),
        sa.ForeignKeyConstraint(["feed_id"], ["news.feeds.id"], name=op.f("feed_polls_feed_id_fkey")),
        sa.PrimaryKeyConstraint("id", "polled_at", name=op.f("feed_polls_pkey")),
        schema="news",
        comment="A poll of a feed and its outcome. Partitioned by month of polled_at.",
        postgresql_partition_by="RANGE (polled_at)",
    )
    op.create_index("feed_polls_feed_idx", "feed_polls", ["feed_id", "polled_at"], unique=False, schema="news")
    op.create_table(
        "articles",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False, comment="Number of the article."),
        sa.Column(
            "content_hash",
            sa.Text(),
            nullable=False,
            comment="SHA-256 of news.fold(text) in UTF-8, 64 hexadecimal digits.",
        ),
        sa.Column(
            "content_id",
            sa.Text(),
            sa.Computed("left(content_hash, 16)", persisted=True),
            nullable=False,
            comment="First 16 digits of content_hash.",
        ),
        sa.Column("entry_id", sa.BigInteger(), nullable=False, comment="The entry the row describes (entries.id)."),
        sa.Column("story_id", sa.BigInteger(), nullable=False, comment="The story (stories.id)."),
        sa.Column("url", sa.Text(), nullable=False, comment="Address of the article, without tracking parameters."),
        sa.Column("outlet", sa.Text(), nullable=False, comment="Name of the publisher."),
        sa.Column("title", sa.Text(), nullable=True, comment="Title of the article."),
        sa.Column("author", sa.Text(), nullable=True, comment="Author of the article."),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=True, comment="When the article was published."),
        sa.Column(
            "published_from",
            sa.Text(),
            nullable=True,
            comment="Where that date comes from: feed, jsonld, meta, page or url.",
        ),
        sa.Column("language", sa.Text(), nullable=True, comment="Language of the text (ISO 639-1)."),
        sa.Column("text", sa.Text(), nullable=False, comment="The article's text."),
        sa.Column("word_count", sa.Integer(), nullable=False, comment="Number of words in the text."),
        sa.Column("landed_at", sa.DateTime(timezone=True), nullable=False, comment="When the text was first landed."),
        sa.CheckConstraint("content_hash ~ '^[0-9a-f]{64}$'", name=op.f("articles_content_hash_check")),
        sa.CheckConstraint(
            "published_from IN ('feed', 'jsonld', 'meta', 'page', 'url')",
            name=op.f("articles_published_from_known_check"),
        ),
        sa.CheckConstraint(
            "(published_at IS NULL) = (published_from IS NULL)", name=op.f("articles_published_from_check")
        ),
        sa.ForeignKeyConstraint(["entry_id"], ["news.entries.id"], name=op.f("articles_entry_id_fkey")),
        sa.ForeignKeyConstraint(["story_id"], ["news.stories.id"], name=op.f("articles_story_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("articles_pkey")),
        sa.UniqueConstraint("content_hash", name=op.f("articles_content_hash_key")),
        sa.UniqueConstraint("entry_id", name=op.f("articles_entry_id_key")),
        schema="news",
        comment="A distinct text on a topic (curated layer). Where several places published the same text, the row describes the earliest, by publication date and address; sightings lists them all.",
    )
    op.create_index("articles_content_id_idx", "articles", ["content_id"], unique=False, schema="news")
    op.create_index("articles_landed_at_idx", "articles", ["landed_at"], unique=False, schema="news")
    op.create_index("articles_published_at_idx", "articles", ["published_at"], unique=False, schema="news")
    op.create_index("articles_story_id_idx", "articles", ["story_id"], unique=False, schema="news")
    op.create_table(
        "documents",
        sa.Column("entry_id", sa.BigInteger(), autoincrement=False, nullable=False, comment="The entry (entries.id)."),
        sa.Column("extracted_at", sa.DateTime(timezone=True), nullable=False, comment="When the page was extracted."),
        sa.Column("title", sa.Text(), nullable=True, comment="Title of the article."),
        sa.Column("author", sa.Text(), nullable=True, comment="Author of the article."),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=True, comment="When the article was published."),
        sa.Column(
            "published_from",
            sa.Text(),
            nullable=True,
            comment="Where that date comes from: feed, jsonld, meta, page or url.",
        ),
        sa.Column("language", sa.Text(), nullable=True, comment="Language of the text (ISO 639-1)."),
        sa.Column("text", sa.Text(), nullable=False, comment="The article's text."),
        sa.Column("extractor", sa.Text(), nullable=False, comment="What produced the text, with its version."),
        sa.CheckConstraint(
            "published_from IN ('feed', 'jsonld', 'meta', 'page', 'url')",
            name=op.f("documents_published_from_known_check"),
        ),
        sa.CheckConstraint(
            "(published_at IS NULL) = (published_from IS NULL)", name=op.f("documents_published_from_check")
        ),
        sa.ForeignKeyConstraint(
            ["entry_id"], ["news.entries.id"], name=op.f("documents_entry_id_fkey"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("entry_id", name=op.f("documents_pkey")),
        schema="news",
        comment="The article extracted from a page (clean layer), whether on a topic or not.",
    )
    op.create_table(
        "pages",
        sa.Column("entry_id", sa.BigInteger(), nullable=False, comment="The entry (entries.id)."),
        sa.Column("fetched_at", sa.DateTime(timezone=True), nullable=False, comment="When the page was fetched."),
        sa.Column("final_url", sa.Text(), nullable=False, comment="Address after redirects."),
        sa.Column("http_status", sa.SmallInteger(), nullable=False, comment="HTTP status of the answer."),
        sa.Column("content_type", sa.Text(), nullable=True, comment="Content-Type header of the answer."),
        sa.Column("etag", sa.Text(), nullable=True, comment="ETag of the answer."),
        sa.Column("last_modified", sa.Text(), nullable=True, comment="Last-Modified of the answer."),
        sa.Column(
            "body",
            sa.LargeBinary(),
            nullable=False,
            comment="Body of the answer, decoded, compressed with zstd (RFC 8878).",
        ),
        sa.Column("body_bytes", sa.Integer(), nullable=False, comment="Size of the body before compression, in bytes."),
        sa.ForeignKeyConstraint(
            ["entry_id"], ["news.entries.id"], name=op.f("pages_entry_id_fkey"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("entry_id", "fetched_at", name=op.f("pages_pkey")),
        schema="news",
        comment="A fetched page, as it came (raw layer). Partitioned by month of fetched_at.",
        postgresql_partition_by="RANGE (fetched_at)",
    )
    op.create_table(
        "article_topics",
        sa.Column(
            "article_id", sa.BigInteger(), autoincrement=False, nullable=False, comment="The article (articles.id)."
        ),
        sa.Column("topic", sa.Text(), nullable=False, comment="Name of the topic in topics.yaml."),
        sa.Column("score", sa.REAL(), nullable=False, comment="How strongly the text matches; see docs/curators.md."),
        sa.Column(
            "matched",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=False,
            comment="The words that matched, by concept.",
        ),
        sa.ForeignKeyConstraint(
            ["article_id"], ["news.articles.id"], name=op.f("article_topics_article_id_fkey"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("article_id", "topic", name=op.f("article_topics_pkey")),
        schema="news",
        comment="A topic an article is about.",
    )
    op.create_index("article_topics_topic_idx", "article_topics", ["topic"], unique=False, schema="news")
    op.create_table(
        "sightings",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False, comment="Number of the sighting."),
        sa.Column("article_id", sa.BigInteger(), nullable=False, comment="The article (articles.id)."),
        sa.Column("entry_id", sa.BigInteger(), nullable=False, comment="The entry (entries.id)."),
        sa.Column("feed_id", sa.BigInteger(), nullable=False, comment="The feed (feeds.id)."),
        sa.Column("url", sa.Text(), nullable=False, comment="Address it was seen at; seed:... for an imported file."),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False, comment="When it was first seen there."),
        sa.ForeignKeyConstraint(["article_id"], ["news.articles.id"], name=op.f("sightings_article_id_fkey")),
        sa.ForeignKeyConstraint(["entry_id"], ["news.entries.id"], name=op.f("sightings_entry_id_fkey")),
        sa.ForeignKeyConstraint(["feed_id"], ["news.feeds.id"], name=op.f("sightings_feed_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("sightings_pkey")),
        sa.UniqueConstraint("entry_id", name=op.f("sightings_entry_id_key")),
        schema="news",
        comment="A place where an article's text was seen, one row per entry.",
    )
    op.create_index("sightings_article_id_idx", "sightings", ["article_id"], unique=False, schema="news")
    op.create_foreign_key(
        "stories_first_article_id_fkey",
        "stories",
        "articles",
        ["first_article_id"],
        ["id"],
        source_schema="news",
        referent_schema="news",
        deferrable=True,
        initially="DEFERRED",
    )
    # Bodies are compressed already.
    op.execute("ALTER TABLE news.pages ALTER COLUMN body SET STORAGE EXTERNAL")
    for name in ("0001_fold", "0001_partitions"):
        op.get_bind().exec_driver_sql((SQL / f"{name}.sql").read_text(encoding="utf-8").replace("%", "%%"))

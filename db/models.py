"""The schema `news` as SQLAlchemy models: what Alembic compares the database with and what its comments document.

The pipeline's own queries are SQL, in the module that owns each table; analysts may use these models as they are.
"""

from datetime import datetime, timedelta
from typing import Any, ClassVar

from sqlalchemy import (
    REAL,
    BigInteger,
    CheckConstraint,
    Computed,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    Integer,
    Interval,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    SmallInteger,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, TSVECTOR
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

SCHEMA = "news"

IN_FLIGHT_STATUSES = ("discovered", "fetched", "extracted")
FINAL_STATUSES = ("landed", "duplicate", "off_topic", "rejected", "dead")
FEED_ALERT_KINDS = ("nothing_new", "unchanged", "blocked", "failing", "no_entries", "no_text", "filtered")
OWN_ALERT_KINDS = ("configuration", "stalled", "workers", "backlog")
POLL_OUTCOMES = ("new", "unchanged", "not_modified", "failed")
HEALTHS = ("waiting", "ok", "failing", "gone", "disabled")
RELATIONS = ("same_text", "syndicated")
REVISION_CAUSES = ("publisher", "extraction")
DATE_SOURCES = ("feed", "jsonld", "meta", "page", "url")
SUBSCRIPTION_STATUSES = ("requested", "active", "denied", "failed")
PART_STATUSES = ("waiting", "done", "failed", "skipped")
SCOPES = ("topic", "general")


def _one_of(column: str, values: tuple[str, ...]) -> str:
    return f"{column} IN ({', '.join(repr(value) for value in values)})"


class Base(DeclarativeBase):
    metadata: ClassVar[MetaData] = MetaData(
        schema=SCHEMA,
        naming_convention={
            "pk": "%(table_name)s_pkey",
            "uq": "%(table_name)s_%(column_0_N_name)s_key",
            "fk": "%(table_name)s_%(column_0_N_name)s_fkey",
            "ck": "%(table_name)s_%(constraint_name)s_check",
        },
    )
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        str: Text,
        datetime: DateTime(timezone=True),
        timedelta: Interval,
        bytes: LargeBinary,
    }


def _id(comment: str) -> Mapped[int]:
    return mapped_column(BigInteger, Identity(always=True), primary_key=True, comment=comment)


def _feed() -> Mapped[int]:
    return mapped_column(ForeignKey("news.feeds.id"), comment="The feed (feeds.id).")


class Feed(Base):
    __tablename__ = "feeds"
    __table_args__ = (
        CheckConstraint(_one_of("health", HEALTHS), name="health"),
        CheckConstraint(_one_of("scope", SCOPES), name="scope"),
        CheckConstraint("failures >= 0", name="failures"),
        # Serves the claim of due feeds, host by host.
        Index("feeds_due_idx", "host", "next_poll_at", "id", postgresql_where=text("enabled")),
        # Finds the few that are due among many.
        Index("feeds_next_poll_at_idx", "next_poll_at", "host", postgresql_where=text("enabled")),
        # Hosts that have a poll in hand.
        Index("feeds_leased_idx", "host", postgresql_where=text("lease_holder IS NOT NULL")),
        {"comment": "A configured feed and its polling state. Feeds taken out of the configuration stay, disabled."},
    )
    id: Mapped[int] = _id("Number of the feed.")
    slug: Mapped[str] = mapped_column(unique=True, comment="The feed's id in feeds.yaml.")
    url: Mapped[str] = mapped_column(unique=True, comment="Address of the feed.")
    host: Mapped[str] = mapped_column(comment="Host and port of the address, the unit of politeness.")
    outlet: Mapped[str] = mapped_column(comment="Name of the publisher.")
    language: Mapped[str | None] = mapped_column(comment="Language of the feed as configured (ISO 639-1).")
    country: Mapped[str | None] = mapped_column(comment="Country of the publisher (ISO 3166-1 alpha-2).")
    scope: Mapped[str] = mapped_column(
        server_default="topic",
        comment="general: only entries that pass the topic's gate by title or summary are fetched; topic: all are.",
    )
    enabled: Mapped[bool] = mapped_column(server_default=text("true"), comment="Whether the feed is polled.")
    poll_every: Mapped[timedelta] = mapped_column(comment="Configured shortest time between two polls.")
    poll_within: Mapped[timedelta] = mapped_column(
        server_default=text("interval '1 hour'"), comment="Configured longest time between two polls of a quiet feed."
    )
    poll_interval: Mapped[timedelta | None] = mapped_column(
        comment="Time between two polls that the feed's own rhythm suggests, within those bounds."
    )
    asked_wait: Mapped[timedelta | None] = mapped_column(
        comment="Time between two polls that the feed document asks for (ttl, sy:updatePeriod)."
    )
    skip_hours: Mapped[list[int] | None] = mapped_column(
        ARRAY(SmallInteger), comment="Hours of the day (UTC) in which the feed asks not to be polled."
    )
    skip_days: Mapped[list[int] | None] = mapped_column(
        ARRAY(SmallInteger), comment="Days of the week (0 is Monday) on which the feed asks not to be polled."
    )
    max_age: Mapped[timedelta | None] = mapped_column(comment="Entries published longer ago than this are not fetched.")
    created_at: Mapped[datetime] = mapped_column(comment="When the feed first appeared in the configuration.")
    next_poll_at: Mapped[datetime] = mapped_column(comment="When the next poll is due; while a poll runs, its lease.")
    lease_holder: Mapped[int | None] = mapped_column(
        Integer, comment="Token of the session that polls the feed right now (leases.token)."
    )
    last_polled_at: Mapped[datetime | None] = mapped_column(comment="When the feed was last polled.")
    last_success_at: Mapped[datetime | None] = mapped_column(comment="When a poll last succeeded.")
    last_new_at: Mapped[datetime | None] = mapped_column(comment="When a poll last found a new entry.")
    failures: Mapped[int] = mapped_column(
        Integer, server_default=text("0"), comment="Failed polls since the last success."
    )
    last_error: Mapped[str | None] = mapped_column(comment="Why the last poll failed; null after a success.")
    failure: Mapped[str | None] = mapped_column(
        comment="Kind of the last failure: dns, refused, tls, timeout, connection, redirects, blocked, too_large, "
        "http_4xx, http_5xx, gone, not_a_feed; null after a success."
    )
    health: Mapped[str] = mapped_column(
        server_default="waiting",
        comment="waiting (not polled yet), ok, failing (last poll failed), gone (the server says it is: 410), "
        "disabled (not in the configuration).",
    )
    etag: Mapped[str | None] = mapped_column(comment="ETag of the last answer, sent back as If-None-Match.")
    last_modified: Mapped[str | None] = mapped_column(
        comment="Last-Modified of the last answer, sent back as If-Modified-Since."
    )
    body_hash: Mapped[bytes | None] = mapped_column(
        comment="SHA-256 of the last body, which spares parsing the same body again."
    )
    last_full_at: Mapped[datetime | None] = mapped_column(
        comment="When the server last sent the whole document; it is asked for once a day, whatever a 304 would say."
    )
    distrust: Mapped[str | None] = mapped_column(
        comment="Why the server's 304 is not believed: how it was caught. Such a feed is always asked for as a whole."
    )
    moved_to: Mapped[str | None] = mapped_column(comment="Address that permanent redirects (301, 308) lead to.")
    moved_polls: Mapped[int] = mapped_column(
        Integer, server_default=text("0"), comment="Polls in a row that led there; from the fifth on it is used."
    )
    hub: Mapped[str | None] = mapped_column(
        comment="Hub that announces news of the feed, as the feed names it (WebSub)."
    )
    topic: Mapped[str | None] = mapped_column(comment="Address under which the hub knows the feed.")
    pushed_until: Mapped[datetime | None] = mapped_column(
        comment="End of the subscription at the hub; until then the feed is polled less often."
    )


class FeedPoll(Base):
    __tablename__ = "feed_polls"
    __table_args__ = (
        PrimaryKeyConstraint("id", "polled_at"),
        CheckConstraint(_one_of("outcome", POLL_OUTCOMES), name="outcome"),
        CheckConstraint("(outcome = 'failed') = (error IS NOT NULL)", name="error"),
        Index("feed_polls_feed_idx", "feed_id", "polled_at"),
        # A feed's rhythm is read from its last polls that found something.
        Index("feed_polls_new_idx", "feed_id", "polled_at", postgresql_where=text("outcome = 'new'")),
        {
            "comment": "A poll of a feed and its outcome. Partitioned by month of polled_at.",
            "postgresql_partition_by": "RANGE (polled_at)",
        },
    )
    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), comment="Number of the poll.")
    feed_id: Mapped[int] = _feed()
    polled_at: Mapped[datetime] = mapped_column(comment="When the poll was made.")
    outcome: Mapped[str] = mapped_column(
        comment="new (entries not seen before), unchanged (an answer without), not_modified (304), failed."
    )
    status: Mapped[int | None] = mapped_column(SmallInteger, comment="HTTP status, null when there was no answer.")
    entries: Mapped[int] = mapped_column(Integer, server_default=text("0"), comment="Entries in the answer.")
    new_entries: Mapped[int] = mapped_column(
        Integer, server_default=text("0"), comment="Entries not seen in this feed before."
    )
    bytes: Mapped[int] = mapped_column(
        BigInteger, server_default=text("0"), comment="Size of the answer's body, decoded, in bytes."
    )
    took_ms: Mapped[int] = mapped_column(Integer, comment="Duration of the request, in milliseconds.")
    error: Mapped[str | None] = mapped_column(comment="Why the poll failed.")
    failure: Mapped[str | None] = mapped_column(comment="Kind of the failure, as in feeds.failure.")
    pushed: Mapped[bool] = mapped_column(
        server_default=text("false"), comment="Whether a hub sent the document without being asked (WebSub)."
    )


class Alert(Base):
    __tablename__ = "alerts"
    __table_args__ = (
        CheckConstraint(_one_of("kind", FEED_ALERT_KINDS + OWN_ALERT_KINDS), name="kind"),
        CheckConstraint(f"(feed_id IS NULL) = ({_one_of('kind', OWN_ALERT_KINDS)})", name="feed_id"),
        Index(
            "alerts_open_idx", "feed_id", "kind", unique=True, postgresql_where=text("ended_at IS NULL"),
            postgresql_nulls_not_distinct=True,
        ),
        {"comment": "Something that is wrong with a source, or with the pipeline: since when, until when, and why."},
    )  # fmt: skip
    id: Mapped[int] = _id("Number of the alert.")
    feed_id: Mapped[int | None] = mapped_column(
        ForeignKey("news.feeds.id"), comment="The feed (feeds.id); null for the pipeline itself."
    )
    kind: Mapped[str] = mapped_column(
        comment="nothing_new (other answers, but no new entries), unchanged (the same answer again and again), blocked "
        "(the server refuses us), failing (other failures), no_entries (answers without entries), no_text (nothing can "
        "be extracted from its pages), filtered (everything it brings is off topic). Of the pipeline: configuration (a "
        "file is broken and the last good one is used), stalled (work is due and nothing is done), workers (worker "
        "processes die and no page is to blame), backlog (work waits for hours)."
    )
    started_at: Mapped[datetime] = mapped_column(
        comment="Since when: the last find, success or landed article before it."
    )
    noticed_at: Mapped[datetime] = mapped_column(comment="When it was noticed.")
    ended_at: Mapped[datetime | None] = mapped_column(comment="When it was over; null while it lasts.")
    said: Mapped[str] = mapped_column(comment="A sentence that says what is wrong.")
    evidence: Mapped[dict[str, Any]] = mapped_column(JSONB, comment="The numbers it rests on.")


class Lease(Base):
    __tablename__ = "leases"
    __table_args__ = (
        {"comment": "A session that works on rows (their lease_holder), and until when it counts as alive."},
    )
    token: Mapped[int] = mapped_column(
        Integer, Identity(always=True, cycle=True), primary_key=True, comment="Number of the lease, never used twice."
    )
    pid: Mapped[int] = mapped_column(Integer, comment="Backend process id of the session.")
    alive_until: Mapped[datetime] = mapped_column(
        comment="When others may take its rows, unless it says before that it is alive."
    )


class Lock(Base):
    __tablename__ = "locks"
    __table_args__ = ({"comment": "What only one session does at a time: it locks the row. Readers cannot."},)
    name: Mapped[str] = mapped_column(primary_key=True, comment="What the lock is for.")


class Configuration(Base):
    __tablename__ = "configurations"
    __table_args__ = (
        {"comment": "The configuration files as they were last understood, and what is wrong with them now."},
    )
    file: Mapped[str] = mapped_column(primary_key=True, comment="feeds or topics.")
    content: Mapped[str | None] = mapped_column(comment="The file as it was last understood.")
    content_hash: Mapped[str | None] = mapped_column(comment="SHA-256 of that, in hexadecimal.")
    understood_at: Mapped[datetime | None] = mapped_column(comment="When it was first read in this form.")
    problem: Mapped[str | None] = mapped_column(comment="What is wrong with the file now; null where nothing is.")
    problem_since: Mapped[datetime | None] = mapped_column(comment="Since when.")


class WorkerDeath(Base):
    __tablename__ = "worker_deaths"
    __table_args__ = (
        Index("worker_deaths_died_at_idx", "died_at"),
        {"comment": "A worker process that died without a page being to blame."},
    )
    id: Mapped[int] = _id("Number of the death.")
    died_at: Mapped[datetime] = mapped_column(comment="When it was noticed.")
    said: Mapped[str] = mapped_column(comment="How it died.")


class PeriodicWork(Base):
    __tablename__ = "periodic_work"
    __table_args__ = ({"comment": "What is done now and then, by whichever worker comes by."},)
    task: Mapped[str] = mapped_column(primary_key=True, comment="Name of the task.")
    done_at: Mapped[datetime] = mapped_column(comment="When it was last begun.")


class Entry(Base):
    __tablename__ = "entries"
    __table_args__ = (
        UniqueConstraint("feed_id", "identity"),
        CheckConstraint(_one_of("status", IN_FLIGHT_STATUSES + FINAL_STATUSES), name="status"),
        CheckConstraint(
            f"({_one_of('status', IN_FLIGHT_STATUSES)}) = (next_attempt_at IS NOT NULL)", name="next_attempt_at"
        ),
        CheckConstraint("lease_holder IS NULL OR next_attempt_at IS NOT NULL", name="lease_holder"),
        CheckConstraint(
            f"reason IS NOT NULL OR NOT ({_one_of('status', ('off_topic', 'rejected', 'dead'))})", name="reason"
        ),
        CheckConstraint(
            "(url IS NOT NULL AND canonical_url IS NOT NULL AND host IS NOT NULL) OR status = 'rejected'", name="url"
        ),
        CheckConstraint("attempts >= 0", name="attempts"),
        # Three partial indexes that shrink to what is in flight, one per claim.
        Index(
            "entries_to_fetch_idx",
            "host",
            "priority",
            "next_attempt_at",
            "id",
            postgresql_where=text("status = 'discovered'"),
        ),
        Index("entries_to_extract_idx", "next_attempt_at", "id", postgresql_where=text("status = 'fetched'")),
        Index("entries_to_land_idx", "next_attempt_at", "id", postgresql_where=text("status = 'extracted'")),
        Index("entries_recheck_idx", "recheck_at", postgresql_where=text("recheck_at IS NOT NULL")),
        # What is in hand at a host, and what dead sessions have left behind.
        Index("entries_leased_idx", "host", "status", postgresql_where=text("lease_holder IS NOT NULL")),
        Index("entries_canonical_url_idx", "canonical_url"),
        # For deletion by age and for the outcomes of a period: rows come in the order of this column.
        Index("entries_discovered_at_idx", "discovered_at", postgresql_using="brin"),
        # Counts outcomes by feed and time without touching the table; written once per entry, when it ends.
        Index(
            "entries_ended_idx",
            "discovered_at",
            "feed_id",
            "status",
            postgresql_where=text("next_attempt_at IS NULL"),
        ),
        {
            "comment": "The ledger: each item seen in a feed and what became of it. Not partitioned, because an item "
            "must be known again however old it is; deleted by age through entries_discovered_at_idx."
        },
    )
    id: Mapped[int] = _id("Number of the entry.")
    feed_id: Mapped[int] = _feed()
    identity: Mapped[str] = mapped_column(
        comment="What names the item within its feed: its guid, else its URL, else a hash of title and summary."
    )
    url: Mapped[str | None] = mapped_column(comment="Address of the article as the feed gives it, made absolute.")
    canonical_url: Mapped[str | None] = mapped_column(
        comment="The address without tracking parameters and fragment, for recognising the same page."
    )
    host: Mapped[str | None] = mapped_column(comment="Host and port of the address, the unit of politeness.")
    title: Mapped[str | None] = mapped_column(comment="Title in the feed, as plain text.")
    summary: Mapped[str | None] = mapped_column(comment="Summary in the feed, as plain text.")
    content: Mapped[str | None] = mapped_column(comment="Full text in the feed (content:encoded), as HTML.")
    author: Mapped[str | None] = mapped_column(comment="Author in the feed.")
    published_at: Mapped[datetime | None] = mapped_column(comment="Publication time in the feed.")
    published_note: Mapped[str | None] = mapped_column(
        comment="What is doubtful about published_at: future (with what the feed says; published_at is when it was "
        "seen), no zone (taken for the time of the feed's country), no time (its first minute), lastmod (only the last "
        "change is known), too old (null)."
    )
    updated_at: Mapped[datetime | None] = mapped_column(comment="Time of the last change in the feed.")
    discovered_at: Mapped[datetime] = mapped_column(comment="When the item was first seen.")
    status: Mapped[str] = mapped_column(
        server_default="discovered",
        comment="discovered, fetched, extracted (in flight); landed, duplicate, off_topic, rejected, dead (final).",
    )
    reason: Mapped[str | None] = mapped_column(comment="Why the entry ended as it did, or why it is tried again.")
    attempts: Mapped[int] = mapped_column(
        Integer, server_default=text("0"), comment="Failed or interrupted attempts at the present stage."
    )
    next_attempt_at: Mapped[datetime | None] = mapped_column(
        comment="When the next stage may take the entry; null when final."
    )
    lease_holder: Mapped[int | None] = mapped_column(
        Integer,
        comment="Token of the session that works on the entry (leases.token); it ends with that session.",
    )
    priority: Mapped[int] = mapped_column(
        SmallInteger,
        server_default=text("0"),
        comment="Rank among the entries of its host that wait to be fetched: 0 new in a feed, 1 fetched again to see "
        "whether it changed, 2 from a backfill.",
    )
    recheck_at: Mapped[datetime | None] = mapped_column(
        comment="When the page is fetched again to see whether it changed; null when that is done or not intended."
    )
    rechecks: Mapped[int] = mapped_column(
        SmallInteger, server_default=text("0"), comment="How often the page was fetched again for that."
    )
    topic_score: Mapped[float | None] = mapped_column(
        REAL, comment="Score of the best topic of one that ended as off_topic for mentioning it only."
    )


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


class Document(Base):
    __tablename__ = "documents"
    __table_args__ = (
        CheckConstraint(_one_of("published_from", DATE_SOURCES), name="published_from_known"),
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


class Story(Base):
    __tablename__ = "stories"
    __table_args__ = (
        CheckConstraint("size > 0", name="size"),
        Index("stories_first_article_id_idx", "first_article_id"),
        {"comment": "A story: articles that are near-duplicates of each other."},
    )
    id: Mapped[int] = _id("Number of the story.")
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


class Article(Base):
    __tablename__ = "articles"
    __table_args__ = (
        CheckConstraint("content_hash ~ '^[0-9a-f]{64}$'", name="content_hash"),
        CheckConstraint(_one_of("published_from", DATE_SOURCES), name="published_from_known"),
        CheckConstraint("(published_at IS NULL) = (published_from IS NULL)", name="published_from"),
        Index("articles_content_id_idx", "content_id"),
        Index("articles_published_at_idx", text("published_at DESC NULLS LAST")),
        Index("articles_published_on_idx", text("((published_at AT TIME ZONE 'UTC')::date)")),
        Index("articles_landed_at_idx", "landed_at"),
        Index("articles_story_id_idx", "story_id"),
        # In kB: what is gathered by mass landings, until they are over.
        Index(
            "articles_search_idx", "search", postgresql_using="gin", postgresql_with={"gin_pending_list_limit": "16384"}
        ),
        {
            "comment": "A distinct text on a topic (curated layer). Where several places published the same text, "
            "the row describes the earliest, by publication date and address; sightings lists them all."
        },
    )
    id: Mapped[int] = _id("Number of the article.")
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
        Computed("news.search_vector(title, text)", persisted=True),
        comment="Stems of title and text, for news.search and news.search_query (@@).",
    )


def _article_key(comment: str) -> Mapped[int]:
    return mapped_column(
        ForeignKey("news.articles.id", ondelete="CASCADE"), primary_key=True, autoincrement=False, comment=comment
    )


class ArticleSignature(Base):
    __tablename__ = "article_signatures"
    __table_args__ = (
        Index("article_signatures_bands_idx", "bands", postgresql_using="gin", postgresql_with={"fastupdate": "off"}),
        {"comment": "What finds texts that are alike (MinHash over runs of six folded words)."},
    )
    article_id: Mapped[int] = _article_key("The article (articles.id).")
    bands: Mapped[list[int]] = mapped_column(
        ARRAY(Integer),
        comment="Hashes of its MinHash values; two texts that are alike share some. Empty for short texts.",
    )


class ArticleLink(Base):
    __tablename__ = "article_links"
    __table_args__ = (
        CheckConstraint(_one_of("relation", RELATIONS), name="relation"),
        CheckConstraint("article_id < other_id", name="order"),
        Index("article_links_other_idx", "other_id"),
        {"comment": "Two articles of which one is a copy of the other, edited or not. What is linked is one story."},
    )
    article_id: Mapped[int] = _article_key("The article with the lower id (articles.id).")
    other_id: Mapped[int] = _article_key("The article with the higher id (articles.id).")
    relation: Mapped[str] = mapped_column(
        comment="same_text (differences in spelling, dateline and the like) or syndicated (cut or edited)."
    )
    similarity: Mapped[float] = mapped_column(
        REAL, comment="Share of the runs of three words of either that both have (Jaccard)."
    )
    containment: Mapped[float] = mapped_column(
        REAL, comment="Share of the runs of three words of the shorter one that the other has."
    )


class ArticleRevision(Base):
    __tablename__ = "article_revisions"
    __table_args__ = (
        CheckConstraint("content_hash ~ '^[0-9a-f]{64}$'", name="content_hash"),
        CheckConstraint("seen_from <= seen_until", name="seen"),
        CheckConstraint(_one_of("cause", REVISION_CAUSES), name="cause"),
        Index("article_revisions_article_idx", "article_id", "seen_until"),
        # A copy of a former text that arrives late belongs to the article that had it.
        Index("article_revisions_content_hash_idx", "content_hash"),
        {
            "comment": "A former text or title of an article, in whose place there is another now. `articles` has the "
            "present one."
        },
    )
    id: Mapped[int] = _id("Number of the revision.")
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


class Sighting(Base):
    __tablename__ = "sightings"
    __table_args__ = (
        Index("sightings_article_id_idx", "article_id"),
        {"comment": "A place where an article's text was seen, one row per entry."},
    )
    id: Mapped[int] = _id("Number of the sighting.")
    article_id: Mapped[int] = mapped_column(ForeignKey("news.articles.id"), comment="The article (articles.id).")
    entry_id: Mapped[int] = mapped_column(ForeignKey("news.entries.id"), unique=True, comment="The entry (entries.id).")
    feed_id: Mapped[int] = _feed()
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


class WebSubSubscription(Base):
    __tablename__ = "websub_subscriptions"
    __table_args__ = (
        CheckConstraint(_one_of("status", SUBSCRIPTION_STATUSES), name="status"),
        Index("websub_subscriptions_next_request_idx", "next_request_at"),
        {"comment": "A subscription to a feed at its hub (WebSub). It holds secrets, and is not for news_reader."},
    )
    feed_id: Mapped[int] = mapped_column(
        ForeignKey("news.feeds.id", ondelete="CASCADE"),
        primary_key=True,
        autoincrement=False,
        comment="The feed (feeds.id).",
    )
    hub: Mapped[str] = mapped_column(comment="Address of the hub.")
    topic: Mapped[str] = mapped_column(comment="Address of the feed at the hub.")
    token: Mapped[str] = mapped_column(unique=True, comment="Last part of the address to which the hub sends news.")
    secret: Mapped[str] = mapped_column(comment="Key with which the hub signs what it sends.")
    status: Mapped[str] = mapped_column(
        comment="requested (the hub has not confirmed it yet), active, denied (by the hub), failed (no usable answer)."
    )
    requested_at: Mapped[datetime] = mapped_column(comment="When the hub was last asked.")
    expires_at: Mapped[datetime | None] = mapped_column(comment="When the subscription ends unless it is renewed.")
    next_request_at: Mapped[datetime] = mapped_column(
        comment="When the hub is asked next: at half of the lease, or after a failure."
    )
    failures: Mapped[int] = mapped_column(
        Integer, server_default=text("0"), comment="Requests in a row that came to nothing."
    )
    error: Mapped[str | None] = mapped_column(comment="What went wrong with the last request.")
    last_push_at: Mapped[datetime | None] = mapped_column(comment="When the hub last sent news.")


class Backfill(Base):
    __tablename__ = "backfills"
    __table_args__ = (
        UniqueConstraint("feed_id", "since", "until"),
        CheckConstraint("since < until", name="period"),
        {"comment": "A walk through what a feed's site published in the past, see `ingest backfill`."},
    )
    id: Mapped[int] = _id("Number of the backfill.")
    feed_id: Mapped[int] = _feed()
    since: Mapped[datetime] = mapped_column(comment="Items published at or after this time are wanted.")
    until: Mapped[datetime] = mapped_column(comment="Items published before this time are wanted.")
    started_at: Mapped[datetime] = mapped_column(comment="When it was first started.")
    finished_at: Mapped[datetime | None] = mapped_column(
        comment="When its last document was read; null while there are some left."
    )
    lease_holder: Mapped[int | None] = mapped_column(
        Integer, comment="Token of the session that works on it (leases.token)."
    )


class BackfillPart(Base):
    __tablename__ = "backfill_parts"
    __table_args__ = (
        UniqueConstraint("backfill_id", "url"),
        CheckConstraint(_one_of("status", PART_STATUSES), name="status"),
        Index("backfill_parts_waiting_idx", "backfill_id", "id", postgresql_where=text("status = 'waiting'")),
        {"comment": "A document that a backfill reads: a sitemap, a sitemap index, a page of a feed."},
    )
    id: Mapped[int] = _id("Number of the part, in the order in which parts were found.")
    backfill_id: Mapped[int] = mapped_column(
        ForeignKey("news.backfills.id", ondelete="CASCADE"), comment="The backfill (backfills.id)."
    )
    url: Mapped[str] = mapped_column(comment="Address of the document.")
    status: Mapped[str] = mapped_column(
        server_default="waiting",
        comment="waiting, done, failed (with error), skipped (it cannot hold anything of the period).",
    )
    attempts: Mapped[int] = mapped_column(Integer, server_default=text("0"), comment="Failed attempts to read it.")
    next_attempt_at: Mapped[datetime] = mapped_column(comment="When it may be asked for, while it waits.")
    items: Mapped[int] = mapped_column(Integer, server_default=text("0"), comment="Items of the period in it.")
    new_entries: Mapped[int] = mapped_column(
        Integer, server_default=text("0"), comment="Of those, items that were not in the ledger."
    )
    undated: Mapped[int] = mapped_column(
        Integer, server_default=text("0"), comment="Items without any date, which are passed over."
    )
    error: Mapped[str | None] = mapped_column(comment="Why it could not be read.")
    read_at: Mapped[datetime | None] = mapped_column(comment="When it was read, or given up.")


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

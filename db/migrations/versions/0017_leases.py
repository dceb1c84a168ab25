"""Leases by token and the server's time, locks that readers cannot take, the pipeline's own alerts and configuration.

Workers are to be stopped while this runs: what they have in hand is given back.
"""

from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

KINDS = ("nothing_new", "unchanged", "blocked", "failing", "no_entries", "no_text", "filtered")
OWN_KINDS = ("configuration", "stalled", "workers", "backlog")

UP = """
-- A session that works on rows, and until when it counts as alive.
CREATE TABLE news.leases (
    token integer GENERATED ALWAYS AS IDENTITY (CYCLE) CONSTRAINT leases_pkey PRIMARY KEY,
    pid integer NOT NULL,
    alive_until timestamptz NOT NULL
);
CREATE FUNCTION news.lease() RETURNS integer LANGUAGE sql STABLE PARALLEL SAFE
    SET search_path = pg_catalog
    RETURN nullif(current_setting('news.lease', true), '')::integer;
COMMENT ON FUNCTION news.lease() IS 'The token of this session''s lease (leases.token); null where it has none.';

CREATE FUNCTION news.claiming() RETURNS integer LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog
AS $function$
BEGIN
    IF news.lease() IS NULL THEN
        RAISE EXCEPTION 'this session has no lease, and cannot claim rows' USING ERRCODE = 'object_not_in_prerequisite_state';
    END IF;
    RETURN news.lease();
END
$function$;
COMMENT ON FUNCTION news.claiming() IS 'As news.lease(), for claims: an error where the session has no lease.';

-- They held process ids, which are no tokens.
UPDATE news.entries SET lease_holder = NULL, next_attempt_at = least(next_attempt_at, clock_timestamp())
    WHERE lease_holder IS NOT NULL;
UPDATE news.feeds SET lease_holder = NULL, next_poll_at = least(next_poll_at, clock_timestamp())
    WHERE lease_holder IS NOT NULL;
UPDATE news.hosts SET lease_holder = NULL WHERE lease_holder IS NOT NULL;
ALTER TABLE news.backfills ADD COLUMN lease_holder integer;

-- Made before the first migration runs, which one of its rows is the lock for.
CREATE TABLE IF NOT EXISTS news.locks (name text CONSTRAINT locks_pkey PRIMARY KEY);
INSERT INTO news.locks (name) VALUES ('upgrade'), ('stories') ON CONFLICT DO NOTHING;

CREATE TABLE news.configurations (
    file text CONSTRAINT configurations_pkey PRIMARY KEY,
    content text,
    content_hash text,
    understood_at timestamptz,
    problem text,
    problem_since timestamptz
);

CREATE TABLE news.worker_deaths (
    id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT worker_deaths_pkey PRIMARY KEY,
    died_at timestamptz NOT NULL,
    said text NOT NULL
);
CREATE INDEX worker_deaths_died_at_idx ON news.worker_deaths (died_at);

ALTER TABLE news.alerts ALTER COLUMN feed_id DROP NOT NULL;
ALTER TABLE news.alerts DROP CONSTRAINT alerts_kind_check;
ALTER TABLE news.alerts ADD CONSTRAINT alerts_kind_check CHECK (kind IN ({kinds}));
ALTER TABLE news.alerts ADD CONSTRAINT alerts_feed_id_check CHECK ((feed_id IS NULL) = (kind IN ({own_kinds})));
DROP INDEX news.alerts_open_idx;
CREATE UNIQUE INDEX alerts_open_idx ON news.alerts (feed_id, kind) NULLS NOT DISTINCT WHERE ended_at IS NULL;
CREATE OR REPLACE VIEW news.alerts_open AS
SELECT al.id AS alert_id, f.slug AS feed, f.outlet, al.kind, al.started_at, al.said, al.evidence
FROM news.alerts al
LEFT JOIN news.feeds f ON f.id = al.feed_id
WHERE al.ended_at IS NULL;
COMMENT ON VIEW news.alerts_open IS 'What is wrong with sources and with the pipeline itself: a row each, until it is over.';
COMMENT ON COLUMN news.alerts_open.feed IS 'Id of the feed; null for the pipeline itself.';
COMMENT ON COLUMN news.alerts_open.outlet IS 'Publisher; null for the pipeline itself.';

COMMENT ON TABLE news.configurations IS 'The configuration files as they were last understood, and what is wrong with them now.';
COMMENT ON COLUMN news.configurations.file IS 'feeds or topics.';
COMMENT ON COLUMN news.configurations.content IS 'The file as it was last understood.';
COMMENT ON COLUMN news.configurations.content_hash IS 'SHA-256 of that, in hexadecimal.';
COMMENT ON COLUMN news.configurations.understood_at IS 'When it was first read in this form.';
COMMENT ON COLUMN news.configurations.problem IS 'What is wrong with the file now; null where nothing is.';
COMMENT ON COLUMN news.configurations.problem_since IS 'Since when.';
COMMENT ON COLUMN news.feeds.lease_holder IS 'Token of the session that polls the feed right now (leases.token).';
COMMENT ON COLUMN news.hosts.lease_holder IS 'Token (leases.token) of the session that has a request to the host in hand without holding an entry or a feed of it.';
COMMENT ON TABLE news.leases IS 'A session that works on rows (their lease_holder), and until when it counts as alive.';
COMMENT ON COLUMN news.leases.token IS 'Number of the lease, never used twice.';
COMMENT ON COLUMN news.leases.pid IS 'Backend process id of the session.';
COMMENT ON COLUMN news.leases.alive_until IS 'When others may take its rows, unless it says before that it is alive.';
COMMENT ON TABLE news.locks IS 'What only one session does at a time: it locks the row. Readers cannot.';
COMMENT ON COLUMN news.locks.name IS 'What the lock is for.';
COMMENT ON TABLE news.worker_deaths IS 'A worker process that died without a page being to blame.';
COMMENT ON COLUMN news.worker_deaths.id IS 'Number of the death.';
COMMENT ON COLUMN news.worker_deaths.died_at IS 'When it was noticed.';
COMMENT ON COLUMN news.worker_deaths.said IS 'How it died.';
COMMENT ON TABLE news.alerts IS 'Something that is wrong with a source, or with the pipeline: since when, until when, and why.';
COMMENT ON COLUMN news.alerts.feed_id IS 'The feed (feeds.id); null for the pipeline itself.';
COMMENT ON COLUMN news.alerts.kind IS 'nothing_new (other answers, but no new entries), unchanged (the same answer again and again), blocked (the server refuses us), failing (other failures), no_entries (answers without entries), no_text (nothing can be extracted from its pages), filtered (everything it brings is off topic). Of the pipeline: configuration (a file is broken and the last good one is used), stalled (work is due and nothing is done), workers (worker processes die and no page is to blame), backlog (work waits for hours).';
COMMENT ON COLUMN news.backfills.lease_holder IS 'Token of the session that works on it (leases.token).';
COMMENT ON COLUMN news.entries.next_attempt_at IS 'When the next stage may take the entry; null when final.';
COMMENT ON COLUMN news.entries.lease_holder IS 'Token of the session that works on the entry (leases.token); it ends with that session.';

-- A writer has months made ahead of work, not years: each is two tables that nobody asked for.
CREATE OR REPLACE FUNCTION news.ensure_partitions(moment timestamptz, months integer) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog
-- A reader of one of the tables must not make everybody else wait: rows of a month without a table have a place too.
SET lock_timeout = '2s'
AS $function$
DECLARE
    first_of_month timestamptz := date_trunc('month', moment, 'UTC');
    lower_bound timestamptz;
    parent text;
    partition text;
    made integer := 0;
BEGIN
    IF months NOT BETWEEN 1 AND 24 THEN
        RAISE EXCEPTION 'from 1 to 24 months can be made at once, not %', months USING ERRCODE = 'invalid_parameter_value';
    END IF;
    IF moment NOT BETWEEN now() - interval '2 years' AND now() + interval '2 years' THEN
        RAISE EXCEPTION '% is more than two years away', moment USING ERRCODE = 'invalid_parameter_value';
    END IF;
    FOR i IN 0 .. months - 1 LOOP
        lower_bound := ((first_of_month AT TIME ZONE 'UTC') + make_interval(months => i)) AT TIME ZONE 'UTC';
        FOREACH parent IN ARRAY ARRAY['pages', 'feed_polls'] LOOP
            partition := parent || '_p' || to_char(lower_bound AT TIME ZONE 'UTC', 'YYYYMM');
            CONTINUE WHEN to_regclass('news.' || quote_ident(partition)) IS NOT NULL;
            -- Foreign keys make this lock the tables they point to. In the order in which the stages lock them, or
            -- there would be deadlocks; and two workers may find the same month missing.
            LOCK TABLE news.entries, news.feeds IN SHARE ROW EXCLUSIVE MODE;
            CONTINUE WHEN to_regclass('news.' || quote_ident(partition)) IS NOT NULL;
            BEGIN
                EXECUTE format(
                    'CREATE TABLE news.%I PARTITION OF news.%I FOR VALUES FROM (%L) TO (%L)',
                    partition, parent, lower_bound,
                    ((lower_bound AT TIME ZONE 'UTC') + interval '1 month') AT TIME ZONE 'UTC'
                );
                made := made + 1;
            EXCEPTION WHEN check_violation THEN
                NULL; -- rows of this month lie in the default partition already; they stay there
            END;
        END LOOP;
    END LOOP;
    RETURN made;
END
$function$;

-- statement_timeout and idle_in_transaction_session_timeout are defaults, which a session may change. This is not.
-- Ends statements of readers that have run for longer than their role allows, and readers' transactions that do nothing.
CREATE FUNCTION news.end_overdue_readers(running interval, idle interval) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog
AS $function$
DECLARE
    ended integer := 0;
    overdue record;
BEGIN
    -- Where the owner may not make roles, nobody reads as a member of one.
    IF to_regrole('news_reader') IS NULL OR to_regrole('news_writer') IS NULL THEN
        RETURN 0;
    END IF;
    FOR overdue IN
        SELECT a.pid, a.state FROM pg_stat_activity a
        WHERE a.datname = current_database() AND a.pid <> pg_backend_pid()
          AND a.usesysid IN (SELECT m.oid FROM pg_roles m WHERE pg_has_role(m.oid, 'news_reader', 'USAGE')
                             AND NOT m.rolsuper AND NOT pg_has_role(m.oid, 'news_writer', 'MEMBER')
                             AND m.rolname <> current_user)
          AND ((a.state = 'active' AND a.query_start < clock_timestamp() - running)
               OR (a.state LIKE 'idle in transaction%' AND a.state_change < clock_timestamp() - idle))
    LOOP
        BEGIN
            IF overdue.state = 'active' THEN
                PERFORM pg_cancel_backend(overdue.pid);
            ELSE
                PERFORM pg_terminate_backend(overdue.pid);
            END IF;
            ended := ended + 1;
        EXCEPTION WHEN insufficient_privilege THEN
            NULL; -- a login that somebody else made and gave the group
        END;
    END LOOP;
    RETURN ended;
END
$function$;
COMMENT ON FUNCTION news.end_overdue_readers(interval, interval) IS
    'Cancels statements of readers that have run for longer, ends their transactions that have been idle for longer; '
    'returns how many. The pipeline calls it every minute.';
"""


def _listed(kinds: tuple[str, ...]) -> str:
    return ", ".join(f"'{kind}'" for kind in kinds)


def upgrade() -> None:
    statements = UP.replace("{kinds}", _listed(KINDS + OWN_KINDS)).replace("{own_kinds}", _listed(OWN_KINDS))
    op.get_bind().exec_driver_sql(statements.replace("%", "%%"))

-- Two groups and what they may do. Run at every upgrade: a role may have been made, or its rights lost, since the last.
--   news_writer  works the pipeline: changes rows, and nothing else. Owns nothing.
--   news_reader  reads what analysts use. No raw pages, no secrets of subscriptions.
-- Nobody logs in as a group: a login could change the group's settings and password for everybody. Logins are members
-- (`ingest db add-login`). Where the groups are to be made, the owner of the database needs CREATEROLE.
DO $do$
DECLARE
    wanted text;
BEGIN
    FOREACH wanted IN ARRAY ARRAY['news_reader', 'news_writer'] LOOP
        BEGIN
            IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = wanted) THEN
                EXECUTE format('CREATE ROLE %I NOLOGIN', wanted);
                EXECUTE format('GRANT %I TO CURRENT_USER WITH SET TRUE, INHERIT FALSE', wanted);
            ELSIF EXISTS (SELECT FROM pg_roles WHERE rolname = wanted AND rolcanlogin) THEN
                EXECUTE format('ALTER ROLE %I NOLOGIN CONNECTION LIMIT -1 PASSWORD NULL', wanted);
                EXECUTE format('ALTER ROLE %I RESET ALL', wanted);
            END IF;
        EXCEPTION
            WHEN insufficient_privilege THEN
                RAISE WARNING 'the role % must be a group without login, and % may not make it one: see docs/operators.md',
                    wanted, CURRENT_USER;
            WHEN duplicate_object OR unique_violation THEN
                NULL; -- another database of this server made it just now
        END;
    END LOOP;
    -- The news page reads as news_reader wherever it logs in as the pipeline does.
    IF (SELECT count(*) FROM pg_roles WHERE rolname IN ('news_reader', 'news_writer')) = 2
        AND NOT pg_has_role('news_writer', 'news_reader', 'SET') THEN
        BEGIN
            GRANT news_reader TO news_writer WITH SET TRUE, INHERIT FALSE;
        EXCEPTION WHEN insufficient_privilege THEN
            RAISE NOTICE '% may not grant news_reader to news_writer', CURRENT_USER;
        END;
    END IF;
END
$do$;

-- What everybody may do by default on a database of PostgreSQL.
DO $do$
BEGIN
    EXECUTE format('REVOKE TEMPORARY ON DATABASE %I FROM PUBLIC', current_database());
    REVOKE EXECUTE ON FUNCTION news.ensure_partitions(timestamptz, integer), news.drop_partition(text),
        news.settle_search(), news.end_overdue_readers(interval, interval) FROM PUBLIC;
END
$do$;

DO $do$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'news_reader') THEN
        EXECUTE format('GRANT CONNECT ON DATABASE %I TO news_reader', current_database());
        GRANT USAGE ON SCHEMA news TO news_reader;
        GRANT SELECT ON news.feeds, news.feed_polls, news.entries, news.documents, news.articles, news.sightings,
            news.article_topics, news.article_revisions, news.stories, news.story_merges, news.article_links,
            news.article_signatures, news.hosts, news.backfills, news.backfill_parts, news.alerts, news.leases,
            news.configurations, news.worker_deaths, news.periodic_work, news.lexicon, news.words, news.analysis,
            news.topic_labels,
            news.articles_flat, news.article_places, news.story_overview, news.story_timeline, news.story_outlets,
            news.coverage_daily, news.article_changes, news.feed_overview, news.ledger_daily, news.alerts_open
            TO news_reader;
    END IF;
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'news_writer') THEN
        EXECUTE format('GRANT CONNECT ON DATABASE %I TO news_writer', current_database());
        GRANT USAGE ON SCHEMA news TO news_writer;
        GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA news TO news_writer;
        REVOKE INSERT, UPDATE, DELETE ON news.alembic_version FROM news_writer;
        GRANT USAGE, SELECT, UPDATE ON ALL SEQUENCES IN SCHEMA news TO news_writer;
        -- The planner's statistics.
        GRANT MAINTAIN ON ALL TABLES IN SCHEMA news TO news_writer;
        GRANT EXECUTE ON FUNCTION news.ensure_partitions(timestamptz, integer), news.drop_partition(text),
            news.settle_search(), news.end_overdue_readers(interval, interval) TO news_writer;
    END IF;
END
$do$;

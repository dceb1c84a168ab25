-- Two roles and what they may do. Run at every upgrade: a role may have been made, or its rights lost, since the last.
--   news_writer  works the pipeline: changes rows, and nothing else. Owns nothing.
--   news_reader  reads what analysts use. No raw pages, no secrets of subscriptions.
-- Without a password nobody can use them from outside: an administrator sets one. Where both are to be made, the owner
-- of the database needs CREATEROLE; it is then a member of them, and may take their place.
DO $do$
DECLARE
    wanted text;
BEGIN
    FOREACH wanted IN ARRAY ARRAY['news_reader', 'news_writer'] LOOP
        BEGIN
            CONTINUE WHEN EXISTS (SELECT FROM pg_roles WHERE rolname = wanted);
            EXECUTE format('CREATE ROLE %I LOGIN CONNECTION LIMIT 100', wanted);
            EXECUTE format('GRANT %I TO CURRENT_USER WITH SET TRUE, INHERIT FALSE', wanted);
            IF wanted = 'news_reader' THEN
                ALTER ROLE news_reader CONNECTION LIMIT 50;
                ALTER ROLE news_reader SET default_transaction_read_only = on;
                ALTER ROLE news_reader SET statement_timeout = '60s';
                ALTER ROLE news_reader SET idle_in_transaction_session_timeout = '10min';
                ALTER ROLE news_reader SET search_path = news, pg_catalog;
            END IF;
        EXCEPTION
            WHEN insufficient_privilege THEN
                RAISE NOTICE 'the role % is missing and % may not create it', wanted, CURRENT_USER;
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
        news.settle_search() FROM PUBLIC;
END
$do$;

DO $do$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'news_reader') THEN
        EXECUTE format('GRANT CONNECT ON DATABASE %I TO news_reader', current_database());
        GRANT USAGE ON SCHEMA news TO news_reader;
        GRANT SELECT ON news.feeds, news.feed_polls, news.entries, news.documents, news.articles, news.sightings,
            news.article_topics, news.article_revisions, news.stories, news.story_merges, news.article_links,
            news.article_signatures, news.hosts, news.backfills, news.backfill_parts, news.alerts,
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
            news.settle_search() TO news_writer;
    END IF;
END
$do$;

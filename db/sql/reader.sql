-- The role that may read what analysts use and change nothing. Raw pages are not for everybody. Run at every upgrade.
DO $do$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'news_reader') THEN
        -- Without a password nobody can use it from outside: an administrator sets one.
        CREATE ROLE news_reader LOGIN CONNECTION LIMIT 50;
        GRANT news_reader TO CURRENT_USER WITH SET TRUE, INHERIT FALSE;
        ALTER ROLE news_reader SET default_transaction_read_only = on;
        ALTER ROLE news_reader SET statement_timeout = '60s';
    END IF;
EXCEPTION
    WHEN insufficient_privilege THEN
        RAISE NOTICE 'the role news_reader is missing and % may not create it', CURRENT_USER;
    WHEN duplicate_object OR unique_violation THEN
        NULL; -- another database of this server made it just now
END
$do$;

DO $do$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'news_reader') THEN
        GRANT USAGE ON SCHEMA news TO news_reader;
        GRANT SELECT ON news.feeds, news.feed_polls, news.entries, news.documents, news.articles, news.sightings,
            news.article_topics, news.article_revisions, news.stories, news.story_merges, news.article_links,
            news.article_signatures, news.hosts, news.backfills,
            news.backfill_parts TO news_reader;
    END IF;
END
$do$;

-- Partitions belong to the owner of the schema; the pipeline makes and drops them by these two functions and owns nothing.
ALTER FUNCTION news.ensure_partitions(timestamptz, integer) SECURITY DEFINER;

CREATE OR REPLACE FUNCTION news.drop_partition(partition text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog
SET lock_timeout = '5s'
AS $function$
BEGIN
    -- A whole month of what grows without end, and nothing else.
    IF partition !~ '^(pages|feed_polls)_p[0-9]{6}$' THEN
        RAISE EXCEPTION '% is not a monthly partition of pages or feed_polls', partition
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    -- The tables it points to are locked with it; first, as everywhere.
    LOCK TABLE news.entries, news.feeds IN ACCESS EXCLUSIVE MODE;
    EXECUTE format('DROP TABLE news.%I', partition);
END
$function$;

COMMENT ON FUNCTION news.drop_partition(text) IS
    'Drops a monthly partition of pages or feed_polls, such as pages_p202601; waits for locks for five seconds.';

-- Months of tables that grow without end. They belong to the owner of the schema; the pipeline makes and drops them by
-- these two functions and owns nothing.

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

COMMENT ON FUNCTION news.ensure_partitions(timestamptz, integer) IS
    'Makes the monthly partitions of pages and feed_polls from the month of the given time on; returns how many were missing.';

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

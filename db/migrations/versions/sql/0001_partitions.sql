-- Tables that grow without end are partitioned by month, so that old rows leave by dropping a table.
-- The default partition takes rows of months that nobody prepared: nothing is refused, only dropping is coarser.
CREATE TABLE news.pages_default PARTITION OF news.pages DEFAULT;
CREATE TABLE news.feed_polls_default PARTITION OF news.feed_polls DEFAULT;

CREATE OR REPLACE FUNCTION news.ensure_partitions(moment timestamptz, months integer) RETURNS integer
LANGUAGE plpgsql
SET search_path = pg_catalog
AS $function$
DECLARE
    first_of_month timestamptz := date_trunc('month', moment, 'UTC');
    lower_bound timestamptz;
    parent text;
    partition text;
    made integer := 0;
BEGIN
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

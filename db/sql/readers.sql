-- statement_timeout and idle_in_transaction_session_timeout are defaults, which a session may change. This is not.
-- Ends statements of readers that have run for longer than their role allows, and readers' transactions that do nothing.
CREATE OR REPLACE FUNCTION news.end_overdue_readers(running interval, idle interval) RETURNS integer
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

-- Whoever puts something that is to be fetched into the ledger, those who listen hear of it when the transaction
-- commits. The payload is JSON: {"entries": number}.
CREATE OR REPLACE FUNCTION news.announce_entries() RETURNS trigger
LANGUAGE plpgsql
SET search_path = pg_catalog
AS $function$
DECLARE
    waiting bigint;
BEGIN
    SELECT count(*) INTO waiting FROM inserted WHERE next_attempt_at IS NOT NULL;
    IF waiting > 0 THEN
        PERFORM pg_notify('news_entries', json_build_object('entries', waiting)::text);
    END IF;
    RETURN NULL;
END
$function$;

COMMENT ON FUNCTION news.announce_entries() IS
    'Trigger function: tells the channel news_entries how many of the inserted entries wait to be worked on.';

CREATE TRIGGER announce_entries AFTER INSERT ON news.entries
    REFERENCING NEW TABLE AS inserted FOR EACH STATEMENT EXECUTE FUNCTION news.announce_entries();

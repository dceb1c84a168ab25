-- The lease of a session: the token that its claims write into rows, and that its later writes ask for.

CREATE OR REPLACE FUNCTION news.lease() RETURNS integer LANGUAGE sql STABLE PARALLEL SAFE
    SET search_path = pg_catalog
    RETURN nullif(current_setting('news.lease', true), '')::integer;
COMMENT ON FUNCTION news.lease() IS 'The token of this session''s lease (leases.token); null where it has none.';

CREATE OR REPLACE FUNCTION news.claiming() RETURNS integer LANGUAGE plpgsql STABLE PARALLEL SAFE
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

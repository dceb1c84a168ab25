-- The index for search gathers the words of new articles, and searches look through what is gathered one by one.
CREATE OR REPLACE FUNCTION news.settle_search() RETURNS void
LANGUAGE sql SECURITY DEFINER
SET search_path = pg_catalog
AS $function$
    SELECT gin_clean_pending_list('news.articles_search_idx'::regclass)
$function$;

COMMENT ON FUNCTION news.settle_search() IS
    'Puts the words of articles that have landed lately into their places in the index for search, as autovacuum does too.';

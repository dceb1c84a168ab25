"""An entry takes no status that it may not take from the one it has."""

from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

UP = """
CREATE OR REPLACE FUNCTION news.may_move(before text, after text) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog
RETURN CASE before
    WHEN 'discovered' THEN after IN ('fetched', 'landed', 'duplicate', 'off_topic', 'rejected', 'dead')
    WHEN 'fetched' THEN after IN ('extracted', 'landed', 'duplicate', 'rejected', 'dead')
    WHEN 'extracted' THEN after IN ('landed', 'duplicate', 'off_topic', 'rejected', 'dead')
    WHEN 'landed' THEN after IN ('discovered', 'extracted', 'duplicate', 'off_topic', 'rejected')
    WHEN 'duplicate' THEN after IN ('discovered', 'extracted', 'landed', 'off_topic', 'rejected')
    WHEN 'off_topic' THEN after IN ('discovered', 'fetched', 'extracted', 'rejected')
    WHEN 'rejected' THEN after IN ('discovered', 'fetched', 'extracted', 'off_topic')
    WHEN 'dead' THEN after IN ('discovered', 'fetched', 'extracted')
    ELSE false
END;
COMMENT ON FUNCTION news.may_move(text, text) IS 'Whether an entry of the ledger may go from one status to another.';

CREATE OR REPLACE FUNCTION news.guard_moves() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog
AS $function$
BEGIN
    IF NOT news.may_move(OLD.status, NEW.status) THEN
        RAISE EXCEPTION 'entry % may not go from % to %', OLD.id, OLD.status, NEW.status
            USING ERRCODE = 'check_violation', SCHEMA = 'news', TABLE = 'entries', CONSTRAINT = 'entries_moves';
    END IF;
    RETURN NEW;
END
$function$;
COMMENT ON FUNCTION news.guard_moves() IS 'Trigger function: refuses a status that an entry may not take.';

CREATE TRIGGER entries_moves BEFORE UPDATE OF status ON news.entries
    FOR EACH ROW WHEN (OLD.status IS DISTINCT FROM NEW.status) EXECUTE FUNCTION news.guard_moves();

COMMENT ON COLUMN news.feeds.failure IS 'Kind of the last failure: dns, refused, tls, timeout, connection, redirects, blocked, too_large, http_3xx, http_4xx, http_5xx, gone, not_a_feed; null after a success.';
"""


def upgrade() -> None:
    op.execute(UP)

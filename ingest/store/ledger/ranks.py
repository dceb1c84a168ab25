"""The priorities of entries that wait to be fetched, and the condition for fetching one now."""

__all__ = ["BACKFILL", "FETCHABLE", "LIVE", "RECHECK"]

# Ranks of the entries of a host that wait to be fetched: new in a feed, fetched again to see whether they changed,
# from a backfill.
LIVE, RECHECK, BACKFILL = 0, 1, 2

# Which discovered entries may be fetched now: due, in nobody's hands, and no earlier entry of the same page still on
# its way (that one settles this one too, see ingest.landing.land).
FETCHABLE = """
    e.host = h.host AND e.status = 'discovered' AND e.next_attempt_at <= %(now)s AND e.lease_holder IS NULL
    AND NOT EXISTS (SELECT FROM news.entries twin WHERE twin.canonical_url = e.canonical_url AND twin.id < e.id
                    AND twin.status IN ('discovered', 'fetched', 'extracted'))
"""

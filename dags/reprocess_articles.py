"""Works again on entries that ended without an article."""

from airflow.sdk import DAG, Param, task

from ingest.airflow.assets import FOUND_ENTRIES, NEWS_ENTRIES
from ingest.airflow.defaults import dag_defaults
from ingest.settings import load_settings

SETTINGS = load_settings()

with DAG(
    dag_id="reprocess_articles",
    dag_display_name="Reprocess articles",
    description="Lets entries that were rejected, off topic or given up be worked on again",
    schedule=None,
    params={
        "feed": Param(None, type=["null", "string"], title="Feed", description="Id of a feed; empty: all feeds."),
        "since": Param(
            None, type=["null", "string"], format="date-time", title="Since", description="First seen at or after."
        ),
        "until": Param(
            None, type=["null", "string"], format="date-time", title="Until", description="First seen before."
        ),
        "reason": Param(
            None,
            type=["null", "string"],
            title="Reason",
            description="A part of the reason they ended with, such as: HTTP 403; empty: any.",
        ),
    },
    doc_md="""
For use after a mistake was mended: in `topics.yaml`, in an extraction rule, at a site that answered 403 to everybody.

Entries that ended as `off_topic`, `rejected` or `dead` and match all of the parameters are worked on again: those
whose page is stored are extracted and judged anew, the others fetched. `ingest_articles` then takes them. Articles
that are there stay as they are, and so does what a feed's gate kept out.

To see beforehand what it would take:

    SELECT status, reason, count(*) FROM news.entries
    WHERE status IN ('off_topic', 'rejected', 'dead') AND reason <> 'gate' GROUP BY 1, 2 ORDER BY 3 DESC;
""",
    **dag_defaults(SETTINGS),
) as dag:

    @task(outlets=[FOUND_ENTRIES], doc_md="Puts the entries back into the ledger's queue, all or none of them.")
    def reopen(params=None, outlet_events=None):
        from datetime import datetime

        from ingest.airflow import tasks

        since, until = (datetime.fromisoformat(params[name]) if params[name] else None for name in ("since", "until"))
        counts = tasks.reopen(params["feed"], since, until, params["reason"])
        if counts["reopened"]:
            outlet_events[FOUND_ENTRIES].add(NEWS_ENTRIES, extra=counts)
        return counts

    reopen()

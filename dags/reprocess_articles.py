"""Reopens entries that ended without an article, or extracts all stored pages again after a change of rules."""

from airflow.sdk import DAG, Param, task

from ingest.airflow.assets import NEWS_ENTRIES, update
from ingest.airflow.defaults import dag_defaults
from ingest.config.settings import load_settings

SETTINGS = load_settings()

with DAG(
    dag_id="reprocess_articles",
    dag_display_name="Reprocess articles",
    description="Reopens entries that ended without an article, or extracts all stored pages again",
    schedule=None,
    params={
        "take": Param(
            "without article",
            type="string",
            enum=["without article", "stored pages", "stored pages, dry run"],
            title="Take",
            description="Entries that ended without an article, or all stored pages, to extract them again.",
        ),
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
            description="Without article: part of the reason they ended with, such as HTTP 403; empty: any.",
        ),
    },
    doc_md="""
Use it after fixing a mistake: in `topics.yaml`, in an extraction rule, at a site that answered 403 to everybody.

**Without article**: reopens entries that ended as `off_topic`, `rejected` or `dead` and match all of the parameters.
Those whose page is stored are extracted and judged again, the others are fetched again. `ingest_articles` then takes
them. Existing articles do not change, nor do entries that a feed's gate kept out. To see which entries it would take:

    SELECT status, reason, count(*) FROM news.entries
    WHERE status IN ('off_topic', 'rejected', 'dead') AND reason <> 'gate' GROUP BY 1, 2 ORDER BY 3 DESC;

**Stored pages**: extracts every page that is still stored (`NEWS_KEEP_PAGES_DAYS`) again, and lands the documents that
have changed. Articles keep their ids; their former texts and titles are in `article_revisions` with the cause
`extraction`. If a page turns out to hold no article, its sightings are removed, and so is an article that loses its
last one. The dry run changes nothing; its log shows counts and examples of the differences.
""",
    **dag_defaults(SETTINGS),
) as dag:

    @task(outlets=[NEWS_ENTRIES], doc_md="Puts entries back into the queue, or extracts stored pages again.")
    def reprocess(params=None, **context):
        from datetime import datetime

        from ingest.airflow import tasks

        since, until = (datetime.fromisoformat(params[name]) if params[name] else None for name in ("since", "until"))
        if params["take"] == "without article":
            counts = tasks.reopen(params["feed"], since, until, params["reason"])
        else:
            counts = tasks.reprocess(params["feed"], since, until, dry_run=params["take"].endswith("dry run"))
        update(context, NEWS_ENTRIES, counts, when=counts["reopened"])
        return counts

    reprocess()

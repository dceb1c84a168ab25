"""A streaming pipeline that collects news about one topic from feeds into PostgreSQL.

Its stages (`polling`, `fetching`, `extraction`, `landing`) work on a ledger in the database. The command `ingest`, the
Airflow DAGs and the tests call the same stage functions.
"""

from ingest.text.printable import clean_log_records

# Here, so that no process and no module can forget it.
clean_log_records()

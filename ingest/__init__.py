"""A streaming pipeline that collects news about one topic from feeds into PostgreSQL.

Its stages (`ingest.poll`, `ingest.fetch`, `ingest.extract`, `ingest.land`) work on a ledger in the database; the
command `ingest`, the Airflow DAGs and the tests call the same stage functions.
"""

from ingest.printable import clean_log_records

# Here, so that no process and no module can forget it.
clean_log_records()

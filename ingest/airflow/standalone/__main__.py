"""`python -m ingest.airflow.standalone` is `make run`."""

from ingest.airflow.standalone.run import main

if __name__ == "__main__":
    main()

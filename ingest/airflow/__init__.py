"""How the pipeline is operated from Airflow: the DAG files in `dags/` wire what stands here, nothing else uses it."""

"""Runs the pipeline under Airflow. The DAG files in `dags/` only wire up what is here; nothing else uses it."""

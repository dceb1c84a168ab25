# Airflow with the pipeline in it: one image for all of Airflow's services.
ARG AIRFLOW_IMAGE=apache/airflow:3.3.2-python3.12
FROM ${AIRFLOW_IMAGE}

# Airflow's own constraints first; what they do not name comes as the project's lock has it.
COPY --chown=airflow:0 pyproject.toml requirements.lock docker/requirements.py /tmp/build/
RUN python /tmp/build/requirements.py /tmp/build /home/airflow/constraints.txt \
 && pip install --no-cache-dir -r /tmp/build/requirements.txt \
      -c /tmp/build/constraints.txt "apache-airflow==${AIRFLOW_VERSION}"

COPY --chown=airflow:0 . /tmp/build/source
RUN pip install --no-cache-dir --no-deps --no-build-isolation /tmp/build/source \
 && mkdir -p /opt/airflow/dags /opt/airflow/config \
 && cp -r /tmp/build/source/dags/. /opt/airflow/dags/ \
 && cp /tmp/build/source/feeds.yaml /tmp/build/source/topics.yaml /opt/airflow/config/ \
 && rm -rf /tmp/build/source

ENV NEWS_FEEDS=/opt/airflow/config/feeds.yaml \
    NEWS_TOPICS=/opt/airflow/config/topics.yaml

#!/bin/bash
# Run by the postgres image if its volume is empty. Creates two databases, each with an owner. Other logins: logins.sql.
set -euo pipefail
: "${AIRFLOW_DB_PASSWORD:?}" "${NEWS_DB_PASSWORD:?}"

# From the environment, so that no password appears in a process list.
psql --set ON_ERROR_STOP=1 --no-psqlrc --username "$POSTGRES_USER" --dbname postgres <<'SQL'
\getenv airflow_password AIRFLOW_DB_PASSWORD
\getenv news_password NEWS_DB_PASSWORD
CREATE ROLE airflow LOGIN PASSWORD :'airflow_password';
CREATE ROLE news LOGIN PASSWORD :'news_password';
CREATE DATABASE airflow OWNER airflow;
CREATE DATABASE news OWNER news;
REVOKE CONNECT, TEMPORARY ON DATABASE airflow FROM PUBLIC;
REVOKE CONNECT, TEMPORARY ON DATABASE news FROM PUBLIC;
REVOKE CONNECT, TEMPORARY ON DATABASE postgres, template1 FROM PUBLIC;
\connect news
REVOKE EXECUTE ON FUNCTION lo_creat(integer), lo_create(oid), lo_from_bytea(oid, bytea), lo_open(oid, integer),
    lo_put(oid, bigint, bytea), lo_truncate(integer, integer), lo_truncate64(integer, bigint), lo_unlink(oid),
    lowrite(integer, bytea) FROM PUBLIC;
SQL

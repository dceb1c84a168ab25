#!/bin/bash
# Run by the postgres image when its volume is empty: two databases, an owner for each, and those who write and read
# the news and own nothing.
set -euo pipefail
: "${AIRFLOW_DB_PASSWORD:?}" "${NEWS_DB_PASSWORD:?}" "${NEWS_WRITER_PASSWORD:?}" "${NEWS_READER_PASSWORD:?}"

# From the environment, so that no password stands in a process list.
psql --set ON_ERROR_STOP=1 --no-psqlrc --username "$POSTGRES_USER" --dbname postgres <<'SQL'
\getenv airflow_password AIRFLOW_DB_PASSWORD
\getenv news_password NEWS_DB_PASSWORD
\getenv writer_password NEWS_WRITER_PASSWORD
\getenv reader_password NEWS_READER_PASSWORD
CREATE ROLE airflow LOGIN PASSWORD :'airflow_password';
CREATE ROLE news LOGIN PASSWORD :'news_password';
CREATE ROLE news_writer LOGIN PASSWORD :'writer_password';
CREATE ROLE news_reader LOGIN PASSWORD :'reader_password' CONNECTION LIMIT 50;
ALTER ROLE news_reader SET default_transaction_read_only = on;
ALTER ROLE news_reader SET statement_timeout = '60s';
ALTER ROLE news_reader SET idle_in_transaction_session_timeout = '10min';
ALTER ROLE news_reader SET search_path = news, pg_catalog;
CREATE DATABASE airflow OWNER airflow;
CREATE DATABASE news OWNER news;
REVOKE CONNECT, TEMPORARY ON DATABASE airflow FROM PUBLIC;
REVOKE CONNECT, TEMPORARY ON DATABASE news FROM PUBLIC;
REVOKE CONNECT, TEMPORARY ON DATABASE postgres, template1 FROM PUBLIC;
GRANT CONNECT ON DATABASE news TO news_reader, news_writer;
\connect news
REVOKE EXECUTE ON FUNCTION lo_creat(integer), lo_create(oid), lo_from_bytea(oid, bytea), lo_open(oid, integer),
    lo_put(oid, bigint, bytea), lo_truncate(integer, integer), lo_truncate64(integer, bigint), lo_unlink(oid),
    lowrite(integer, bytea) FROM PUBLIC;
SQL

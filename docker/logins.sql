-- Logins besides the owners of the two databases. Run as the superuser at every start, so that existing installations
-- get them too, with the passwords in .env.
\getenv results_password RESULTS_DB_PASSWORD
\getenv writer_password NEWS_WRITER_PASSWORD
\getenv reader_password NEWS_READER_PASSWORD

-- Scheduler and workers store and read task results with this login. It owns one schema in Airflow's database and sees
-- nothing else there.
SELECT 'CREATE ROLE airflow_results LOGIN' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'airflow_results')
\gexec
ALTER ROLE airflow_results PASSWORD :'results_password';
ALTER ROLE airflow_results IN DATABASE airflow SET search_path = airflow_results;
GRANT CONNECT ON DATABASE airflow TO airflow_results;
CREATE SCHEMA IF NOT EXISTS airflow_results AUTHORIZATION airflow_results;
REVOKE ALL ON SCHEMA public FROM airflow_results;

-- The groups to which `ingest db upgrade` grants rights. Nobody logs in as a group: a login could change it for all.
SELECT format('CREATE ROLE %I NOLOGIN', name) FROM (VALUES ('news_reader'), ('news_writer')) AS wanted(name)
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name)
\gexec
ALTER ROLE news_reader NOLOGIN CONNECTION LIMIT -1 PASSWORD NULL;
ALTER ROLE news_reader RESET ALL;
ALTER ROLE news_writer NOLOGIN CONNECTION LIMIT -1 PASSWORD NULL;
GRANT news_reader TO news_writer WITH INHERIT FALSE, SET TRUE;
GRANT CONNECT ON DATABASE news TO news_reader, news_writer;
-- The owner of the news database creates logins for people: `ingest db add-login`.
ALTER ROLE news CREATEROLE;
GRANT news_reader, news_writer TO news WITH ADMIN TRUE, INHERIT FALSE, SET TRUE;

-- The logins of the pipeline and of the News page.
SELECT format('CREATE ROLE %I LOGIN', name) FROM (VALUES ('news_pipeline'), ('news_page')) AS wanted(name)
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name)
\gexec
ALTER ROLE news_pipeline PASSWORD :'writer_password';
GRANT news_writer TO news_pipeline WITH INHERIT TRUE, SET TRUE;
ALTER ROLE news_page CONNECTION LIMIT 50 PASSWORD :'reader_password';
GRANT news_reader TO news_page WITH INHERIT TRUE, SET FALSE;
ALTER ROLE news_page SET default_transaction_read_only = on;
ALTER ROLE news_page SET statement_timeout = '60s';
ALTER ROLE news_page SET idle_in_transaction_session_timeout = '5min';
ALTER ROLE news_page SET search_path = news, pg_catalog;
-- Allows the owner's function to end the login's statements.
GRANT news_page TO news WITH INHERIT TRUE, SET FALSE;

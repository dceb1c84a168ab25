-- The login with which the scheduler and the workers leave and read the results of tasks: it owns a schema of its own
-- in Airflow's database, and sees nothing else of it.
\getenv password RESULTS_DB_PASSWORD
SELECT 'CREATE ROLE airflow_results LOGIN' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'airflow_results')
\gexec
ALTER ROLE airflow_results PASSWORD :'password';
ALTER ROLE airflow_results IN DATABASE airflow SET search_path = airflow_results;
GRANT CONNECT ON DATABASE airflow TO airflow_results;
CREATE SCHEMA IF NOT EXISTS airflow_results AUTHORIZATION airflow_results;
REVOKE ALL ON SCHEMA public FROM airflow_results;

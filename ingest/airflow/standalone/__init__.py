"""`make run`: the whole pipeline under Airflow on one machine.

| module | does |
| --- | --- |
| `run` | starts everything in order, watches over it, ends it in order |
| `environment` | says what Airflow's processes are told |
| `health` | asks whether Airflow works |
| `components` | starts and ends one component |
| `watchdog` | is the parent of a component; ends all of it, also when this program was killed |
| `record` | remembers what was started, for the next start |
| `processes` | reads `/proc` |
| `ports` | judges the port |
| `logs` | keeps logs from growing for ever |

Nothing is imported here: a watchdog is to take no more time and memory than it needs.
"""

"""`make run`: the whole pipeline under Airflow on one machine.

| module | does |
| --- | --- |
| `run` | starts everything in order, supervises it, stops it in order |
| `environment` | builds the environment of Airflow's processes |
| `health` | checks whether Airflow works |
| `components` | starts and stops one component |
| `watchdog` | is the parent of a component; ends all of its processes, even if this program was killed |
| `record` | remembers which processes were started, for the next start |
| `processes` | reads `/proc` |
| `ports` | checks the port |
| `logs` | keeps logs from growing forever |

Nothing is imported here, so that a watchdog takes no more time and memory than it needs.
"""

"""Many runs in a row, with a line for each and a table at the end.

python -m tests.faults --runs 500 --seed 1
"""

import argparse
import faulthandler
import signal
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.faults.plan import KINDS, Plan
from tests.faults.run import Lab, Result


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description="Run the pipeline under random faults.")
    parser.add_argument("--runs", type=int, default=20, help="how many")
    parser.add_argument("--seed", type=int, default=1, help="the seed of the first run; each has the next one")
    options = parser.parse_args()
    faulthandler.register(signal.SIGUSR1, all_threads=True)
    # So that the server and its disk go away with it.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    began, results = time.monotonic(), []
    with tempfile.TemporaryDirectory(prefix="faults-") as name, Lab(Path(name)) as lab:
        for seed in range(options.seed, options.seed + options.runs):
            result = lab.run(Plan.draw(seed))
            results.append(result)
            print(_line(result, len(results), options.runs), flush=True)
            if result.problems:
                print(result, flush=True)
    _report(results, time.monotonic() - began)
    return 1 if any(result.problems for result in results) else 0


def _line(result: Result, number: int, of: int) -> str:
    plan = result.plan
    how = f"{plan.command} x {plan.processes}{' embedded' if plan.embedded else ''}"
    said = "; ".join(result.problems)[:200] if result.problems else "sound"
    return f"{number}/{of} seed {plan.seed} {how}: {', '.join(result.kinds)}: {said} ({result.seconds:.1f} s)"


def _report(results: list[Result], seconds: float) -> None:
    kinds = Counter(kind for result in results for kind in result.kinds)
    table = Table(title="Faults", title_justify="left")
    for column in ("kind", "injected", "runs", "of these unsound"):
        table.add_column(column, justify="left" if column == "kind" else "right")
    for kind in KINDS:
        hit = [result for result in results if kind in result.kinds]
        table.add_row(kind, str(kinds[kind]), str(len(hit)), str(sum(bool(result.problems) for result in hit)))
    sums = Table(title="Runs", title_justify="left")
    for column in ("runs", "faults", "lost", "doubled", "stuck", "otherwise unsound", "seconds"):
        sums.add_column(column, justify="right")
    sums.add_row(
        str(len(results)),
        str(kinds.total()),
        *(
            str(sum(len(getattr(result, kind)) for result in results))
            for kind in ("lost", "doubled", "stuck", "broken")
        ),
        f"{seconds:.0f}",
    )
    console = Console(width=100)
    console.print(table)
    console.print(sums)
    bad = [str(result.plan.seed) for result in results if result.problems]
    if bad:
        console.print(f"Unsound: seeds {', '.join(bad)}", highlight=False)


if __name__ == "__main__":
    sys.exit(main())

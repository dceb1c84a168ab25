"""Serve a newsroom from the command line.

    python -m tests.newsroom --feeds 40 --entries 2000 --write-feeds /tmp/feeds.yaml

With --live, an item that is still to come appears every so many seconds. Ends with its standard input, so that it
does not outlive the program that started it.
"""

import argparse
import asyncio
import json
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.newsroom.server import Request, RunningNewsroom, start
from tests.newsroom.world import Newsroom


def main() -> None:
    parser = argparse.ArgumentParser(description="Serve a simulated web of news outlets on loopback.")
    parser.add_argument("--feeds", type=int, default=8)
    parser.add_argument("--entries", type=int, default=80)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--port", type=int, default=8899)
    parser.add_argument("--poll-every", default="10m")
    parser.add_argument("--write-feeds", type=Path, help="where to write a feeds.yaml for it")
    parser.add_argument("--live", type=float, default=0.0, help="seconds between two new items")
    parser.add_argument("--warm", action="store_true", help="render all pages before the first request")
    parser.add_argument("--host-names", help='names of the outlets, such as "outlet{}.example", not loopback addresses')
    parser.add_argument("--bind", help="address to listen on, where the outlets have names")
    parser.add_argument("--log", type=Path, help="where to write a line of JSON for each request")
    options = parser.parse_args()
    now = datetime.now(UTC).replace(microsecond=0)
    world = Newsroom.build(
        seed=options.seed, feeds=options.feeds, entries=options.entries, now=now, port=options.port,
        upcoming=500 if options.live else 0, host_names=options.host_names,
    )  # fmt: skip
    if options.write_feeds:
        options.write_feeds.write_text(world.feeds_yaml(options.poll_every), encoding="utf-8")
    asyncio.run(_serve(world, options))


async def _serve(world: Newsroom, options: argparse.Namespace) -> None:
    live: float = options.live
    running = RunningNewsroom(world, 0)
    if options.warm:
        running.render()
    if options.log:
        running.log = _Journal(options.log)
    runner = await start(running, options.bind)
    print("ready", flush=True)
    reader = asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    try:
        while not reader.done():
            await asyncio.wait({reader}, timeout=live or None)
            if live and not reader.done():
                world.advance(timedelta(minutes=1))
    finally:
        await runner.cleanup()


class _Journal(list[Request]):
    """A list of requests that is also written to a file, for whoever looks from outside."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._file = path.open("a", buffering=1, encoding="utf-8")

    def append(self, request: Request) -> None:
        super().append(request)
        self._file.write(json.dumps(vars(request)) + "\n")


if __name__ == "__main__":
    main()

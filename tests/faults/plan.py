"""What happens in a run, drawn from its seed: the same seed gives the same faults at the same moments."""

import random
from dataclasses import dataclass

__all__ = ["KINDS", "LIES", "Fault", "Plan"]

# Faults come within this many seconds of the first request that a run sends.
WITHIN = 1.4
WORLDS = 3

# Each kind with how long it lasts, in seconds: between these two, (0, 0) where it is over at once.
KINDS: dict[str, tuple[float, float]] = {
    "kill the pipeline": (0, 0),
    "kill a worker": (0, 0),
    "kill the fork server": (0, 0),
    "freeze the pipeline": (0.2, 0.8),
    "kill a backend": (0, 0),
    "kill the postmaster": (0.1, 0.6),
    "stop the database": (0.1, 0.8),
    "crash the database": (0.1, 0.8),
    "cut a connection": (0, 0),
    "cut all connections": (0, 0),
    "disk full": (0.3, 0.9),
    "clock ahead": (0.2, 1.0),
    "clock behind": (0.2, 1.0),
    "server fails": (0.2, 1.0),
    "server is slow": (0.2, 1.0),
    "server hangs": (0.2, 1.0),
    "server breaks off": (0.2, 1.0),
    "server lies": (0.2, 1.0),
    "frozen worker": (0.5, 2.0),
    "lease lost": (0.3, 1.0),
    "busy machine": (0.5, 2.0),
    "poisonous page": (0.2, 0.9),
    "broken configuration": (0.5, 2.0),
    "power loss": (0, 0),
    "clocks hours apart": (1.0, 2.0),
    "analyst's transaction": (1.0, 3.0),
}
# A page is to blame that kills three workers in which it was alone, some seconds apart; no run kills so many.
DEADLY, MOST_DEADLY = ("kill a worker", "kill the fork server", "poisonous page"), 2
LIES = ("length", "compression", "unasked 304", "no HTTP", "charset", "empty", "not a feed", "robots.txt")
# Clocks jump by so many seconds. Less than a day and a half, or pages would be fetched again because of their age.
JUMPS = (120, 1_800, 7_500, 21_600)
STATUSES = (500, 502, 503, 429, 403)


@dataclass(frozen=True)
class Fault:
    """A fault: `at` and `lasts` in seconds; `target` tells which of those that can be hit, `amount` how hard."""

    at: float
    kind: str
    lasts: float
    target: int
    amount: int

    def __str__(self) -> str:
        lasting = f" for {self.lasts:.2f} s" if self.lasts else ""
        return f"{self.at:.2f} s: {self.kind}{lasting} ({self.target}, {self.amount})"


@dataclass(frozen=True)
class Plan:
    """A run: its newsroom, how the pipeline is run, and what is done to it."""

    seed: int
    world: int
    command: str
    processes: int
    # Whether the pipeline keeps its server itself, and starts it again, or is given an address.
    embedded: bool
    host_delay: float
    # When the newsroom publishes more.
    publish_at: float
    faults: tuple[Fault, ...]

    @classmethod
    def draw(cls, seed: int) -> "Plan":
        """Return the plan of a seed."""
        rng = random.Random(seed)
        faults: list[Fault] = []
        wanted = rng.randint(1, 4)
        while len(faults) < wanted:
            fault = _draw(rng, rng.choice(list(KINDS)))
            if fault.kind not in DEADLY or sum(known.kind in DEADLY for known in faults) < MOST_DEADLY:
                faults.append(fault)
        return cls(
            seed=seed,
            world=rng.randrange(WORLDS),
            command=rng.choice(("--once", "--follow")),
            processes=rng.choice((1, 1, 2)),
            embedded=rng.random() < 0.25,
            host_delay=rng.choice((0, 0.05, 0.1)),
            publish_at=rng.uniform(0, WITHIN),
            faults=tuple(sorted(faults, key=lambda fault: fault.at)),
        )

    def __str__(self) -> str:
        how = f"ingest run {self.command} x {self.processes}{', embedded server' if self.embedded else ''}"
        return (
            f"seed {self.seed}: {how}, newsroom {self.world}, {self.host_delay} s between requests, more news at "
            f"{self.publish_at:.2f} s; faults at " + "; ".join(map(str, self.faults))
        )


def _draw(rng: random.Random, kind: str) -> Fault:
    shortest, longest = KINDS[kind]
    # A few before anything is asked for, while programs start.
    at = rng.uniform(-0.4, 0) if rng.random() < 0.1 else rng.uniform(0, WITHIN)
    return Fault(at, kind, rng.uniform(shortest, longest), rng.randrange(10_000), rng.randrange(10_000))

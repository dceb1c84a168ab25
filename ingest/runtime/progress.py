"""How a stage tells what it is doing while it works."""

from collections.abc import Callable

__all__ = ["Report", "no_report"]

# Called after each commit with an outcome (a field of the stage's counts) and how many there were.
Report = Callable[[str, int], None]


def no_report(outcome: str, count: int) -> None:
    """For callers who only want the result."""

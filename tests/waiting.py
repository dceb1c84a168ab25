"""Waiting for a condition. No test sleeps for as long as something usually takes: a busy machine takes longer."""

import asyncio
import time
from collections.abc import Callable
from typing import TypeVar

__all__ = ["until", "until_async"]

T = TypeVar("T")

# What a test waits for comes at once on a quiet machine; this is for one that is not.
PATIENCE_SECONDS = 60.0
LOOK_SECONDS = 0.02


def until(condition: Callable[[], T], seconds: float = PATIENCE_SECONDS, look: float = LOOK_SECONDS) -> T:
    """Return the first true value of `condition`, asked every `look` seconds; fails after `seconds`."""
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < deadline, f"not within {seconds} s"
        time.sleep(look)
    return value


async def until_async(condition: Callable[[], T], seconds: float = PATIENCE_SECONDS, look: float = LOOK_SECONDS) -> T:
    """The same, while the event loop goes on."""
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < deadline, f"not within {seconds} s"
        await asyncio.sleep(look)
    return value

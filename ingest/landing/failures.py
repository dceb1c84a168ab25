"""Documents that do not land: what happens to each."""

from dataclasses import dataclass
from datetime import timedelta

from ingest.model.status import Status
from ingest.store.storing import UNSTORABLE

__all__ = ["MAX_ATTEMPTS", "RETRY_AFTER", "Failed", "after_error"]

# A document that fails to land this often is given up. The wait after the first failure is doubled by each further one.
MAX_ATTEMPTS = 3
RETRY_AFTER = timedelta(minutes=1)


@dataclass(frozen=True)
class Failed:
    """A document that did not land: its entry ends with `status`, or is retried after `wait`."""

    entry: int
    reason: str
    status: Status | None = None
    wait: timedelta = timedelta(0)

    @property
    def outcome(self) -> str:
        return self.status or "retried"


def after_error(entry: int, attempts: int, error: Exception) -> Failed:
    """Return how to handle a document that failed on its own, after `attempts` earlier failures."""
    said = f"{type(error).__name__}: {str(error).splitlines()[0][:200] if str(error) else ''}".rstrip(": ")
    if isinstance(error, UNSTORABLE):
        return Failed(entry, f"the article cannot be stored: {type(error).__name__}", Status.REJECTED)
    if attempts + 1 >= MAX_ATTEMPTS:
        return Failed(entry, f"landing failed {attempts + 1} times: {said}", Status.DEAD)
    return Failed(entry, f"landing failed: {said}", wait=RETRY_AFTER * 2**attempts)

"""Stories: articles that are copies of each other, edited or not.

`tables` has the queries; `clustering` decides which articles form one story.
"""

from ingest.store.stories.clustering import catch_up, close, join, regroup
from ingest.store.stories.tables import count_unsigned, lock, refresh, unlink

__all__ = ["catch_up", "close", "count_unsigned", "join", "lock", "refresh", "regroup", "unlink"]

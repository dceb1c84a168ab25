"""A simulated web of news outlets on loopback, which knows the truth about every page it serves."""

from tests.newsroom.server import Faults, RunningNewsroom, serve
from tests.newsroom.world import Feed, Item, Newsroom, Outlet

__all__ = ["Faults", "Feed", "Item", "Newsroom", "Outlet", "RunningNewsroom", "serve"]

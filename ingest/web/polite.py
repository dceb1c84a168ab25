"""Fetches documents at each host's pace and by its robots.txt, which is requested once a day."""

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

from db import Connection
from ingest.config.settings import Settings
from ingest.model.outcomes import FailureKind
from ingest.runtime.backoff import retry_after
from ingest.store import hosts
from ingest.store.hosts import Robots
from ingest.text.urls import host_of
from ingest.web.client import Answer, RequestFailed, Web
from ingest.web.robots import ROBOTS_MAX_BYTES, RobotsRules, is_fresh, robots_text, rules
from ingest.web.turns import Turns

__all__ = ["Visitor"]

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Learnt:
    """A host's robots.txt and its rules. `used_turn` is true if it was requested just now."""

    robots: Robots
    rules: RobotsRules
    used_turn: bool


class Visitor:
    """Fetches pages from hosts at their pace and by their rules."""

    def __init__(
        self, connection: Connection, database: asyncio.Lock, web: Web, settings: Settings, now: Callable[[], datetime]
    ) -> None:
        self._connection = connection
        self._turns = Turns(connection, database, settings, now)
        self._web = web
        self._settings = settings
        self._now = now
        self._rules: dict[str, asyncio.Task[_Learnt]] = {}

    async def get(self, url: str, headers: Mapping[str, str], *, has_turn: bool = False) -> Answer:
        """Wait until the host of `url` may be contacted, send a GET request, and return the response.

        With `has_turn`, the caller has reserved the next turn at the host. Raises RequestFailed, with the kind `robots`
        if robots.txt disallows the URL, and `robots_unavailable` or `busy` if no request can be sent now.
        """
        still_has_turn = await self._permitted(url, has_turn=has_turn)
        if not (has_turn and still_has_turn):
            await self._turns.take(host_of(url))
        return await self._web.get(url, headers, before_redirect=self._before_redirect)

    async def get_unclaimed(self, url: str, headers: Mapping[str, str]) -> Answer:
        """Like `get`, for callers without a claimed entry or feed of the host to tell others that it is busy."""
        host = host_of(url)
        await self._permitted(url, has_turn=False)
        await self._turns.take(host, hold=True)
        try:
            return await self._web.get(url, headers, before_redirect=self._before_redirect)
        finally:
            await self._turns.ended(host)
            await self._turns.query(lambda: hosts.let_go(self._connection, host))

    async def answered(self, answer: Answer) -> None:
        """Start the pause of the host that answered: the usual one, or the one it asks for."""
        host, now = host_of(answer.url), self._now()
        await self._turns.ended(host)
        wait = retry_after(answer.headers.get("retry-after"), now) if answer.status in (429, 503) else None
        if wait:
            await self._turns.query(lambda: hosts.pause(self._connection, host, now + wait))

    async def sitemaps(self, url: str) -> list[str]:
        """Return the sitemaps listed in robots.txt on the host of `url`. Raises RequestFailed as `get` does."""
        learnt, _ = await self._known(url, has_turn=False)
        return learnt.rules.sitemaps

    async def _before_redirect(self, before: str, url: str) -> None:
        """Before a redirect is followed, apply the rules and turns of its host, as for any other request."""
        await self._turns.ended(host_of(before))
        await self._permitted(url, has_turn=False)
        await self._turns.take(host_of(url))

    async def _permitted(self, url: str, *, has_turn: bool) -> bool:
        """Raise RequestFailed unless robots.txt allows `url`. Return whether the caller's turn is still valid."""
        learnt, turn_is_good = await self._known(url, has_turn=has_turn)
        if not learnt.rules.allows(url):
            raise RequestFailed(FailureKind.ROBOTS, "disallowed by robots.txt")
        return turn_is_good

    async def _known(self, url: str, *, has_turn: bool) -> tuple[_Learnt, bool]:
        """Return the robots.txt rules of the host of `url`, and whether the caller's turn there is still valid."""
        host = host_of(url)
        task = self._rules.get(host)
        asks = task is None or (task.done() and (task.exception() or not is_fresh(task.result().robots, self._now())))
        if asks:
            task = self._rules[host] = asyncio.ensure_future(self._learn(url, host, has_turn=has_turn))
        assert task is not None
        # A turn is only valid now. Callers that waited for another's request of robots.txt must not all go at once.
        waits = not asks and not task.done()
        learnt = await asyncio.shield(task)
        if not learnt.rules.available:
            raise RequestFailed(
                FailureKind.ROBOTS_UNAVAILABLE, f"{host}: robots.txt cannot be read, nothing may be fetched yet"
            )
        return learnt, not waits and not (asks and learnt.used_turn)

    async def _learn(self, url: str, host: str, *, has_turn: bool) -> _Learnt:
        stored = await self._turns.query(lambda: hosts.load_robots(self._connection, host))
        if stored is not None and is_fresh(stored, self._now()):
            return _Learnt(stored, rules(stored), used_turn=False)
        if not has_turn:
            await self._turns.take(host)
        address = f"{urlsplit(url).scheme}://{host}/robots.txt"
        try:
            answer = await self._web.get(
                address, before_redirect=self._turns.before_redirect, max_bytes=ROBOTS_MAX_BYTES, cut=True
            )
            robots = Robots(robots_text(answer.body), answer.status, self._now())
            await self.answered(answer)
        except RequestFailed as failure:
            if failure.kind is FailureKind.BLOCKED:
                raise
            # RFC 9309, 2.3.1: too many redirects count as no robots.txt; an unreachable one disallows everything.
            status = 404 if failure.kind is FailureKind.REDIRECTS else None
            robots = Robots("", status, self._now())
            log.warning("host %s: robots.txt: %s", host, failure)
        rule = rules(robots)
        await self._turns.query(lambda: hosts.save_robots(self._connection, host, robots, rule.crawl_delay))
        await self._turns.ended(host)
        return _Learnt(robots, rule, used_turn=True)

"""The WebSub service: subscribes to feeds at their hubs, and takes in what the hubs send.

Each feed has its own callback address, `{NEWS_WEBSUB_URL}/{token}`, which nobody can guess. A document from a hub is
processed like a polled one, from parsing to the ledger. Polling goes on, less often, in case a hub forgets about us.
"""

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, TypeVar

from aiohttp import web

from db import SESSION_LOST, Connection, Database, retry_deadlocks
from ingest.config.errors import ConfigError
from ingest.config.settings import Settings
from ingest.parsing.model import NotAFeed, ParsedFeed
from ingest.parsing.parse import parse_feed
from ingest.polling.decisions import for_ledger
from ingest.polling.intake import take_in
from ingest.polling.parsers import PARSE_SECONDS
from ingest.runtime.backoff import retry_after
from ingest.runtime.workers import WorkerDied, WorkerPool, WorkerTimeout
from ingest.store import feeds, hosts, subscriptions
from ingest.store.storing import store_or_refuse
from ingest.store.subscriptions import Subscription
from ingest.text.storable import storable
from ingest.text.urls import host_of, without_user_info
from ingest.text.zones import zone_of
from ingest.topics.topics import TopicSet
from ingest.web.client import Answer, RequestFailed, Web
from ingest.web.turns import Turns
from ingest.websub.bodies import Budget, Full, NotRead, Share, read_body
from ingest.websub.protocol import signature_check, subscription_form, verify

__all__ = ["WebSubService"]

log = logging.getLogger(__name__)

T = TypeVar("T")

# How often the service looks for feeds to subscribe to.
LOOK_SECONDS = 30.0
SUBSCRIPTIONS_AT_ONCE = 50
# Limits for the documents that wait to be taken in, and for the bytes of these and of incoming ones together. More are
# refused, and the hub sends them again.
MOST_WAITING = 200
MOST_HELD_BYTES = 64_000_000
# If a hub takes longer to send a document, the next poll gets its entries.
BODY_SECONDS = 30.0
_BUSY = {"Retry-After": "60"}


@dataclass(frozen=True)
class _Push:
    subscription: Subscription
    body: bytes
    content_type: str | None
    share: Share


class WebSubService:
    """The service. `run` serves until `stop` is called, which the loop's signal handlers may do."""

    def __init__(self, database: Database, settings: Settings, topics: TopicSet, now: Callable[[], datetime]) -> None:
        if settings.websub_url is None:
            raise ConfigError("NEWS_WEBSUB_URL is not set: hubs need a public address to send news to")
        self._url = settings.websub_url
        self._database = database
        self._settings = settings
        self._topics = topics
        self._now = now
        self._stopped = asyncio.Event()
        self._waiting: asyncio.Queue[_Push] = asyncio.Queue(MOST_WAITING)
        # There is always room for one document of the largest size.
        self._budget = Budget(max(MOST_HELD_BYTES, settings.max_body_bytes))

    def stop(self) -> None:
        """Finish what has been received, then stop."""
        self._stopped.set()

    async def run(self) -> None:
        """Serve until stopped. Raises ConfigError if it cannot listen on the configured address."""
        application = web.Application()
        application.router.add_get("/{prefix:.*?}{token:[A-Za-z0-9_-]{43}}", self._verify)
        application.router.add_post("/{prefix:.*?}{token:[A-Za-z0-9_-]{43}}", self._receive)
        runner = web.AppRunner(application, access_log=None, handle_signals=False)
        await runner.setup()
        host, _, port = self._settings.websub_bind.rpartition(":")
        try:
            await web.TCPSite(runner, host.strip("[]"), int(port)).start()
        except (OSError, OverflowError) as error:
            await runner.cleanup()
            raise ConfigError(f"NEWS_WEBSUB_BIND: cannot listen on {self._settings.websub_bind}: {error}") from error
        log.info("listening on %s for what hubs send to %s", self._settings.websub_bind, self._url)
        with WorkerPool(1, self._settings.extract_timeout, ("ingest.parsing.parse",)) as pool:
            tasks: list[asyncio.Future[Any]] = [
                asyncio.ensure_future(self._subscribe_for_ever()),
                asyncio.ensure_future(self._take_in(pool)),
            ]
            stopped = asyncio.ensure_future(self._stopped.wait())
            try:
                await asyncio.wait({stopped, *tasks}, return_when=asyncio.FIRST_COMPLETED)
                await runner.cleanup()
                rest = asyncio.ensure_future(self._waiting.join())
                tasks.append(rest)
                await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for task in (stopped, *tasks):
                    task.cancel()
                ended = await asyncio.gather(*tasks, return_exceptions=True)
        for outcome in ended:
            if isinstance(outcome, Exception):
                raise outcome

    async def _verify(self, request: web.Request) -> web.Response:
        """Confirm to a hub that a subscription is wanted (WebSub, 5.3), or record that the hub denies it."""
        try:
            subscription = await self._query(partial(subscriptions.at, token=request.match_info["token"]))
            if subscription is None or not subscription.enabled:
                return web.Response(status=404, text="not subscribed")
            meant = verify(request.query, subscription.topic)
            if meant.outcome == "denied":
                await self._query(lambda c: subscriptions.denied(c, subscription, self._now(), storable(meant.reason)))
                log.warning(
                    "feed %s: its hub denies the subscription: %s", subscription.feed, meant.reason or "no reason"
                )
                return web.Response(status=200)
            if meant.outcome != "subscribed":
                return web.Response(status=404, text="not wanted")
            await self._query(lambda c: subscriptions.activate(c, subscription, self._now(), meant.lease))
        except SESSION_LOST:
            return web.Response(status=503, headers=_BUSY)
        log.info("feed %s: subscribed at its hub for %s", subscription.feed, meant.lease)
        return web.Response(text=meant.challenge, headers={"X-Content-Type-Options": "nosniff"})

    async def _receive(self, request: web.Request) -> web.Response:
        """Take a document from a hub. One not signed with the secret is ignored without telling the sender (7.1).

        Nothing is read for a feed without a subscription, or from a request without a plausible signature.
        """
        try:
            subscription = await self._query(partial(subscriptions.at, token=request.match_info["token"]))
        except SESSION_LOST:
            return web.Response(status=503, headers=_BUSY)
        if subscription is None:
            return web.Response(status=404, text="not subscribed")
        if not subscription.enabled:
            return web.Response(status=410, text="no longer subscribed")
        check = signature_check(request.headers.get("X-Hub-Signature"), subscription.secret)
        if check is None:
            log.warning("feed %s: ignored a document without a signature of its hub", subscription.feed)
            return web.Response(status=202)
        share, is_taken = Share(self._budget), False
        try:
            pieces = await read_body(request, share, check, most=self._settings.max_body_bytes, seconds=BODY_SECONDS)
            if not check.holds():
                log.warning("feed %s: ignored %d bytes that its hub has not signed", subscription.feed, share.size)
                return web.Response(status=202)
            content_type = request.headers.get("Content-Type")
            self._waiting.put_nowait(_Push(subscription, b"".join(pieces), content_type, share))
            is_taken = True
        except NotRead as problem:
            return web.Response(status=problem.status)
        except (Full, asyncio.QueueFull):
            return web.Response(status=503, headers=_BUSY)
        finally:
            # A queued document keeps its share until it has been taken in.
            if not is_taken:
                share.release()
        return web.Response(status=202)

    async def _take_in(self, pool: WorkerPool) -> None:
        while True:
            push = await self._waiting.get()
            try:
                await self._take_in_one(pool, push)
            finally:
                push.share.release()
                self._waiting.task_done()

    async def _take_in_one(self, pool: WorkerPool, push: _Push) -> None:
        name, at = push.subscription.feed, self._now()
        feed = await self._repeated(partial(feeds.state, slug=name))
        if feed is None:
            return
        topic = push.subscription.topic
        try:
            zone = zone_of(feed.country)
            parsed: ParsedFeed = await pool.run_within(
                PARSE_SECONDS, parse_feed, push.body, topic, push.content_type, at, zone
            )
        except (NotAFeed, WorkerTimeout, WorkerDied) as problem:
            log.warning("feed %s: ignored a document from its hub: %s", name, problem)
            return
        entries = tuple(for_ledger(feed, entry, at, self._topics) for entry in parsed.entries)
        new = 0

        def store(connection: Connection) -> None:
            def record(_: list[_Push]) -> None:
                nonlocal new
                taken = take_in(connection, feed.id, entries, at)
                new = len(taken.new)
                feeds.save_push(connection, feed, at, entries=len(entries), new_entries=new, body_bytes=len(push.body))
                subscriptions.pushed(connection, push.subscription, at)
                connection.commit()

            def refuse(_: _Push, why: str) -> None:
                log.warning("feed %s: the document from its hub %s", name, why)

            connection.execute("SELECT news.ensure_partitions(%s, 2)", [at])
            connection.commit()
            store_or_refuse(connection, [push], record, refuse)

        await self._repeated(store)
        log.info("feed %s: pushed, %d entries, %d new, %d bytes", name, len(entries), new, len(push.body))

    async def _subscribe_for_ever(self) -> None:
        """Ask hubs for subscriptions as they come due, with the same delay between requests as for any host."""
        async with Web(self._settings) as client:
            while True:
                try:
                    due = await self._query(lambda c: subscriptions.claim(c, self._now(), SUBSCRIPTIONS_AT_ONCE))
                    for subscription in due:
                        await self._subscribe(client, subscription)
                except SESSION_LOST as error:
                    log.error("the database is away: %s", (str(error).splitlines() or ["no answer"])[0])
                    due = []
                if len(due) < SUBSCRIPTIONS_AT_ONCE:
                    await asyncio.sleep(LOOK_SECONDS)

    async def _subscribe(self, client: Web, subscription: Subscription) -> None:
        if not subscription.hub.startswith("https:") and not self._settings.allow_networks:
            # An eavesdropper would learn the secret and could sign anything (5.1).
            await self._query(
                lambda c: subscriptions.failed(c, subscription, self._now(), "the hub cannot be reached by https")
            )
            return
        form = subscription_form(subscription.topic, f"{self._url}/{subscription.token}", subscription.secret)
        connection = await self._connect()
        try:
            turns = Turns(connection, asyncio.Lock(), self._settings, self._now)
            await turns.take(host_of(subscription.hub))
            answer = await client.post(subscription.hub, form, before_redirect=turns.before_redirect)
            await turns.ended(host_of(subscription.hub))
            said = storable(answer.body[:200].decode("utf-8", errors="replace").strip())
            problem = None if 200 <= answer.status < 300 else f"HTTP {answer.status}: {said}"
            await self._rest(connection, subscription.hub, answer)
        except RequestFailed as failure:
            problem = str(failure)
        except Exception as unusual:  # noqa: BLE001 - whatever a hub makes the libraries raise is a failure of that hub
            problem = type(unusual).__name__
        finally:
            await asyncio.to_thread(connection.close)
        if problem is None:
            log.info("feed %s: asked %s for a subscription", subscription.feed, without_user_info(subscription.hub))
            return
        error = without_user_info(problem)
        again = await self._query(lambda c: subscriptions.failed(c, subscription, self._now(), error))
        log.warning(
            "feed %s: no subscription at %s: %s; next try %s",
            subscription.feed,
            without_user_info(subscription.hub),
            error,
            again.isoformat(timespec="seconds"),
        )

    async def _connect(self) -> Connection:
        opening = asyncio.ensure_future(asyncio.to_thread(self._database.connect, repeatable=True))
        try:
            return await asyncio.shield(opening)
        except asyncio.CancelledError:
            # The thread goes on, and nobody else would close what it opens.
            with suppress(*SESSION_LOST):
                (await opening).close()
            raise

    async def _rest(self, connection: Connection, hub: str, answer: Answer) -> None:
        """Pause a hub for as long as it asks."""
        wait = retry_after(answer.headers.get("retry-after"), self._now()) if answer.status in (429, 503) else None
        if wait:
            until = self._now() + wait
            await asyncio.to_thread(hosts.pause, connection, host_of(hub), until)
            await asyncio.to_thread(connection.commit)

    async def _query(self, query: Callable[[Connection], T]) -> T:
        """Run a query on a new connection and return its result. Queries are rare, and the database may go away."""

        def work() -> T:
            with self._database.connect(repeatable=True) as connection:
                result = retry_deadlocks(connection, lambda: query(connection))
                connection.commit()
                return result

        return await asyncio.to_thread(work)

    async def _repeated(self, query: Callable[[Connection], T]) -> T:
        """Like `_query`, but retry until the database is back, because a hub does not send a document again."""
        while True:
            try:
                return await self._query(query)
            except SESSION_LOST as error:
                if self._stopped.is_set():
                    raise
                log.error("the database is away: %s", (str(error).splitlines() or ["no answer"])[0])
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._stopped.wait(), 1.0)

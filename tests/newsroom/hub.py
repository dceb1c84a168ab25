"""A WebSub hub on loopback: confirms subscriptions with the subscriber, and sends it signed documents."""

import asyncio
import hashlib
import hmac
from dataclasses import dataclass, field

import aiohttp
from aiohttp import web

__all__ = ["Hub"]


@dataclass
class Hub:
    """A hub at `http://127.0.0.1:{port}/`. `subscribers` are the confirmed (topic, callback, secret)."""

    port: int
    lease_seconds: int = 3600
    deny: str | None = None
    status: int = 202
    asked: list[dict[str, str]] = field(default_factory=list)
    subscribers: dict[str, tuple[str, str]] = field(default_factory=dict)
    _runner: web.AppRunner | None = None
    _tasks: set["asyncio.Task[None]"] = field(default_factory=set)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/"

    async def __aenter__(self) -> "Hub":
        application = web.Application()
        application.router.add_post("/", self._subscribe)
        self._runner = web.AppRunner(application, access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self.port).start()
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        assert self._runner is not None
        await self._runner.cleanup()

    async def _subscribe(self, request: web.Request) -> web.Response:
        form = {name: str(value) for name, value in (await request.post()).items()}
        self.asked.append(form)
        if self.status == 202:
            task = asyncio.ensure_future(self._confirm(form))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        return web.Response(status=self.status, text="no such topic" if self.status >= 400 else "")

    async def _confirm(self, form: dict[str, str]) -> None:
        query = {"hub.mode": form["hub.mode"], "hub.topic": form["hub.topic"]}
        if self.deny is not None:
            query |= {"hub.mode": "denied", "hub.reason": self.deny}
        else:
            query |= {"hub.challenge": "a-challenge-1234", "hub.lease_seconds": str(self.lease_seconds)}
        async with aiohttp.ClientSession() as client, client.get(form["hub.callback"], params=query) as answer:
            if answer.status == 200 and await answer.text() == "a-challenge-1234":
                self.subscribers[form["hub.topic"]] = form["hub.callback"], form["hub.secret"]

    async def publish(self, topic: str, body: bytes, *, secret: str | None = None, method: str = "sha256") -> int:
        """Send a document to who subscribes to `topic`, signed with its secret or another; returns the status."""
        callback, agreed = self.subscribers[topic]
        digest = hmac.new((secret or agreed).encode(), body, getattr(hashlib, method)).hexdigest()
        headers = {"X-Hub-Signature": f"{method}={digest}", "Content-Type": "application/rss+xml"}
        async with (
            aiohttp.ClientSession() as client,
            client.post(callback, data=body, headers=headers) as answer,
        ):
            return answer.status

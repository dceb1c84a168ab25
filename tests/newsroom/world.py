"""What exists in the simulated web: outlets, their feeds and their items. The same seed makes the same world."""

import random
import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Literal

from ingest.text.folding import content_identity
from tests.newsroom import vocabulary

__all__ = ["Feed", "Item", "Newsroom", "Outlet"]

FeedFormat = Literal["rss", "atom", "rdf"]
TEMPLATES = ("semantic", "divs", "portal")
# Wire copies: as they came, or with another dateline and the last paragraph cut.
SHARE_WIRE, SHARE_ON_TOPIC, SHARE_ON_SUBJECT = 0.2, 0.45, 0.4
_SLOT = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True)
class Outlet:
    """A publisher; its site is served at `host` (address and port)."""

    number: int
    name: str
    language: str
    host: str
    template: str

    @property
    def base(self) -> str:
        return f"http://{self.host}"


@dataclass(frozen=True)
class Item:
    """An article as it was published: the truth that extraction is compared with."""

    number: int
    outlet: Outlet
    title: str
    paragraphs: tuple[str, ...]
    author: str
    published_at: datetime
    on_topic: bool
    subject: str
    wire: int | None = None
    revision: int = 0

    @property
    def path(self) -> str:
        return f"/news/{self.published_at:%Y/%m}/{self.number}"

    @property
    def url(self) -> str:
        return self.outlet.base + self.path

    @property
    def text(self) -> str:
        return "\n".join(self.paragraphs)

    @property
    def content_hash(self) -> str:
        return content_identity(self.text).content_hash

    @property
    def summary(self) -> str:
        return self.paragraphs[0]


@dataclass(frozen=True)
class Feed:
    """A feed of an outlet; it shows the items whose number is in `numbers`."""

    outlet: Outlet
    path: str
    format: FeedFormat
    scope: str
    numbers: frozenset[int]

    @property
    def id(self) -> str:
        return f"outlet{self.outlet.number}{'-' + self.path.strip('/').replace('/', '-').replace('.xml', '')}"

    @property
    def url(self) -> str:
        return self.outlet.base + self.path


@dataclass
class Newsroom:
    """The world. `now` is its clock: items published later do not exist yet."""

    seed: int
    now: datetime
    outlets: list[Outlet]
    feeds: list[Feed]
    items: dict[int, Item] = field(default_factory=dict)
    _by_outlet: dict[int, list[Item]] = field(default_factory=dict)

    @classmethod
    def build(
        cls,
        *,
        seed: int = 1,
        feeds: int = 10,
        entries: int = 100,
        now: datetime,
        port: int = 8899,
        upcoming: int = 0,
        first_host: int = 10,
        host_names: str | None = None,
    ) -> "Newsroom":
        """Make a world with `feeds` feeds that together show `entries` items, and `upcoming` later ones.

        Every fifth feed is a second feed of an outlet and repeats half the items of the first. The upcoming items
        appear a minute apart when the clock is advanced. Outlets have loopback addresses, or with `host_names`, such
        as "outlet{}.example", names.
        """
        rng = random.Random(seed)
        outlets: list[Outlet] = []
        plan: list[tuple[Outlet, bool]] = []
        for number in range(feeds):
            second = number % 5 == 4
            if not second:
                language = "ar" if rng.random() < 0.7 else "en"
                place = len(outlets)
                name = f"{rng.choice(vocabulary.OUTLETS[language])} {place}"
                address = f"127.0.{(first_host + place) // 250}.{(first_host + place) % 250 + 1}"
                host = f"{host_names.format(place) if host_names else address}:{port}"
                outlets.append(Outlet(place, name, language, host, TEMPLATES[place % len(TEMPLATES)]))
            plan.append((outlets[-1], second))
        per_feed = [entries // feeds + (1 if number < entries % feeds else 0) for number in range(feeds)]
        world = cls(seed, now, outlets, [])
        writer = _Writer(rng)
        for number, (outlet, second) in enumerate(plan):
            repeated = [item for item in world.items.values() if item.outlet == outlet] if second else []
            shown = {item.number for item in repeated[: per_feed[number] // 2]}
            while len(shown) < per_feed[number]:
                age = timedelta(minutes=rng.randrange(10, 20 * 24 * 60))
                item = writer.write(len(world.items), outlet, now - age)
                world.items[item.number] = item
                shown.add(item.number)
            path = "/politics.xml" if second else f"/{('rss', 'atom', 'rdf')[number % 3]}.xml"
            kind: FeedFormat = ("rss", "atom", "rdf")[number % 3]
            scope = "general" if rng.random() < 0.4 else "topic"
            world.feeds.append(Feed(outlet, path, kind, scope, frozenset(shown)))
        for minute in range(upcoming):
            place = rng.randrange(len(world.feeds))
            feed = world.feeds[place]
            item = writer.write(len(world.items), feed.outlet, now + timedelta(minutes=minute + 1))
            world.items[item.number] = item
            world.feeds[place] = replace(feed, numbers=feed.numbers | {item.number})
        return world

    def advance(self, by: timedelta) -> None:
        """Move the clock; what is published meanwhile appears."""
        self.now += by

    def edit(self, number: int, title: str | None = None) -> Item:
        """Let the outlet change an article: one more paragraph, another title if given, the same address."""
        item = self.items[number]
        added = item.paragraphs[0].replace("{", "").rstrip(".") + f" ({item.revision + 2})."
        self.items[number] = replace(
            item, paragraphs=(*item.paragraphs, added), revision=item.revision + 1, title=title or item.title
        )
        return self.items[number]

    def reprint(self, item: Item, published_at: datetime) -> Item:
        """Let the first feed of another outlet show the same text; the new item is returned."""
        place = next(place for place, feed in enumerate(self.feeds) if feed.outlet != item.outlet)
        feed = self.feeds[place]
        copy = replace(item, number=len(self.items), outlet=feed.outlet, published_at=published_at)
        self.items[copy.number] = copy
        self.feeds[place] = replace(feed, numbers=feed.numbers | {copy.number})
        return copy

    def visible(self, feed: Feed) -> list[Item]:
        """The items a feed shows now, newest first."""
        items = (self.items[number] for number in feed.numbers)
        return sorted(
            (item for item in items if item.published_at <= self.now),
            key=lambda item: (item.published_at, item.number),
            reverse=True,
        )

    def of_outlet(self, outlet: Outlet) -> list[Item]:
        """All items of an outlet, those still to come too."""
        if sum(map(len, self._by_outlet.values())) != len(self.items):
            self._by_outlet.clear()
            for item in self.items.values():
                self._by_outlet.setdefault(item.outlet.number, []).append(item)
        return self._by_outlet[outlet.number]

    def published(self) -> Iterable[Item]:
        """All items that exist now."""
        return (item for item in self.items.values() if item.published_at <= self.now)

    def on_topic(self) -> list[Item]:
        """The items that belong into `articles`."""
        return [item for item in self.published() if item.on_topic]

    def feeds_yaml(self, poll_every: str = "10m") -> str:
        """A feeds.yaml for this world."""
        lines = [f"defaults: {{poll_every: {poll_every}, max_age: 30d}}", "feeds:"]
        lines += [
            f'  - {{id: {feed.id}, url: "{feed.url}", outlet: "{feed.outlet.name}", '
            f"language: {feed.outlet.language}, country: IQ, scope: {feed.scope}}}"
            for feed in self.feeds
        ]
        return "\n".join(lines) + "\n"


class _Writer:
    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._wires: dict[str, list[Item]] = {"ar": [], "en": []}

    def write(self, number: int, outlet: Outlet, published_at: datetime) -> Item:
        rng, language = self._rng, outlet.language
        if self._wires[language] and rng.random() < SHARE_WIRE:
            return self._reprint(number, outlet, published_at, rng.choice(self._wires[language]))
        on_topic = rng.random() < SHARE_ON_TOPIC
        if on_topic:
            subject = "withdrawal"
            title = rng.choice(vocabulary.ON_TOPIC_TITLES[language])
            sentences = vocabulary.ON_TOPIC[language]
        else:
            subject = rng.choice(sorted(vocabulary.OFF_TOPIC[language]))
            title = rng.choice(vocabulary.OFF_TOPIC_TITLES[language][subject])
            sentences = vocabulary.OFF_TOPIC[language][subject]
        # What it is about stands first, and here and there further down.
        paragraphs = [" ".join(rng.sample(sentences, k=rng.randint(2, 3)))]
        for _ in range(rng.randint(6, 17)):
            on_subject = rng.sample(sentences, k=int(rng.random() < SHARE_ON_SUBJECT))
            background = rng.choices(vocabulary.BACKGROUND[language], k=rng.randint(2, 3))
            paragraphs.append(" ".join(on_subject + background))
        item = Item(
            number=number,
            outlet=outlet,
            title=self._fill(title, language),
            paragraphs=tuple(self._fill(paragraph, language) for paragraph in paragraphs),
            author=rng.choice(vocabulary.SLOTS[language]["person"]),
            published_at=published_at.replace(second=0, microsecond=0),
            on_topic=on_topic,
            subject=subject,
        )
        if rng.random() < 0.3:
            self._wires[language].append(item)
        return item

    def _reprint(self, number: int, outlet: Outlet, published_at: datetime, wire: Item) -> Item:
        paragraphs = wire.paragraphs
        if self._rng.random() < 0.5:
            dateline = self._rng.choice(vocabulary.SLOTS[outlet.language]["place"])
            paragraphs = (f"{dateline} - {paragraphs[0]}", *paragraphs[1:-1])
        return replace(
            wire,
            number=number,
            outlet=outlet,
            paragraphs=paragraphs,
            published_at=published_at.replace(second=0, microsecond=0),
            wire=wire.number,
        )

    def _fill(self, sentence: str, language: str) -> str:
        words = vocabulary.SLOTS[language] | vocabulary.WORDS[language]
        return _SLOT.sub(lambda slot: self._rng.choice(words[slot[1]]), sentence)

"""Adding feeds to feeds.yaml: what stands in it stays, byte for byte."""

from pathlib import Path

import pytest

from ingest.config.errors import ConfigError
from ingest.config.feeds_edit import append_feeds, usable
from ingest.config.feeds_file import FeedConfig, load_feeds
from ingest.config.opml import Listed, read_opml, write_opml
from tests.conftest import ROOT

NEW = {"url": "https://new.example/rss", "outlet": 'شفق "نيوز" #1'}


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("feeds:\n  - https://a.example/\n", "feeds:\n  - https://a.example/\n  - NEW\n"),
        ("feeds:\n- https://a.example/", "feeds:\n- https://a.example/\n- NEW\n"),
        (
            "# list\nfeeds:\n    - id: a  # the first\n      url: https://a.example/\n\n# and then\n"
            "defaults: {max_age: 3d}\n",
            "# list\nfeeds:\n    - id: a  # the first\n      url: https://a.example/\n    - NEW\n\n# and then\n"
            "defaults: {max_age: 3d}\n",
        ),
        (
            "feeds:\n  - {id: a,\n     url: https://a.example/}\n  # the end\n",
            "feeds:\n  - {id: a,\n     url: https://a.example/}\n  - NEW\n  # the end\n",
        ),
    ],
)
def test_a_feed_is_appended_and_the_rest_stays(tmp_path: Path, before: str, after: str) -> None:
    path = tmp_path / "feeds.yaml"
    path.write_text(before, encoding="utf-8")
    path.chmod(0o640)
    (added,) = append_feeds(path, [NEW])
    assert (added.url, added.outlet) == (NEW["url"], NEW["outlet"])
    line = '{url: "https://new.example/rss", outlet: "شفق \\"نيوز\\" #1"}'
    assert path.read_text(encoding="utf-8") == after.replace("NEW", line)
    assert path.stat().st_mode & 0o777 == 0o640
    assert [file.name for file in tmp_path.iterdir()] == ["feeds.yaml"]


def test_the_projects_own_list_can_be_added_to(tmp_path: Path) -> None:
    path = tmp_path / "feeds.yaml"
    before = (ROOT / "feeds.yaml").read_text(encoding="utf-8")
    path.write_text(before, encoding="utf-8")
    append_feeds(path, [NEW])
    after = path.read_text(encoding="utf-8").splitlines()
    assert [line for line in after if "new.example" not in line] == before.splitlines()


@pytest.mark.parametrize(
    ("text", "added", "problem"),
    [
        ("feeds: [https://a.example/]\n", NEW, "feeds.yaml:1: write `feeds` as a list of lines"),
        ("feeds:\n  - https://new.example/rss\n", NEW, "feeds.yaml:3: .* is already used on line 2"),
        ("feeds:\n  - https://a.example/\n", NEW | {"language": "arabic"}, "feeds.yaml:3: language"),
        ("feeds:\n  - {url: https://a.example/, adress: x}\n", NEW, "feeds.yaml:2: unknown key 'adress'"),
    ],
)
def test_what_would_break_the_file_leaves_it_alone(
    tmp_path: Path, text: str, added: dict[str, str], problem: str
) -> None:
    path = tmp_path / "feeds.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=problem):
        append_feeds(path, [added])
    assert path.read_text() == text
    assert [file.name for file in tmp_path.iterdir()] == ["feeds.yaml"]


OPML = """<?xml version="1.0"?><opml version="1.1"><head><title>Mine</title></head><body>
<outline text="Iraq"><outline type="rss" text="A" title="Shafaq" xmlUrl="https://a.example/rss" language="ar-IQ"/>
<outline text="No feed" htmlUrl="https://x.example/"/></outline>
<outline text="B" XMLURL=" https://b.example/rss "/><outline text="again" xmlUrl="https://a.example/rss"/></body></opml>"""


def test_opml_of_other_readers_is_read() -> None:
    assert read_opml(OPML.encode(), "mine.opml") == [
        Listed(2, "https://a.example/rss", "Shafaq", "ar"),
        Listed(4, "https://b.example/rss", "B"),
    ]


@pytest.mark.parametrize(
    ("document", "problem"),
    [
        (b"feeds: []", "mine.opml: not an OPML document"),
        (b"<rss/>", "mine.opml: not an OPML document: its first element is <rss>"),
        (b"<opml><body><outline text='x'/></body></opml>", "mine.opml: lists no feed"),
    ],
)
def test_other_documents_are_named(document: bytes, problem: str) -> None:
    with pytest.raises(ConfigError, match=problem):
        read_opml(document, "mine.opml")


def test_entities_in_opml_stay_outside(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("the secret")
    bomb = f'<!DOCTYPE opml [<!ENTITY x SYSTEM "file://{secret}">]><opml><body><outline xmlUrl="https://a.example/">&x;'
    assert "the secret" not in str(read_opml(f"{bomb}</outline></body></opml>".encode(), "x"))


def test_what_is_exported_is_imported_again() -> None:
    feeds = load_feeds(ROOT / "feeds.yaml")
    assert [(each.url, each.outlet, each.language) for each in read_opml(write_opml(feeds), "x")] == [
        (feed.url, feed.outlet, feed.language) for feed in feeds
    ]


def test_damaged_opml_is_read_as_far_as_it_goes() -> None:
    document = b"""
<?xml version="1.0" encoding="UTF-16"?><opml><body><outline text="AT&T" xmlUrl="https://a.example/rss?a=1&b=2"/>
<outline text="feed" xmlUrl="feed://b.example/rss"/><outline xmlUrl="feed:https://c.example/rss"/><outline text="x"""
    assert [each.url for each in read_opml(document, "x")] == [
        "https://a.example/rss?a=1&b=2", "http://b.example/rss", "https://c.example/rss"
    ]  # fmt: skip


def test_usable_feeds_are_told_from_known_and_impossible_ones() -> None:
    present = [FeedConfig(url="https://known.example/rss")]
    addresses = [
        "http://www.known.example/rss/", "https://f.example/قسم/feed", "https://f.example/رياضة/feed", "mailto:x@y",
        "https://user:secret@b.example/rss", "https://c.example/" + "long/" * 30 + "a",
        "https://c.example/" + "long/" * 30 + "b",
    ]  # fmt: skip
    new, known, problems = usable(present, [Listed(line, url) for line, url in enumerate(addresses, 1)])
    assert known == 1
    assert [feed["url"] for feed in new] == [addresses[place] for place in (1, 2, 5, 6)]
    ids = {FeedConfig.model_validate(feed).id for feed in new}
    assert len(ids) == 4
    assert [line for line, _ in problems] == [4, 5]
    assert "secret@" not in str(problems)

"""Feed lists exchanged with other readers, as OPML 2.0 (opml.org/spec2.opml)."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from lxml import etree

from ingest.config.errors import ConfigError
from ingest.config.feeds_file import FeedConfig
from ingest.text.charset import decode
from ingest.text.references import with_sound_references

__all__ = ["Listed", "read_opml", "write_opml"]

_FEED_SCHEME = re.compile(r"^feed:(?:(?=https?:)()|//)", re.IGNORECASE)


@dataclass(frozen=True)
class Listed:
    """A feed in an OPML document: its line, its address, and the publisher and language if given."""

    line: int
    url: str
    outlet: str | None = None
    language: str | None = None


def read_opml(document: bytes, name: str) -> list[Listed]:
    """Return the feeds listed in an OPML document.

    Folders are flattened and duplicate addresses removed. Of a damaged document, what can be read is. Raises
    ConfigError that names the document.
    """
    text = with_sound_references(decode(document, None)).lstrip("\ufeff \t\r\n")
    if text.startswith("<?xml"):
        # It may name another encoding.
        text = text.partition("?>")[2]
    parser = etree.XMLParser(resolve_entities=False, no_network=True, recover=True)
    root = etree.fromstring(text.encode(errors="replace"), parser)
    if root is None:
        raise ConfigError(f"{name}: not an OPML document")
    if etree.QName(root).localname.lower() != "opml":
        raise ConfigError(f"{name}: not an OPML document: its first element is <{etree.QName(root).localname}>")
    found: dict[str, Listed] = {}
    for outline in root.iter("outline"):
        attributes = {key.lower(): value.strip() for key, value in outline.attrib.items()}
        # Some readers write the scheme of feeds (feed://, feed:https://).
        url = _FEED_SCHEME.sub(lambda scheme: "http://" if scheme[1] is None else "", attributes.get("xmlurl", ""))
        if not url:
            continue
        outlet = (attributes.get("title") or attributes.get("text") or "")[:200]
        language = re.match(r"[a-z]{2,3}\b", attributes.get("language", "").lower())
        found.setdefault(url, Listed(outline.sourceline or 0, url, outlet or None, language[0] if language else None))
    if not found:
        raise ConfigError(f"{name}: lists no feed (no outline with xmlUrl)")
    return list(found.values())


def write_opml(feeds: Iterable[FeedConfig]) -> bytes:
    """Return an OPML document in UTF-8 that lists the feeds."""
    root = etree.Element("opml", version="2.0")
    head = etree.SubElement(root, "head")
    etree.SubElement(head, "title").text = "Feeds"
    body = etree.SubElement(root, "body")
    for feed in feeds:
        attributes = {"type": "rss", "text": feed.outlet, "title": feed.outlet, "xmlUrl": feed.url}
        if feed.language:
            attributes["language"] = feed.language
        etree.SubElement(body, "outline", attributes)
    document: bytes = etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True)
    return document

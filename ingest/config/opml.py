"""Feed lists exchanged with other readers, as OPML 2.0 (opml.org/spec2.opml)."""

import re
from collections.abc import Iterable

from lxml import etree

from ingest.config.errors import ConfigError
from ingest.config.feeds_file import FeedConfig

__all__ = ["read_opml", "write_opml"]


def read_opml(document: bytes, name: str) -> list[dict[str, str]]:
    """Return the feeds listed in an OPML document: `url`, plus `outlet` and `language` if given.

    Folders are flattened and duplicate addresses removed. Raises ConfigError that names the document.
    """
    parser = etree.XMLParser(resolve_entities=False, no_network=True)
    try:
        root = etree.fromstring(document, parser)
    except etree.XMLSyntaxError as error:
        raise ConfigError(f"{name}:{error.lineno}: not an OPML document: {error.msg}") from error
    if etree.QName(root).localname.lower() != "opml":
        raise ConfigError(f"{name}: not an OPML document: its first element is <{etree.QName(root).localname}>")
    found: dict[str, dict[str, str]] = {}
    for outline in root.iter("outline"):
        attributes = {key.lower(): value.strip() for key, value in outline.attrib.items()}
        url = attributes.get("xmlurl")
        if not url:
            continue
        feed = {"url": url}
        outlet = attributes.get("title") or attributes.get("text")
        if outlet:
            feed["outlet"] = outlet[:200]
        language = re.match(r"[a-z]{2,3}\b", attributes.get("language", "").lower())
        if language:
            feed["language"] = language[0]
        found.setdefault(url, feed)
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

"""Make addresses absolute, recognise the same page, and name the host."""

import re
from urllib.parse import SplitResult, parse_qsl, unquote, urljoin, urlsplit, urlunsplit

from w3lib.url import canonicalize_url, safe_url_string, url_query_cleaner

__all__ = [
    "MAX_URL_LENGTH",
    "absolute_url",
    "canonical_url",
    "host_of",
    "page_address",
    "slug_words",
    "without_user_info",
]

# B-tree entries are at most 2,704 bytes, and the Sitemaps protocol allows 2,048 characters.
MAX_URL_LENGTH = 2048
# A link may be longer than its address, because of dots, user names and line breaks, but not by more than this.
MAX_LINK_LENGTH = 2 * MAX_URL_LENGTH
# With fewer words, a path names a section of the site, not an article.
MIN_SLUG_WORDS = 3

# Parameters that say how a reader arrived, never which page it is. This excludes id, sid, cid, ref, p and the like.
TRACKING_PARAMETERS = (
    "utm_source",
    "utm_medium",
    "utm_campaign",
    "utm_term",
    "utm_content",
    "utm_id",
    "utm_name",
    "utm_reader",
    "utm_brand",
    "utm_cid",
    "utm_social",
    "utm_pubreferrer",
    "utm_swu",
    "utm_viz_id",
    "fbclid",
    "gclid",
    "gclsrc",
    "dclid",
    "gbraid",
    "wbraid",
    "srsltid",
    "msclkid",
    "yclid",
    "twclid",
    "ttclid",
    "igshid",
    "mc_cid",
    "mc_eid",
    "_hsenc",
    "_hsmi",
    "mkt_tok",
    "vero_id",
    "oly_anon_id",
    "oly_enc_id",
    "wickedid",
    "at_medium",
    "at_campaign",
    "at_custom1",
    "at_custom2",
    "at_custom3",
    "at_custom4",
    "ns_mchannel",
    "ns_campaign",
    "ns_source",
    "ns_linkname",
    "ns_fee",
    "__twitter_impression",
    "spm",
    "s_cid",
)
_TRACKING = frozenset(TRACKING_PARAMETERS)


# Addresses in the usual form, which only need to be split. That takes a tenth of the time.
_PLAIN = re.compile(
    r"https?://(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,20}/([A-Za-z0-9._/-]*)(?:\?([A-Za-z0-9._=&-]*))?"
)
_PLAIN_PAIR = re.compile(r"([A-Za-z0-9._-]+)=([A-Za-z0-9._-]*)")
_MAX_PLAIN_LENGTH = 1000


def absolute_url(link: str, base: str) -> str | None:
    """Return `link` as an absolute http(s) address, as a browser would request it. None if it is not one.

    Percent-encodes spaces and non-ASCII characters (WHATWG URL) and resolves relative links against `base`. User names
    and passwords are removed, so no log or table shows them. Also returns None for links and addresses that are too
    long for the database.
    """
    if _is_plain(link):
        return link
    link = link.strip()
    # Before any work: splitting and escaping half a megabyte takes seconds.
    if max(len(link), len(base)) > MAX_LINK_LENGTH:
        return None
    try:
        url = without_user_info(safe_url_string(urljoin(base, link)))
        parts = urlsplit(url)
        port = parts.port
    except (ValueError, UnicodeError):
        return None
    if parts.scheme not in ("http", "https") or not parts.hostname or port == 0:
        return None
    # The canonical form escapes more characters, so it can be longer.
    return url if max(len(url), len(canonical_url(url))) <= MAX_URL_LENGTH else None


def canonical_url(url: str) -> str:
    """Return the canonical form of `url`, which identifies the page.

    Scheme and host in lower case, no default port, no user info, no fragment, no tracking parameters, parameters in
    order (RFC 3986, 6.2.2 and 6.2.3).
    """
    plain = _PLAIN.fullmatch(url) if _is_plain(url) else None
    if plain is not None and (canonical := _canonical_plain(url, plain[2])) is not None:
        return canonical
    cleaned = url_query_cleaner(url, TRACKING_PARAMETERS, remove=True, unique=False, keep_fragments=False)
    parts = urlsplit(canonicalize_url(cleaned))
    return urlunsplit((parts.scheme, _authority(parts), parts.path or "/", parts.query, ""))


def _is_plain(url: str) -> bool:
    return (
        len(url) <= _MAX_PLAIN_LENGTH and _PLAIN.fullmatch(url) is not None and "/." not in url and "//" not in url[8:]
    )


def _canonical_plain(url: str, query: str | None) -> str | None:
    """The canonical form of a plain address, or None if its parameters need a closer look."""
    if not query:
        return url.partition("?")[0]
    pairs = [_PLAIN_PAIR.fullmatch(pair) for pair in query.split("&")]
    if not all(pairs):
        return None
    kept = sorted((pair[1], pair[2]) for pair in pairs if pair and pair[1] not in _TRACKING)
    path = url.partition("?")[0]
    return f"{path}?{'&'.join(f'{name}={value}' for name, value in kept)}" if kept else path


def host_of(url: str) -> str:
    """Return the host of `url`, with the port unless it is the default: the unit of politeness and robots.txt."""
    return _authority(urlsplit(url))


# Mobile variants of the same pages: the first label of the host, and markers in paths.
_VARIANT_HOSTS = frozenset({"www", "m", "mobile", "wap", "amp"})
_VARIANT_PATHS = frozenset({"amp", "m", "mobile"})
# Parameters for how a page is shown or where a reader came from, besides those that are always removed.
_SHOWN = frozenset({"amp", "m", "mobile", "output", "outputtype", "view", "ref", "source", "src", "from"})
_IDS = frozenset({"p", "id", "post", "article", "articleid", "article_id", "newsid", "news_id", "nid", "aid", "story"})
_LANGUAGES = frozenset({"ar", "en", "ku", "ckb", "fa", "tr", "fr", "de", "es", "he", "ru"})
# A number of four digits or more that identifies an article and is not a year, month or day.
_NUMBER = re.compile(r"(?<!\d)(?!(?:19|20)\d{2,6}(?!\d)|\d{4}(?:19|20)\d\d(?!\d))\d{4,}(?!\d)")


def page_address(stated: str | None, url: str) -> str | None:
    """Return the canonical form of the address that the page at `url` states as its own (`rel=canonical`, RFC 6596).

    None if it states none, or one that cannot be right: on another site, a home page, or something else. Mobile
    variants of a page (AMP, m.example.org) state the address of the page itself. Some sites have a template error and
    state the same address on every page. So the stated address must share what identifies the article with the page's
    own, and must not drop anything that might.
    """
    address = absolute_url(stated, url) if stated else None
    if address is None:
        return None
    own, said = urlsplit(url), urlsplit(address)
    if _site(own) != _site(said) or not said.path.strip("/"):
        return None
    one, other = _segments(own.path), _segments(said.path)
    if [part for part in one if part in _LANGUAGES] != [part for part in other if part in _LANGUAGES]:
        return None
    given = dict(parse_qsl(said.query, keep_blank_values=True))
    asked = {
        name: value
        for name, value in parse_qsl(own.query, keep_blank_values=True)
        if name.lower() not in _SHOWN and name not in _TRACKING
    }
    dropped = {name.lower(): value for name, value in asked.items() if given.get(name) != value}
    # If articles are identified by number, the number may have moved into the path.
    moved = all(name in _IDS and _NUMBER.fullmatch(value) and value in other for name, value in dropped.items())
    if not moved:
        return None
    if dropped or one == other or _same_slug(one, other):
        return canonical_url(address)
    numbers = [set(_NUMBER.findall(parts[-1])) if parts else set() for parts in (one, other)]
    return canonical_url(address) if numbers[0] & numbers[1] else None


def _same_slug(one: list[str], other: list[str]) -> bool:
    """Whether two paths end in the same words, with the same dates before."""
    if not one or not other or one[-1] != other[-1]:
        return False
    words = re.sub(r"\.\w{2,5}$", "", one[-1])
    dates = [re.findall(r"\d+", "/".join(parts[:-1])) for parts in (one, other)]
    return ("-" in words or not words.isascii()) and dates[0] == dates[1]


def _site(parts: SplitResult) -> str:
    """The host and port, without host labels that only mark a variant."""
    labels = _authority(parts).split(".")
    while len(labels) > 2 and labels[0] in _VARIANT_HOSTS:
        labels = labels[1:]
    return ".".join(labels)


def _segments(path: str) -> list[str]:
    """The parts of a path, without those that mark a variant."""
    parts = [unquote(part) for part in path.split("/") if part]
    return [re.sub(r"\.amp(?=$|\.)", "", part) for part in parts if part.lower() not in _VARIANT_PATHS]


def slug_words(url: str) -> str | None:
    """Return the words in the path of an article's address, or None if there are none (only a number, for example)."""
    path = re.sub(r"\.\w{2,5}$", "", unquote(urlsplit(url).path))
    words = re.findall(r"[^\W\d_]{2,}", path)
    return " ".join(words) if len(words) >= MIN_SLUG_WORDS else None


def without_user_info(url: str) -> str:
    """Return `url` without user name and password, safe to log."""
    return re.sub(r"(?<=//)[^/?#@]*@", "", url)


def _authority(parts: SplitResult) -> str:
    host = (parts.hostname or "").lower()
    if ":" in host:
        host = f"[{host}]"
    default = {"http": 80, "https": 443}.get(parts.scheme)
    return f"{host}:{parts.port}" if parts.port not in (None, default) else host

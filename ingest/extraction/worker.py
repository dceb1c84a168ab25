"""The work of a worker process on a stored page. It loads no database code."""

from itertools import count

from ingest.model.document import Document, Hint
from ingest.runtime.compression import decompress

__all__ = ["extract_page"]

# The caches of the libraries hold parts of pages; what they keep of these many is forgotten at once.
PAGES_PER_CACHE = 200
# Pages that one worker process has had since it last emptied its caches.
_seen = count(1)


def extract_page(body: bytes, url: str, content_type: str | None, hint: Hint) -> Document:
    """Return the article in a stored page. For use in a worker process. Raises NotAnArticle."""
    # Here, as the process that hands out pages needs none of what this loads.
    from ingest.extraction import article

    if next(_seen) % PAGES_PER_CACHE == 0:
        article.empty_caches()
    return article.extract(decompress(body), url, content_type, hint)

"""The work of a worker process on a stored page. It loads no database code."""

from itertools import count

from ingest.model.document import Document, Hint
from ingest.runtime.compression import decompress

__all__ = ["extract_page"]

# The libraries' caches hold parts of pages. They are emptied after this many pages.
PAGES_PER_CACHE = 200
# Pages handled by this worker process since it last emptied its caches.
_seen = count(1)


def extract_page(body: bytes, url: str, content_type: str | None, hint: Hint) -> Document:
    """Return the article in a stored page. For use in a worker process. Raises NotAnArticle."""
    # Imported here, because the process that hands out pages does not need it.
    from ingest.extraction import article

    if next(_seen) % PAGES_PER_CACHE == 0:
        article.empty_caches()
    return article.extract(decompress(body), url, content_type, hint)

"""Extracts pages with newspaper4k or news-please, for bench.rivals, in an environment that has them and not us.

Reads one line of JSON per page (`url`, `html`) from standard input and answers each with one (`text`, `title`, `date`,
`cpu_ns`).
"""

import json
import sys
import time
import warnings
from collections.abc import Callable
from datetime import datetime

warnings.filterwarnings("ignore")

# Text, title, date of publication.
Found = tuple[str | None, str | None, datetime | None]


def with_newspaper(html: str, url: str) -> Found:
    from newspaper import Article

    article = Article(url=url, fetch_images=False)
    article.download(input_html=html)
    article.parse()
    return article.text, article.title, article.publish_date


def with_news_please(html: str, url: str) -> Found:
    from newsplease import NewsPlease

    article = NewsPlease.from_html(html, url=url, fetch_images=False)
    return article.maintext, article.title, article.date_publish


EXTRACTORS: dict[str, Callable[[str, str], Found]] = {
    "newspaper4k": with_newspaper,
    "news-please": with_news_please,
}


def main() -> None:
    answers, sys.stdout = sys.stdout, sys.stderr
    extractors: dict[str, Callable[[str, str], Found]] = {
        "newspaper4k": with_newspaper,
        "news-please": with_news_please,
    }
    extract = extractors[sys.argv[1]]
    for line in sys.stdin:
        page = json.loads(line)
        started = time.process_time_ns()
        try:
            found = extract(page["html"], page["url"] or "http://unknown.example/")
        except Exception as error:  # noqa: BLE001 - what it cannot read counts as nothing found
            print(f"{sys.argv[1]}: {type(error).__name__}: {error}", file=sys.stderr)
            found = (None, None, None)
        taken = time.process_time_ns() - started
        text, title, date = found
        day = f"{date:%Y-%m-%d}" if date else None
        answers.write(json.dumps({"text": text, "title": title, "date": day, "cpu_ns": taken}) + "\n")
        answers.flush()


main()

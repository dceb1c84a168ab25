"""The tables `lexicon`, `words` and `analysis`: what articles are found by.

`Words` makes the search vectors of articles that land. It analyses Arabic words (`ingest.text.arabic`) and has the
server stem English ones, and writes down each word with its analysis, by which the server then analyses queries.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from itertools import chain, islice, repeat
from typing import LiteralString, NamedTuple

from psycopg.rows import class_row

from db import Connection, SchemaMismatch
from db.rows import only_value
from ingest.text.arabic import Analyser, Lexicon, shared_analyser, version_of
from ingest.text.words import words_of

__all__ = ["SplitText", "Vector", "Words", "bring_over", "load_lexicon", "split", "to_bring_over"]

# As in `news.search_vector`: how much of title and text counts, the letters of a word, and the highest position.
TITLE_CHARACTERS, TEXT_CHARACTERS, WORD_LETTERS, LAST_PLACE = 2000, 100_000, 100, 16_383
PLACES = tuple(map(str, range(1, LAST_PLACE + 1)))
TITLE_PLACES = tuple(f"{place}A" for place in PLACES[:TITLE_CHARACTERS])
# Words remembered, so that the server is not told twice. News repeats its words.
REMEMBERED = 400_000
# Articles that are analysed anew in one transaction.
BATCH = 200


class SplitText(NamedTuple):
    """The words of an article, in their order."""

    title: list[str]
    body: list[str]


class Words:
    """Makes search vectors, for one database: it remembers which words that one knows."""

    def __init__(self, analyser: Analyser | None = None) -> None:
        self._analyser = analyser or shared_analyser()
        self._known: dict[str, tuple[str, ...]] = {}

    def check(self, connection: Connection) -> None:
        """Load the lexicon into a new database. Raises SchemaMismatch if the database has another one. Commits."""
        version = only_value(connection, "SELECT version FROM news.analysis")
        connection.commit()
        if version == "":
            load_lexicon(connection, self._analyser.lexicon)
        elif version != version_of(self._analyser.lexicon):
            raise SchemaMismatch(
                "the words of this database were analysed with another lexicon than this program has: "
                "run `ingest db upgrade`"
            )

    def vectors(self, connection: Connection, texts: Sequence[SplitText]) -> list["Vector"]:
        """Return the search vector of each text, good until the next call.

        Words that are new are written down and committed first, so that landing does not hold them.
        """
        self._learn(connection, {word for text in texts for word in (*text.title, *text.body)})
        return [Vector(text, self._known) for text in texts]

    def _learn(self, connection: Connection, words: set[str]) -> None:
        new = sorted(words - self._known.keys())
        if not new:
            return
        if len(self._known) + len(new) > REMEMBERED:
            self._known.clear()
            new = sorted(words)
        rows = connection.execute(
            "SELECT word, array_to_string(lemmas, ' ') FROM news.words WHERE word = ANY(%s)", [new]
        ).fetchall()
        self._known |= {word: tuple(lemmas.split()) for word, lemmas in rows}
        new = [word for word in new if word not in self._known]
        analysed = {word: self._analyser.analyse(word).lemmas for word in new if self._analyser.knows(word)}
        stemmed = [word for word in new if word not in analysed]
        if stemmed:
            rows = connection.execute(
                "SELECT word, ts_lexize('english_stem', word) FROM unnest(%s::text[]) AS word", [stemmed]
            ).fetchall()
            analysed |= {word: tuple(lemmas or ()) for word, lemmas in rows}
        if new:
            # In this order everywhere, so that two sessions never wait for each other.
            _insert(connection, new, analysed)
        connection.commit()
        self._known |= analysed


def _insert(connection: Connection, new: list[str], analysed: dict[str, tuple[str, ...]]) -> None:
    connection.execute(
        "INSERT INTO news.words (word, lemmas) SELECT word, string_to_array(lemmas, ' ')"
        " FROM unnest(%s::text[], %s::text[]) AS new (word, lemmas) ON CONFLICT DO NOTHING",
        [new, [" ".join(analysed[word]) for word in new]],
    )


def split(title: str | None, body: str, spelled: str | None = None) -> SplitText:
    """Return the words of a title and of a text. Give `spelled` if the text has been spelled already."""
    if len(body) > TEXT_CHARACTERS:
        body, spelled = body[:TEXT_CHARACTERS], None
    return SplitText(words_of((title or "")[:TITLE_CHARACTERS]), words_of(body, spelled))


@dataclass(frozen=True)
class Vector:
    """The search vector of an article, from its words and what is `known` of them. It is worked out when asked for."""

    text: SplitText
    known: Mapping[str, tuple[str, ...]]

    @cached_property
    def written(self) -> str:
        """The vector as text that PostgreSQL reads as a tsvector."""
        return _vector(self.text, self.known)


def _vector(text: SplitText, known: Mapping[str, tuple[str, ...]]) -> str:
    places: dict[str, list[str]] = defaultdict(list)
    for word, place in zip(text.title, TITLE_PLACES, strict=False):
        places[word].append(place)
    for word, place in zip(text.body, chain(islice(PLACES, len(text.title), None), repeat(PLACES[-1])), strict=False):
        places[word].append(place)
    # The lexemes consist of letters and digits, and need no quotes. PostgreSQL puts positions in order.
    lemmas: dict[str, str] = {}
    pieces = []
    for word, found in places.items():
        if len(word) <= WORD_LETTERS:
            listed = ",".join(found)
            pieces.append(f"={word}:{listed}")
            for lemma in known[word]:
                lemmas[lemma] = f"{lemmas[lemma]},{listed}" if lemma in lemmas else listed
    pieces += [f"{lemma}:{listed}" for lemma, listed in lemmas.items()]
    return " ".join(pieces)


def load_lexicon(connection: Connection, lexicon: Lexicon) -> bool:
    """Put the lexicon into the database, and forget the analyses of another one. Commits.

    Returns whether the database had another one.
    """
    version = version_of(lexicon)
    with connection.transaction():
        if only_value(connection, "SELECT version FROM news.analysis FOR UPDATE") == version:
            return False
        connection.execute("DELETE FROM news.lexicon")
        connection.execute("DELETE FROM news.words")
        with connection.cursor().copy("COPY news.lexicon (key, spelling, kind, lemma, wider, cost) FROM STDIN") as copy:
            for form in lexicon.forms:
                copy.write_row((form.key, form.spelling, form.kind, form.lemma, form.wider, form.cost))
        connection.execute(
            "UPDATE news.analysis SET version = %s, done_to = 0,"
            " until = (SELECT coalesce(max(id), 0) FROM news.articles)",
            [version],
        )
    connection.commit()
    connection.execute("ANALYZE news.lexicon")
    connection.commit()
    return True


def to_bring_over(connection: Connection) -> int:
    """Return how many articles still have the analysis of another lexicon."""
    query: LiteralString = "SELECT count(*) FROM news.articles a, news.analysis WHERE a.id > done_to AND a.id <= until"
    return int(only_value(connection, query))


def bring_over(connection: Connection, on_progress: Callable[[int], None]) -> int:
    """Analyse all articles from before the present lexicon, and return how many. Commits each batch.

    What was done stays done if it is stopped, and several may do it at once. While the server stores a batch, a thread
    splits the next one.
    """
    words = Words()
    total = 0
    with ThreadPoolExecutor(1, "split") as thread:
        following = _begin(connection, thread, 0)
        while following:
            rows, split_texts = following
            following = _begin(connection, thread, rows[-1].id)
            vectors = words.vectors(connection, split_texts.result())
            _store(connection, rows, vectors)
            total += len(rows)
            on_progress(total)
    return total


class _Stored(NamedTuple):
    """An article: its id, the version of its row, and what its vector is made of."""

    id: int
    version: str
    title: str | None
    text: str


def _begin(
    connection: Connection, thread: Executor, after: int
) -> tuple[list[_Stored], Future[list[SplitText]]] | None:
    """Read a batch of articles behind `after` and have `thread` split them. Returns None if none is left."""
    with connection.cursor(row_factory=class_row(_Stored)) as cursor:
        rows = cursor.execute(
            "SELECT a.id, a.xmin::text AS version, a.title, left(a.text, %s) AS text FROM news.articles a"
            " WHERE a.id > greatest(%s, (SELECT done_to FROM news.analysis))"
            " AND a.id <= (SELECT until FROM news.analysis) ORDER BY a.id LIMIT %s",
            [TEXT_CHARACTERS, after, BATCH],
        ).fetchall()
    connection.commit()
    return (rows, thread.submit(lambda: [split(row.title, row.text) for row in rows])) if rows else None


def _store(connection: Connection, rows: Sequence[_Stored], vectors: Sequence[Vector]) -> None:
    # With more memory, the index takes in what is new in fewer passes.
    connection.execute("SET LOCAL work_mem = '256MB'")
    # An article that was changed meanwhile has its new vector from whoever changed it.
    connection.execute(
        "UPDATE news.articles a SET search = new.search::tsvector"
        " FROM unnest(%s::bigint[], %s::text[], %s::text[]) AS new (id, version, search)"
        " WHERE a.id = new.id AND a.xmin::text = new.version",
        [[row.id for row in rows], [row.version for row in rows], [vector.written for vector in vectors]],
    )
    # Unless another session has come further meanwhile.
    connection.execute("UPDATE news.analysis SET done_to = %s WHERE done_to < %s", [rows[-1].id, rows[-1].id])
    connection.commit()

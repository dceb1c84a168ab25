"""What landing works out about each document before it asks the database: its topics, content hash and words."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from ingest.landing.failures import Failed, after_error
from ingest.model.status import Status
from ingest.store.articles import Landing
from ingest.store.documents import Landable
from ingest.store.words import split
from ingest.text.folding import identity_of_folded, spell_sentences, unify, words_of_folded
from ingest.topics.topics import TopicSet

__all__ = ["Judged", "judge"]

# Limit for a document and for a batch: longer than any article and most books. Judging and comparing takes seconds.
MOST_CHARACTERS = 2_000_000


@dataclass
class Judged:
    """A batch of documents, judged: those that may land, those that failed, and the entries `left` for another batch.

    `attempts` has how often each entry has failed before.
    """

    attempts: Mapping[int, int]
    failed: list[Failed]
    landings: list[Landing] = field(default_factory=list)
    left: list[int] = field(default_factory=list)


def judge(
    documents: Sequence[Landable],
    attempts: Mapping[int, int],
    failed: Sequence[Failed],
    topics: TopicSet,
    stopping: Callable[[], bool],
) -> Judged:
    """Judge a batch of documents, until it has `MOST_CHARACTERS` or until `stopping`. `failed` have failed already."""
    judged = Judged(attempts, list(failed))
    characters = 0
    for number, document in enumerate(documents):
        if stopping() or characters >= MOST_CHARACTERS:
            judged.left = [left.entry_id for left in documents[number:]]
            break
        if len(document.text) > MOST_CHARACTERS:
            why = f"a text of more than {MOST_CHARACTERS:,} characters"
            judged.failed.append(Failed(document.entry_id, why, Status.REJECTED))
            continue
        characters += len(document.text)
        try:
            judged.landings.append(_landing(document, topics))
        except Exception as error:  # noqa: BLE001 - whatever a text makes the rules raise is that text's failure
            judged.failed.append(after_error(document.entry_id, attempts[document.entry_id], error))
    return judged


def _landing(document: Landable, topics: TopicSet) -> Landing:
    sentences = spell_sentences(document.text)
    spelled = " ".join(sentences)
    folded = unify(spelled)
    found = topics.judge(document.title, sentences, document.text, document.country)
    about = [match for match in found if match.degree == "about"]
    return Landing(
        document,
        folded,
        identity_of_folded(folded).content_hash,
        words_of_folded(folded),
        about,
        mention=found[0] if found and not about else None,
        words=split(document.title, document.text, spelled) if about else None,
    )

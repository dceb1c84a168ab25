"""The Arabic analyser: from a word as it is written to the word it is a form of (its lemma).

Pure. `spelling` says when two spellings are the same word, `affixes` what is written together with words, `lexicon`
which words there are, and `analysis` chooses the likeliest reading. `compile` makes the list of forms anew.
PostgreSQL has the same analyser, as `news.readings(word)` (`db/sql/words.sql`), over the same lexicon.
"""

from ingest.text.arabic.analysis import Analyser, Analysis, Reading, shared_analyser
from ingest.text.arabic.lexicon import Form, Lexicon, LexiconError, read_lexicon
from ingest.text.arabic.sql import version_of

__all__ = [
    "Analyser",
    "Analysis",
    "Form",
    "Lexicon",
    "LexiconError",
    "Reading",
    "read_lexicon",
    "shared_analyser",
    "version_of",
]

"""Makes `forms.tsv` anew: the forms of Arabic words, and how frequent they are.

    python -m ingest.text.arabic.compile

The forms come from the dictionary of simplemma (from Wiktionary, by way of Kaikki, and UniMorph), the counts from the
frequency list of pyspellchecker (from the subtitles of OpenSubtitles). Both are needed here alone. A form is left out
if the rules of `affixes` find its lemma without it, or if the frequency list has neither it nor its lemma. Words of the
frequency list that would be read as forms of rarer words are kept as they are, so that no particle is taken off a name.
"""

import gzip
import json
import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from importlib.resources import files
from pathlib import Path

from ingest.text.arabic import affixes
from ingest.text.arabic.analysis import Analyser, Reading
from ingest.text.arabic.lexicon import COUNTED, FOLDER, Form, Lexicon, forms_by_hand, overridden
from ingest.text.arabic.spelling import is_arabic, key
from ingest.text.folding import spell

__all__ = ["make"]

HEADER = """\
# Forms of Arabic words: spelling, kind, lemma (if it is another), cost (-100 ln of its share of all words).
# Written by `python -m ingest.text.arabic.compile` from two sources: the dictionary of simplemma (Wiktionary, UniMorph;
# CC BY-SA 4.0) and the frequency list of pyspellchecker (FrequencyWords, from OpenSubtitles; CC BY-SA 4.0).
# This file is available under CC BY-SA 4.0: https://creativecommons.org/licenses/by-sa/4.0/
"""
# A form in the dictionary counts as if it had been seen so often, one in the frequency list alone needs so many.
LEAST_COUNT, LEAST_SEEN = 3, 5
# How often a word occurs, and what share of that with the article, if it is a noun.
LEAST_NOUN, LEAST_DEFINITE = 10, 0.02
# What a word of the frequency list costs more that no dictionary has: it may be a form, and mostly is.
SEEN_ONLY = 160
# What it costs more to be a word of its own, for one that the dictionary has without saying what it is.
LISTED_ONLY = 500
_ARTICLES = tuple(sorted((p.letters for p in affixes.PREFIXES if p.definite), key=lambda letters: -len(letters)))
_PLURALS = ("ات", "ون", "ين")
_WEAK = frozenset("اوىيآأإ")


class _Sources:
    def __init__(self, forms: Mapping[str, str], counts: Mapping[str, int], whole: Set[str] = frozenset()) -> None:
        """Read both sources. Words in `whole` have no article, though they begin like one: الذي, الله, التقى."""
        self.lemmas: dict[str, str] = {}
        for form, lemma in forms.items():
            spelled = spell(form)
            if " " not in spelled and is_arabic(spelled) and is_arabic(spell(lemma)):
                self.lemmas.setdefault(spelled, spell(lemma))
        # Some plurals are listed with the article alone.
        for form, lemma in list(self.lemmas.items()):
            bare = _bare(form)
            if bare != form and _bare(lemma)[:1] == lemma[:1]:
                del self.lemmas[form]
                if self.lemmas.get(bare, bare) == bare:
                    self.lemmas[bare] = lemma
        self.counts: Counter[str] = Counter()
        for word, number in counts.items():
            spelled = spell(word)
            if " " not in spelled and is_arabic(spelled):
                self.counts[spelled] += number
        self.total = sum(self.counts.values())
        self.inflected = {lemma for form, lemma in self.lemmas.items() if form != lemma}
        self.verbs = {
            lemma for form, lemma in self.lemmas.items() if form[0] == "ي" and lemma[0] != "ي" and len(lemma) > 2
        }
        # A form of a form: دولا is one of دول, and that one of دولة.
        for form, lemma in self.lemmas.items():
            further = self.lemmas.get(lemma, lemma)
            if further not in (lemma, form) and not {lemma, further} & self.verbs:
                self.lemmas[form] = further
        # Plurals in -at are of the feminine, where there is one: مستوطنات of مستوطنة, not of مستوطن.
        for form in [form for form in self.lemmas if form.endswith("ات")]:
            feminine = form[:-2] + "ة"
            if self.lemmas.get(feminine) == feminine:
                self.lemmas[form] = feminine
        # Forms with their article and conjunctions counted in.
        self.all_counts: Counter[str] = Counter()
        for word, number in self.counts.items():
            self.all_counts[word if word in whole else _bare(word)] += number

    def cost(self, number: int) -> int:
        return round(100 * math.log(self.total / max(number, LEAST_COUNT)))

    def is_noun(self, word: str) -> bool:
        """Return whether a word takes the article often enough to be a noun, or is one by the dictionary."""
        # Verbs in the imperfect are listed as their own lemma where the dictionary does not know it.
        listed = self.lemmas.get(word) == word and word[0] not in "يتن" and len(word) > 3
        return listed or self.is_definite(word)

    def is_definite(self, word: str) -> bool:
        """Return whether a word is frequent, and takes the article now and then."""
        definite = self.counts["ال" + word] >= LEAST_DEFINITE * self.all_counts[word]
        return definite and self.all_counts[word] >= LEAST_NOUN and len(word) > 1

    def unknown_verbs(self) -> Iterable[str]:
        """Yield words of the dictionary that it does not say to be verbs, but that occur in the imperfect."""
        for lemma in sorted(set(self.lemmas.values()) - self.verbs):
            seldom_definite = self.counts["ال" + lemma] < LEAST_DEFINITE * self.all_counts[lemma]
            may_be = lemma[0] not in "يتن" and not lemma.endswith(("وا", "ت", "نا"))
            if self.all_counts[lemma] >= LEAST_NOUN and may_be and seldom_definite:
                # In forms that the dictionary does not give to another one.
                forms = ["ي" + stem for stem in _regular_imperfects(lemma)]
                if any(self.counts[form] >= LEAST_NOUN and self.lemmas.get(form, form) == form for form in forms):
                    yield lemma

    def form(self, spelling: str, kind: str, lemma: str, number: int | None = None) -> Form:
        return Form(spelling, kind, lemma, self.cost(self.all_counts[spelling] if number is None else number))


def _bare(word: str) -> str:
    for article in _ARTICLES:
        if word.startswith(article) and len(word) > len(article) + 1:
            return word.removeprefix(article)
    return word


def compile_forms(sources: _Sources, by_hand: Sequence[Form]) -> list[Form]:
    """Return the forms of the file, without those the others explain."""
    known = overridden(by_hand)
    function_words = {form.lemma for form in by_hand if form.kind in affixes.PARTICLE + affixes.PREPOSITION}
    for form in [form for form, lemma in sources.lemmas.items() if lemma in function_words]:
        del sources.lemmas[form]
    kept = [form for form in _lemmas(sources) if (form.spelling, form.kind) not in known]
    kept += by_hand
    kept = _unless_explained(kept, [form for form in _forms(sources) if (form.spelling, form.kind) not in known])
    seen = [
        Form(word, affixes.SEEN, word, sources.cost(number) + SEEN_ONLY)
        for word, number in sources.all_counts.items()
        if number >= LEAST_SEEN and len(word) > 1 and (word, affixes.SEEN) not in known
    ]
    nouns = [
        sources.form(word, affixes.NOUN, word)
        for word in sorted(sources.all_counts.keys() | sources.lemmas.keys())
        if sources.is_noun(word)
    ]
    # Plurals are looked at when the singulars are there.
    for plural in (False, True):
        some = [form for form in nouns if (form.spelling, form.kind) not in known]
        some = [form for form in some if form.spelling.endswith(_PLURALS) is plural]
        some = _unexplained(kept, some, lambda word: SEEN_ONLY if sources.is_definite(word) else LISTED_ONLY)
        kept += _spelled_once(some, {form.spelling for form in kept} | sources.lemmas.keys(), kept)
    kept += _spelled_once(_misread(kept, seen), set(), [])
    counted = {sources.form(form.spelling, COUNTED, "") for form in by_hand if sources.all_counts[form.spelling]}
    kept = [form for form in kept if form not in by_hand]
    return sorted({*kept, *counted}, key=lambda form: (form.spelling, form.kind, form.lemma))


def _lemmas(sources: _Sources) -> Iterable[Form]:
    """Yield the lemmas that occur, in any form, verbs with their imperfect."""
    occurs: Counter[str] = Counter()
    imperfects: dict[tuple[str, str], int] = defaultdict(int)
    for form, lemma in sources.lemmas.items():
        occurs[lemma] += sources.all_counts[form]
        if lemma in sources.verbs and form[0] == "ي" and len(form) > 2:
            imperfects[form[1:], lemma] += 0
    for lemma in sources.inflected:
        if not occurs[lemma] or len(lemma) < 2 or sources.lemmas.get(lemma, lemma) != lemma:
            continue
        if lemma in sources.verbs:
            passive = _hollow_passive(lemma)
            yield from (
                sources.form(form, affixes.VERB, lemma) for form in (lemma, passive) if sources.all_counts[form]
            )
            for stem in _regular_imperfects(lemma):
                imperfects[stem, lemma] += 0
            if sources.is_noun(lemma):
                yield sources.form(lemma, affixes.NOUN, lemma)
        else:
            yield sources.form(lemma, affixes.NOUN, lemma)
    for lemma in sources.unknown_verbs():
        yield sources.form(lemma, affixes.VERB, lemma)
        for stem in _regular_imperfects(lemma):
            imperfects[stem, lemma] += 0
    for stem, lemma in imperfects:
        number = sum(sources.counts[person + stem] for person in "يتن")
        if number:
            yield Form(stem, affixes.IMPERFECT, lemma, sources.cost(number))


def _regular_imperfects(lemma: str) -> Iterable[str]:
    """Yield the imperfect of a verb without weak letters, without its first letter: of forms I to X.

    A weak letter in front stays in the forms II and III: يوافق.
    """
    if (len(lemma) >= 5 and lemma[0] == "ا") or (len(lemma) == 4 and lemma[0] == "أ"):
        yield lemma[1:]
    elif lemma[-1] not in _WEAK and not (len(lemma) == 3 and _WEAK & set(lemma)):
        yield lemma


def _hollow_passive(lemma: str) -> str:
    """Return the passive of a verb of the forms IV, VIII or X whose middle letter is weak: أصيب of أصاب."""
    return lemma[:-2] + "ي" + lemma[-1] if len(lemma) > 3 and lemma[-2] == "ا" and lemma[0] in "أا" else ""


def _forms(sources: _Sources) -> Iterable[Form]:
    """Yield the forms of lemmas that are not imperfects, as far as the frequency list has them."""
    for form, lemma in sources.lemmas.items():
        if form == lemma or len(form) < 2 or not sources.all_counts[form]:
            continue
        if _is_broken_plural(form) and sources.is_noun(lemma) and sources.is_noun(form):
            # A plural of the noun, which is spelled like a verb: أطواق of طوق.
            yield sources.form(form, affixes.PLURAL, lemma)
        elif _is_verbal_noun(form, lemma) or (lemma in sources.verbs and (form[0] == "م" or sources.is_noun(form))):
            # Participles and verbal nouns are words of their own.
            yield sources.form(form, affixes.NOUN, form)
        elif lemma not in sources.verbs:
            yield sources.form(form, affixes.PLURAL, lemma)
        elif form[0] not in "يتنأ":
            yield sources.form(form, affixes.AS_IT_IS, lemma)


def _is_broken_plural(form: str) -> bool:
    """Return whether a form has the shape of a plural (أفعال, فواعل, فعائل) that verbal nouns do not have."""
    return len(form) > 4 and (form[0] == "أ" or form[1:3] == "وا" or "ائ" in form[2:4])


def _is_verbal_noun(form: str, lemma: str) -> bool:
    """Return whether a form is the verbal noun of a verb of the forms IV, VII, VIII or X: انسحاب of انسحب.

    That of a verb with a weak letter within ends in ta marbuta (استقالة of استقال), with one at its end in a hamza
    (إنهاء of أنهى).
    """
    weak = lemma + "ة" if lemma[-2:-1] == "ا" else lemma[:-1] + "اء" if lemma[-1] == "ى" else ""
    nouns = (lemma[:-1] + "ا" + lemma[-1], weak)
    return len(lemma) > 3 and key(form) in map(key, nouns)


def _best(basis: list[Form], forms: list[Form]) -> dict[Form, Reading]:
    analyser = Analyser(Lexicon(basis))
    return {form: analyser.readings(form.spelling)[0] for form in forms}


def _unless_explained(basis: list[Form], forms: list[Form]) -> list[Form]:
    """Return the basis and those of the forms for which it finds another lemma, or none, or at a higher cost."""
    best = _best(basis, forms)
    return [
        *basis,
        *(form for form in forms if best[form].lemma != form.lemma or best[form].cost > form.cost + SEEN_ONLY),
    ]


def _unexplained(basis: list[Form], nouns: list[Form], margin: Callable[[str], int]) -> list[Form]:
    """Return the nouns that the basis does not explain as forms of others, or at a cost higher by that margin."""
    best = _best(basis, nouns)
    return [form for form in nouns if not best[form].known or best[form].cost > form.cost + margin(form.spelling)]


def _is_future(reading: Reading) -> bool:
    return len(reading.prefix) > 1 and reading.prefix[-2] == "س"


def _misread(basis: list[Form], seen: list[Form]) -> list[Form]:
    """Return the words that would be read as forms of others, though they occur more often than these would explain.

    Other spellings of such words come with them. Words that the basis does not explain at all need no entry.
    """
    best = _best(basis, seen)
    # Nothing but a future begins as one: films speak of the future more than other texts.
    allowed = {form: form.cost + (LISTED_ONLY if _is_future(best[form]) else 0) for form in seen}
    misread = {form.key for form in seen if best[form].known and best[form].cost > allowed[form]}
    explained = {form for form in seen if best[form].known and best[form].cost <= allowed[form]}
    return [form for form in seen if form.key in misread and form not in explained]


def _spelled_once(words: list[Form], right: Set[str], basis: list[Form]) -> list[Form]:
    """Return the words, each with the most frequent spelling of it, in the basis too, as its lemma.

    Spellings that are `right` are words of their own.
    """
    best: dict[str, Form] = {}
    for form in (*basis, *words):
        if (form.spelling == form.lemma and form.cost < best.get(form.key, form).cost) or form.key not in best:
            best[form.key] = form
    return [
        Form(form.spelling, form.kind, form.spelling if form.spelling in right else best[form.key].lemma, form.cost)
        for form in words
    ]


def make(path: Path) -> None:
    """Write the file of forms to `path`."""
    from simplemma.strategies.dictionaries.dictionary_factory import DefaultDictionaryFactory

    packed = files("spellchecker").joinpath("resources", "ar.json.gz").read_bytes()
    whole = {form.spelling for form in forms_by_hand({}) if _bare(form.spelling) != form.spelling}
    dictionary = dict(DefaultDictionaryFactory().get_dictionary("ar"))
    sources = _Sources(dictionary, json.loads(gzip.decompress(packed)), whole)
    counted = {word: sources.cost(number) for word, number in sources.all_counts.items()}
    by_hand = [form for form in forms_by_hand(counted) if is_arabic(form.spelling)]
    _write(compile_forms(sources, by_hand), path)


def _write(forms: list[Form], path: Path) -> None:
    lines = (
        f"{form.spelling}\t{form.kind}\t{'' if form.lemma == form.spelling else form.lemma}\t{form.cost}\n"
        for form in forms
    )
    path.write_text(HEADER + "".join(lines), encoding="utf-8")


if __name__ == "__main__":
    make(FOLDER / "forms.tsv")

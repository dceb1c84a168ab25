"""What is written together with Arabic words: particles in front, endings and pronouns behind.

Each combination says which kinds of words take it and what it costs: minus the logarithm of how often a word has it,
in hundredths. The costs are estimates, rounded; what decides is the count of the word that remains.
"""

from dataclasses import dataclass

__all__ = ["NOUN", "PREFIXES", "SEEN", "SUFFIXES", "Prefix", "Suffix"]

# Kinds of words (`lexicon.Form.kind`): noun or adjective, preposition (takes pronouns), particle, name (takes no
# endings), verb (its past), imperfect of a verb (without its first letter), and any other form, as it stands.
NOUN, PREPOSITION, PARTICLE, NAME, VERB, IMPERFECT, AS_IT_IS = "n", "r", "p", "f", "v", "i", "w"
# Another form of a noun: a broken plural takes pronouns and the accusative, and no second plural.
PLURAL = "b"
# A word of a frequency list that no word of the lexicon explains; only the article is taken off.
SEEN = "s"


@dataclass(frozen=True)
class Prefix:
    """Letters in front of a word. `definite` if they contain the article, which excludes pronouns behind the word."""

    letters: str
    kinds: str
    cost: int
    definite: bool = False


@dataclass(frozen=True)
class Suffix:
    """Letters behind a word, as they are spelled. In the word alone, `replacement` stands in their place."""

    letters: str
    kinds: str
    cost: int
    replacement: str = ""
    pronoun: bool = False


# And, so.
_CONJUNCTIONS = (("", 0), ("و", 280), ("ف", 480))
# With, to, like.
_PREPOSITIONS = (("ب", 300), ("ل", 300), ("ك", 520))
_ARTICLE = 90
# He, she, we, I; in front of these the future's sin, or the lam of purpose.
_PERSONS = (("ي", 60), ("ت", 70), ("ن", 250), ("أ", 350))
_FUTURE, _PURPOSE = 250, 300


def _prefixes() -> list[Prefix]:
    found = []
    for conjunction, cost in _CONJUNCTIONS:
        kinds = NOUN + PLURAL + PREPOSITION + PARTICLE + NAME + VERB + AS_IT_IS
        found.append(Prefix(conjunction, kinds if conjunction else kinds + SEEN, cost))
        for preposition, more in _PREPOSITIONS:
            found.append(Prefix(conjunction + preposition, NOUN + PLURAL + PREPOSITION + PARTICLE + NAME, cost + more))
        found.append(Prefix(conjunction + "ال", NOUN + PLURAL + NAME + SEEN, cost + _ARTICLE, definite=True))
        for preposition, more in (("بال", 300), ("لل", 300), ("كال", 520)):
            found.append(
                Prefix(conjunction + preposition, NOUN + PLURAL + NAME + SEEN, cost + more + _ARTICLE, definite=True)
            )
        for person, more in _PERSONS:
            found.append(Prefix(conjunction + person, IMPERFECT, cost + more))
            found.append(Prefix(conjunction + "س" + person, IMPERFECT, cost + _FUTURE + more))
            if person != "أ":
                found.append(Prefix(conjunction + "ل" + person, IMPERFECT, cost + _PURPOSE + more))
    return found


_PRONOUNS = (("ه", 200), ("ها", 200), ("هم", 350), ("هما", 600), ("هن", 700), ("ك", 650), ("كم", 700), ("نا", 450))


def _suffixes() -> list[Suffix]:
    found = [Suffix("", NOUN + PLURAL + PREPOSITION + PARTICLE + NAME + VERB + IMPERFECT + AS_IT_IS + SEEN, 0)]
    for pronoun, cost in (*_PRONOUNS, ("ي", 550)):
        found += [
            Suffix(pronoun, NOUN + PLURAL + PREPOSITION, cost, pronoun=True),
            # على becomes عليه.
            Suffix("ي" + pronoun, PREPOSITION, cost, "ى", pronoun=True),
            # Ta marbuta is written as ta before a pronoun, alef maqsura as alef.
            Suffix("ت" + pronoun, NOUN, cost - 30, "ة", pronoun=True),
            # Of the feminine of a person or an adjective: زعيمتها of زعيم.
            Suffix("ت" + pronoun, NOUN, cost + 120, pronoun=True),
            Suffix("ا" + pronoun, NOUN, cost + 50, "ى", pronoun=True),
            Suffix("ات" + pronoun, NOUN, cost + 250, pronoun=True),
            Suffix("ات" + pronoun, NOUN, cost + 200, "ة", pronoun=True),
        ]
        if pronoun != "ي":
            # Plurals in -un and -in lose their nun.
            found.append(Suffix("و" + pronoun, NOUN, cost + 400, pronoun=True))
            found.append(Suffix("ي" + pronoun, NOUN, cost + 350, pronoun=True))
    for pronoun, cost in (*_PRONOUNS, ("ني", 500)):
        for ending, more in (("", 100), ("ت", 200), ("و", 350)):
            found.append(Suffix(ending + pronoun, VERB, cost + more, pronoun=True))
        for ending, more in (("", 100), ("و", 350), ("ون", 350)):
            found.append(Suffix(ending + pronoun, IMPERFECT, cost + more, pronoun=True))
    # The feminine, plurals, duals, the accusative, and plurals before another noun.
    endings = (
        ("ة", 120), ("ات", 200), ("ين", 200), ("ون", 250), ("ان", 320), ("ا", 330), ("ي", 480), ("و", 480),
        ("تين", 420), ("تان", 480),
    )  # fmt: skip
    found += [Suffix(ending, NOUN + PLURAL if ending == "ا" else NOUN, cost) for ending, cost in endings]
    of_feminines = (("ات", 150), ("تين", 380), ("تان", 420), ("تي", 500), ("تا", 550))
    found += [Suffix(ending, NOUN, cost, "ة") for ending, cost in of_feminines]
    of_pasts = (("ت", 60), ("وا", 150), ("ا", 400), ("تا", 500), ("نا", 350), ("تم", 600), ("ن", 600))
    found += [Suffix(ending, VERB, cost) for ending, cost in of_pasts]
    # Verbs that end in a weak letter lose it: دعت and دعوا of دعا, التقت of التقى. Their passive ends in ya.
    for weak in ("ا", "ى"):
        found += [Suffix(ending, VERB, cost, weak) for ending, cost in (("ت", 60), ("وا", 150), ("تا", 500))]
        found += [Suffix("ت" + pronoun, VERB, cost + 200, weak, pronoun=True) for pronoun, cost in _PRONOUNS]
    found.append(Suffix("ي", VERB, 350, "ا"))
    found += [Suffix("ا" + pronoun, VERB, cost + 100, "ى", pronoun=True) for pronoun, cost in _PRONOUNS]
    of_imperfects = (("ون", 130), ("وا", 200), ("ان", 350), ("ا", 350), ("ن", 500), ("ين", 500), ("ي", 600))
    found += [Suffix(ending, IMPERFECT, cost) for ending, cost in of_imperfects]
    # A weak letter at the end is lost in front of the plural: يرون of يرى, يدعون of يدعو.
    for weak in ("ى", "ي", "و"):
        found += [Suffix(ending, IMPERFECT, cost, weak) for ending, cost in (("ون", 130), ("وا", 200))]
    return found


PREFIXES = tuple(_prefixes())
SUFFIXES = tuple(_suffixes())

"""The lexicon, the words of articles, and how far articles have been analysed."""

from sqlalchemy import ARRAY, BigInteger, CheckConstraint, Index, Integer, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from db.models.base import Base


class Form(Base):
    __tablename__ = "lexicon"
    __table_args__ = (
        Index("lexicon_skeleton_idx", text("news.word_skeleton(key)")),
        {"comment": "Forms of words: what news.readings looks up. Loaded by `ingest db upgrade`."},
    )
    key: Mapped[str] = mapped_column(
        primary_key=True, comment="The letters it is looked up by: news.word_key(spelling)."
    )
    spelling: Mapped[str] = mapped_column(primary_key=True, comment="The form as it is spelled.")
    kind: Mapped[str] = mapped_column(
        primary_key=True,
        comment="What may be written together with it: n noun or adjective, b broken plural, r preposition, "
        "p particle, f name, v verb, i imperfect without its first letter, w as it is, s seen only.",
    )
    lemma: Mapped[str] = mapped_column(primary_key=True, comment="The word it is a form of.")
    wider: Mapped[str] = mapped_column(
        comment="Another lemma that finds it: the country of an adjective; empty where there is none."
    )
    cost: Mapped[int] = mapped_column(
        Integer, comment="How rare it is: minus the logarithm of its share of all words, in hundredths."
    )


class Word(Base):
    __tablename__ = "words"
    __table_args__ = (
        Index("words_word_idx", text("news.ascii_key(word)"), postgresql_using="gin"),
        Index("words_exact_idx", text("news.exact_key(word)")),
        Index("words_lemma_idx", text("news.sought_lemma(lemmas)")),
        {"comment": "Every word that articles have or had, as it is spelled, with its analysis."},
    )
    word: Mapped[str] = mapped_column(primary_key=True, comment="The word, as news.words_of returns it.")
    lemmas: Mapped[list[str]] = mapped_column(
        ARRAY(Text),
        comment="The lemma it stands for, first, and other lemmas under which its articles are found; empty for words "
        "such as the, of.",
    )


class Analysis(Base):
    __tablename__ = "analysis"
    __table_args__ = (
        CheckConstraint("id = 1", name="id"),
        {
            "comment": "The lexicon by which articles are analysed for search, and how far those from before it have "
            "been brought over. One row."
        },
    )
    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False, comment="Always 1.")
    version: Mapped[str] = mapped_column(
        comment="Version of the lexicon in news.lexicon; empty if none was loaded yet."
    )
    done_to: Mapped[int] = mapped_column(
        BigInteger, comment="Articles with an id up to this one have been analysed with it."
    )
    until: Mapped[int] = mapped_column(
        BigInteger, comment="The last article that had landed when it was loaded; those after it need nothing."
    )

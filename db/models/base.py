"""Common parts of the models: naming, types, and columns that many tables have."""

from datetime import datetime, timedelta
from typing import Any, ClassVar

from sqlalchemy import BigInteger, DateTime, ForeignKey, Identity, Interval, LargeBinary, MetaData, Text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

SCHEMA = "news"
DATE_SOURCES = ("feed", "jsonld", "meta", "page", "url")


def one_of(column: str, values: tuple[str, ...]) -> str:
    """Return the condition that the column has one of the values."""
    return f"{column} IN ({', '.join(repr(value) for value in values)})"


class Base(DeclarativeBase):
    """A table of the schema. Constraints are named as PostgreSQL names them."""

    metadata: ClassVar[MetaData] = MetaData(
        schema=SCHEMA,
        naming_convention={
            "pk": "%(table_name)s_pkey",
            "uq": "%(table_name)s_%(column_0_N_name)s_key",
            "fk": "%(table_name)s_%(column_0_N_name)s_fkey",
            "ck": "%(table_name)s_%(constraint_name)s_check",
        },
    )
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        str: Text,
        datetime: DateTime(timezone=True),
        timedelta: Interval,
        bytes: LargeBinary,
    }


def number(comment: str) -> Mapped[int]:
    """Return an auto-incrementing primary key."""
    return mapped_column(BigInteger, Identity(always=True), primary_key=True, comment=comment)


def feed_key() -> Mapped[int]:
    """Return a foreign key to `feeds`."""
    return mapped_column(ForeignKey("news.feeds.id"), comment="The feed (feeds.id).")


def article_key(comment: str) -> Mapped[int]:
    """Return a primary key that is also a foreign key to `articles`, for rows deleted with their article."""
    return mapped_column(
        ForeignKey("news.articles.id", ondelete="CASCADE"), primary_key=True, autoincrement=False, comment=comment
    )

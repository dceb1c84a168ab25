"""The table of labels that curators give."""

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, Index
from sqlalchemy.orm import Mapped, mapped_column

from db.models.base import Base, number, one_of


class TopicLabel(Base):
    __tablename__ = "topic_labels"
    __table_args__ = (
        CheckConstraint(one_of("label", ("about", "mention", "no")), name="label"),
        Index("topic_labels_url_idx", "topic", "url", "id"),
        {
            "comment": "What curators said of articles: whether they are about a topic. "
            "The last label of an address counts."
        },
    )
    id: Mapped[int] = number("Number of the label.")
    topic: Mapped[str] = mapped_column(comment="Name of the topic.")
    entry_id: Mapped[int] = mapped_column(
        BigInteger, comment="The entry that was labelled (entries.id); it may be gone."
    )
    url: Mapped[str] = mapped_column(comment="Its address, in the form in which addresses are compared.")
    event: Mapped[str] = mapped_column(
        comment="What it tells of: texts of one event are not used to judge one another."
    )
    language: Mapped[str | None] = mapped_column(comment="Its language.")
    title: Mapped[str | None] = mapped_column(comment="Its title when it was labelled.")
    text: Mapped[str] = mapped_column(comment="Its text when it was labelled.")
    label: Mapped[str] = mapped_column(comment="about, mention or no.")
    labelled_by: Mapped[str] = mapped_column(comment="Who labelled it.")
    labelled_at: Mapped[datetime] = mapped_column(comment="When.")

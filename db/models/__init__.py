"""The schema `news` as SQLAlchemy models, used to check migrations and to document the tables in comments.

The pipeline's own queries are SQL, in the module for each table. Analysts may use these models directly. There is one
module for each area, from `feeds`, `ledger`, `pages` and `documents` to `articles`.
"""

from db.models.articles import REVISION_CAUSES, Article, ArticleRevision, ArticleTopic, Sighting
from db.models.backfills import PART_STATUSES, Backfill, BackfillPart
from db.models.base import DATE_SOURCES, SCHEMA, Base
from db.models.documents import Document
from db.models.feeds import HEALTHS, POLL_OUTCOMES, SCOPES, Feed, FeedPoll
from db.models.hosts import Host
from db.models.ledger import FINAL_STATUSES, IN_FLIGHT_STATUSES, Entry
from db.models.operation import (
    FEED_ALERT_KINDS,
    OWN_ALERT_KINDS,
    Alert,
    Configuration,
    Lease,
    Lock,
    PeriodicWork,
    WorkerDeath,
)
from db.models.pages import Page
from db.models.stories import RELATIONS, ArticleLink, ArticleSignature, Story, StoryMerge
from db.models.topics import TopicLabel
from db.models.websub import SUBSCRIPTION_STATUSES, WebSubSubscription
from db.models.words import Analysis, Form, Word

__all__ = [
    "DATE_SOURCES",
    "FEED_ALERT_KINDS",
    "FINAL_STATUSES",
    "HEALTHS",
    "IN_FLIGHT_STATUSES",
    "OWN_ALERT_KINDS",
    "PART_STATUSES",
    "POLL_OUTCOMES",
    "RELATIONS",
    "REVISION_CAUSES",
    "SCHEMA",
    "SCOPES",
    "SUBSCRIPTION_STATUSES",
    "Alert",
    "Analysis",
    "Article",
    "ArticleLink",
    "ArticleRevision",
    "ArticleSignature",
    "ArticleTopic",
    "Backfill",
    "BackfillPart",
    "Base",
    "Configuration",
    "Document",
    "Entry",
    "Feed",
    "FeedPoll",
    "Form",
    "Host",
    "Lease",
    "Lock",
    "Page",
    "PeriodicWork",
    "Sighting",
    "Story",
    "StoryMerge",
    "TopicLabel",
    "WebSubSubscription",
    "Word",
    "WorkerDeath",
]

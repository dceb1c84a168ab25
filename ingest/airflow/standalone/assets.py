"""Makes known to Airflow beforehand that the alias `landed_articles` stands for the asset `news_articles`.

Airflow learns that from the first task that says so. When two tasks `land` of a fresh installation say so within the
same moment, as those of two runs often do, both insert the same row, and the API server sets the slower one to failed.
"""

import logging

import psycopg

__all__ = ["introduce"]

log = logging.getLogger("run")

# The names of `ingest.airflow.assets`, which takes seconds to import.
ALIAS, ASSET = "landed_articles", "news_articles"


def introduce(metadata_url: str) -> None:
    """Insert the asset, the alias and their relation into Airflow's database, at its SQLAlchemy URL, unless there."""
    try:
        with psycopg.connect(metadata_url.replace("postgresql+psycopg://", "postgresql://", 1)) as connection:
            connection.execute(
                'INSERT INTO asset (name, uri, "group", extra, created_at, updated_at)'
                " VALUES (%(asset)s, %(asset)s, 'asset', '{}', now(), now()) ON CONFLICT DO NOTHING",
                {"asset": ASSET},
            )
            connection.execute(
                "INSERT INTO asset_alias (name, \"group\") VALUES (%(alias)s, 'asset') ON CONFLICT DO NOTHING",
                {"alias": ALIAS},
            )
            connection.execute(
                "INSERT INTO asset_alias_asset (alias_id, asset_id)"
                " SELECT l.id, a.id FROM asset_alias l, asset a WHERE l.name = %(alias)s AND a.name = %(asset)s"
                " ON CONFLICT DO NOTHING",
                {"alias": ALIAS, "asset": ASSET},
            )
    except psycopg.Error as error:
        # Tables of another version of Airflow, perhaps. It works without, but for that moment.
        log.warning("Airflow's assets could not be made known beforehand: %s", str(error).splitlines()[0])

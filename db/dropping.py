"""Drops functions and views that will be made again, and gives back what had been granted on the views."""

import re
from typing import Any, Literal

import psycopg

from db.errors import SchemaMismatch

__all__ = ["IN_USE", "Dropping", "in_use"]

# What PostgreSQL says when something uses what is to be changed: on DROP, and on ALTER COLUMN ... TYPE.
IN_USE = (psycopg.errors.DependentObjectsStillExist, psycopg.errors.FeatureNotSupported)

# Of the views in `mine`, those that use the given object, directly or through each other.
_USERS = """
WITH RECURSIVE users (id) AS (
    SELECT r.ev_class FROM pg_depend d JOIN pg_rewrite r ON d.classid = 'pg_rewrite'::regclass AND r.oid = d.objid
        WHERE d.refclassid = {catalogue}::regclass AND d.refobjid = %(name)s::{type}
    UNION
    SELECT r.ev_class FROM users u
        JOIN pg_depend d ON d.refclassid = 'pg_class'::regclass AND d.refobjid = u.id
        JOIN pg_rewrite r ON d.classid = 'pg_rewrite'::regclass AND r.oid = d.objid
)
SELECT 'news.' || c.relname FROM users u JOIN pg_class c ON c.oid = u.id
WHERE c.relnamespace = 'news'::regnamespace AND 'news.' || c.relname = ANY (%(mine)s)
"""

# Statements that grant what others may do with a view or with columns of it.
_GRANTS = """
SELECT format('GRANT %%s%%s ON %%s TO %%s%%s', g.privilege_type, g.columns, %(name)s,
              CASE g.grantee WHEN 0 THEN 'PUBLIC' ELSE g.grantee::regrole::text END,
              CASE WHEN g.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END)
FROM (
    SELECT a.*, '' AS columns, c.relowner FROM pg_class c, aclexplode(c.relacl) a
        WHERE c.oid = to_regclass(%(name)s)
    UNION ALL
    SELECT a.*, format(' (%%I)', t.attname), c.relowner
        FROM pg_class c JOIN pg_attribute t ON t.attrelid = c.oid AND t.attnum > 0, aclexplode(t.attacl) a
        WHERE c.oid = to_regclass(%(name)s)
) AS g
WHERE g.grantee <> g.relowner
"""


def in_use(error: psycopg.Error) -> SchemaMismatch:
    """Return what to say when PostgreSQL drops or changes nothing because something of others depends on it."""
    detail = "; ".join((error.diag.message_detail or "").splitlines())
    return SchemaMismatch(
        f"nothing was upgraded: {error.diag.message_primary} ({detail}). What is not the pipeline's has to make way: "
        "note its definition (`pg_dump --schema-only`), drop it, run `ingest db upgrade`, and make it again, for the "
        "columns as they are then. See docs/operators.md"
    )


class Dropping:
    """What is dropped in one transaction. `mine` are the views that are made again before it ends."""

    def __init__(self, connection: psycopg.Connection[Any], mine: list[str]) -> None:
        self._connection = connection
        self._mine = mine
        self._grants: list[str] = []

    def drop(self, kind: Literal["FUNCTION", "VIEW"], name: str) -> None:
        """Drop a function or a view, with the views of `mine` that use it.

        Raises SchemaMismatch when anything else uses it.
        """
        catalogue, known_as = ("'pg_proc'", "regprocedure") if kind == "FUNCTION" else ("'pg_class'", "regclass")
        query = _USERS.format(catalogue=catalogue, type=known_as)
        users = self._connection.execute(query.encode(), {"name": name, "mine": self._mine}).fetchall()
        views = {user for (user,) in users} | ({name} if kind == "VIEW" else set())
        for view in sorted(views):
            self._remember(view)
        try:
            if views:
                self._connection.execute(f"DROP VIEW {', '.join(sorted(views))}".encode())
            if kind == "FUNCTION":
                self._connection.execute(f"DROP FUNCTION {name}".encode())
        except psycopg.errors.DependentObjectsStillExist as error:
            raise in_use(error) from error

    def make_way(self, error: BaseException | None) -> bool:
        """Drop those views of `mine` that `error` names as users of what was to be changed; return whether it did.

        The views of that moment are known to the database alone: a migration does not know what later releases made of
        them. Raises SchemaMismatch when anything else uses one of them.
        """
        if not isinstance(error, IN_USE):
            return False
        named = [view for view in self._mine if re.search(rf"\b{re.escape(view)}\b", error.diag.message_detail or "")]
        dropped = False
        for view in named:
            # It may have gone with the one before.
            if self._connection.execute("SELECT to_regclass(%s)", [view]).fetchone() != (None,):
                self.drop("VIEW", view)
                dropped = True
        return dropped

    def give_back(self) -> None:
        """Grant again what was granted on the views that were dropped, as far as their columns are still there."""
        for grant in self._grants:
            try:
                with self._connection.transaction():
                    self._connection.execute(grant.encode())
            except psycopg.errors.UndefinedColumn:
                pass

    def _remember(self, view: str) -> None:
        rows = self._connection.execute(_GRANTS.encode(), {"name": view}).fetchall()
        self._grants += [statement for (statement,) in rows]

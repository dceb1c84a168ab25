"""Drops functions and views that will be recreated, and restores the grants on the views."""

import re
from typing import Any, Literal

import psycopg

from db.errors import SchemaMismatch

__all__ = ["IN_USE", "Dropping", "in_use"]

# PostgreSQL's errors for changing an object that is in use: on DROP, and on ALTER COLUMN ... TYPE.
IN_USE = (psycopg.errors.DependentObjectsStillExist, psycopg.errors.FeatureNotSupported)

# The views in `mine` that use the given object, directly or through each other.
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

# Statements that restore the grants on a view or on columns of it.
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
    """Return the error to raise when PostgreSQL refuses a drop or change because objects of others depend on it."""
    detail = "; ".join((error.diag.message_detail or "").splitlines())
    return SchemaMismatch(
        f"nothing was upgraded: {error.diag.message_primary} ({detail}). An object that is not the pipeline's must go "
        "first: save its definition (`pg_dump --schema-only`), drop it, run `ingest db upgrade`, and create it again "
        "to fit the new columns. See docs/operators.md"
    )


class Dropping:
    """Drops within one transaction. `mine` are the views that are recreated before it ends."""

    def __init__(self, connection: psycopg.Connection[Any], mine: list[str]) -> None:
        self._connection = connection
        self._mine = mine
        self._grants: list[str] = []

    def drop(self, kind: Literal["FUNCTION", "VIEW"], name: str) -> None:
        """Drop a function or a view, with the views of `mine` that use it.

        Raises SchemaMismatch if anything else uses it.
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
        """Drop the views of `mine` that `error` names as users of the object to change. Return whether any was dropped.

        Only the database knows which views exist at that point: a migration does not know what later releases made of
        them. Raises SchemaMismatch if anything else uses one of them.
        """
        if not isinstance(error, IN_USE):
            return False
        named = [view for view in self._mine if re.search(rf"\b{re.escape(view)}\b", error.diag.message_detail or "")]
        dropped = False
        for view in named:
            # It may have been dropped with the one before.
            if self._connection.execute("SELECT to_regclass(%s)", [view]).fetchone() != (None,):
                self.drop("VIEW", view)
                dropped = True
        return dropped

    def give_back(self) -> None:
        """Restore the grants on the dropped views, as far as their columns still exist."""
        for grant in self._grants:
            try:
                with self._connection.transaction():
                    self._connection.execute(grant.encode())
            except psycopg.errors.UndefinedColumn:
                pass

    def _remember(self, view: str) -> None:
        rows = self._connection.execute(_GRANTS.encode(), {"name": view}).fetchall()
        self._grants += [statement for (statement,) in rows]

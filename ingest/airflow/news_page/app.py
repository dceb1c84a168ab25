"""The web application of the news page, mounted into Airflow's API server.

Each of its addresses asks Airflow who the user is and whether they may see Airflow's pages at all. Being logged in is
not enough: a user with only the role Public sees nothing. The content comes from pages and feeds, so it is escaped,
and the browser is told to run and load only the page's own files.
"""

import json
import logging
from datetime import timedelta
from importlib.resources import files
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import psycopg
from airflow.api_fastapi.app import get_auth_manager
from airflow.api_fastapi.auth.managers.models.resource_details import AccessView
from airflow.api_fastapi.core_api.security import requires_access_view
from fastapi import Depends, FastAPI, HTTPException, Request, Response
from fastapi.exception_handlers import http_exception_handler
from fastapi.responses import FileResponse, HTMLResponse, RedirectResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from db import DatabaseError
from ingest.airflow.news_page import overview
from ingest.airflow.news_page.reader import reading
from ingest.config.errors import IngestError
from ingest.runtime.clock import spell, utc_now
from ingest.text.printable import printable

__all__ = ["create_app"]

log = logging.getLogger(__name__)

HERE = Path(__file__).parent
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "connect-src 'self'; form-action 'self'; frame-ancestors 'self'; base-uri 'none'"
)
LONGEST_QUERY = 200
LAST_PAGE = 100_000
A_DAY_SECONDS = 86400


def create_app() -> FastAPI:
    """Return the application. Its links are relative, so it may be mounted anywhere."""
    may_look = Depends(requires_access_view(AccessView.WEBSITE))
    app = FastAPI(title="News", docs_url=None, redoc_url=None, openapi_url=None, dependencies=[may_look])
    templates = Environment(
        loader=FileSystemLoader(HERE / "templates"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    templates.filters |= {"spell": _spell, "number": _number, "percent": _percent, "is_web": _is_web}
    template = templates.get_template("page.html")
    apology = templates.get_template("apology.html")

    @app.middleware("http")
    async def guard(request: Request, call_next: Any) -> Response:
        response: Response = await call_next(request)
        response.headers["Content-Security-Policy"] = CONTENT_SECURITY_POLICY
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Referrer-Policy"] = "no-referrer"
        response.headers.setdefault("Cache-Control", "no-store")
        return response

    @app.exception_handler(HTTPException)
    async def refuse(request: Request, error: HTTPException) -> Response:
        if error.status_code == 401 and "text/html" in request.headers.get("accept", ""):
            # Send a person who is not logged in to the login page, and from there back to this one.
            login = get_auth_manager().get_url_login(next_url=str(request.url))
            if "next=" not in login:
                login += f"?{urlencode({'next': str(request.url)})}"
            return RedirectResponse(login, status_code=303)
        return await http_exception_handler(request, error)

    @app.get("/", response_class=HTMLResponse)
    def show(q: str = "", page: str = "1") -> HTMLResponse:
        now = utc_now()
        # Search for whatever a browser or a link sends, as far as possible, instead of answering an error in JSON.
        asked = printable(q).strip()
        query = asked if len(asked) <= LONGEST_QUERY else _beginning(asked)
        number = int(page) if page.isascii() and page.isdigit() and 0 < int(page) <= LAST_PAGE else 1
        try:
            with reading() as connection:
                data = overview.load(connection, now, query, number)
        except (DatabaseError, IngestError, psycopg.Error) as error:
            said = (str(error).splitlines() or [type(error).__name__])[0]
            log.error("the news page cannot read the database: %s", said)
            return HTMLResponse(apology.render(reason=said), status_code=503)
        shown = {"now": now, "query": query, "longest": LONGEST_QUERY, "is_cut": asked != query, "number": number}
        return HTMLResponse(template.render(vars(data) | shown | {"chart": json.dumps(data.chart)}))

    @app.get("/static/{name}")
    def static(name: str) -> FileResponse:
        path = _static_files().get(name)
        if path is None:
            raise HTTPException(404)
        return FileResponse(path, headers={"Cache-Control": f"private, max-age={A_DAY_SECONDS}"})

    return app


def _beginning(query: str) -> str:
    """Return the words of a query that fit, or as much of the first word as fits."""
    return query[: LONGEST_QUERY + 1].rpartition(" ")[0] or query[:LONGEST_QUERY]


def _static_files() -> dict[str, Path]:
    """Return the page's files by name. The JavaScript of the charts comes from the package plotly."""
    own = {path.name: path for path in (HERE / "static").iterdir()}
    return own | {"plotly.min.js": Path(str(files("plotly") / "package_data" / "plotly.min.js"))}


def _spell(value: timedelta | None) -> str:
    return "–" if value is None else spell(value)


def _number(value: int) -> str:
    return f"{value:,}"


def _percent(share: float) -> str:
    return f"{100 * share:.1f}"


def _is_web(url: str) -> bool:
    """Return whether an address may become a link. Those of imported files and anything executable may not."""
    return url.startswith(("https://", "http://"))

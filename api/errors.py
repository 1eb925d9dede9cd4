"""Turns exceptions into answers: the one table from exception to status, problem documents and error pages.

A problem document (RFC 9457) names the parameter, what was wrong and what is allowed, in the reader's language. No SQL,
trace or path is ever part of it; those go to the log.
"""

from __future__ import annotations

import json
import logging
import re
import uuid

from fastapi import FastAPI, Request
from starlette.exceptions import HTTPException
from starlette.responses import Response

from api.i18n import Messages, messages
from api.links import PROBLEM
from api.negotiation import VARY, language_of, wants_html
from api.pages import page
from api.security import ALWAYS, DATA_POLICY
from geo.errors import CasaMapsError, InvalidInput, NotFound, Unavailable, trace

log = logging.getLogger("casamaps")

STATUS: dict[type[CasaMapsError], int] = {
    InvalidInput: 400,
    NotFound: 404,
    Unavailable: 503,
}
#: Parameters of an error that a program may want apart from the sentence.
_MEMBERS = ("parameter", "value", "allowed", "at")
#: Unicode's isolates: left to right, in the direction of the first letter, and the end of either.
_LTR, _AS_IT_BEGINS, _END = "\u2066", "\u2068", "\u2069"


def status_of(error: CasaMapsError) -> int:
    """Return the HTTP status of an error; 500 for one that a client can't have caused."""
    return next((status for kind, status in STATUS.items() if isinstance(error, kind)), 500)


def problem(
    request: Request, status: int, code: str, params: dict[str, object], headers: dict[str, str] | None = None
) -> Response:
    """Answer with a problem document, or with its page where a person is reading."""
    lang = language_of(request)
    t = messages(lang)
    title = t(f"errors.status.{status}") if t.has(f"errors.status.{status}") else t("errors.status.500")
    detail = detail_of(t, code, params)
    # An unexpected failure is answered outside of the middleware that adds the guarding headers, so they stand here.
    sent = {**ALWAYS, **(headers or {}), "Content-Language": lang, "Vary": VARY, "Cache-Control": "no-store"}
    if status == 503:
        sent["Retry-After"] = "2"
    if wants_html(request):
        return page(request, "error.html", lang, status=status, headers=sent, heading=title, detail=detail, code=status)
    body: dict[str, object] = {
        "type": f"urn:problem-type:casamaps:{code}",
        "title": title,
        "status": status,
        "detail": detail,
    }
    body |= {name: str(params[name]) for name in _MEMBERS if name in params}
    sent["Content-Security-Policy"] = DATA_POLICY
    return Response(json.dumps(body, ensure_ascii=False), status, sent, PROBLEM)


def refuse_host(request: Request, host: str, known: frozenset[str]) -> Response:
    """Answer a request for a host that is not ours (RFC 9110, 15.5.20)."""
    return problem(request, 421, "host.unknown", {"value": host[:100], "allowed": ", ".join(sorted(known))})


def sentence(t: Messages, code: str, params: dict[str, object]) -> str:
    """Return the sentence of an error code in the reader's language.

    What is inserted into Arabic is isolated (UAX #9, 2.4), or else its brackets and commas would change places with
    the sentence's; a part of a filter runs from left to right, whatever it begins with.
    """
    written: dict[str, object] = {}
    for name, value in params.items():
        written[name] = value if isinstance(value, int | float) else str(value)
        if t.dir == "rtl" and isinstance(written[name], str):
            written[name] = f"{_LTR if name == 'at' else _AS_IT_BEGINS}{written[name]}{_END}"
    return t(f"errors.{code}", **written)


def detail_of(t: Messages, code: str, params: dict[str, object]) -> str:
    """Return what an error says in the reader's language, with the layer that it belongs to."""
    detail = sentence(t, code, params)
    if "in_collection" in params:
        detail = sentence(t, "in-collection", {"collection": params["in_collection"], "value": detail})
    return detail


def _known(request: Request, error: CasaMapsError) -> Response:
    status = status_of(error)
    if status >= 500:
        log.warning("%s", error)
    if status == 500:
        return problem(request, 500, "internal", {"id": "–"})
    return problem(request, status, error.code, error.params)


def _http(request: Request, error: HTTPException) -> Response:
    params: dict[str, object] = {"value": request.url.path[:200]}
    code = {404: "page.unknown", 405: "method.unknown"}.get(error.status_code, "request.invalid")
    if code == "method.unknown":
        params = {"value": request.method, "allowed": (error.headers or {}).get("Allow", "GET, HEAD")}
    return problem(request, error.status_code, code, params, dict(error.headers or {}))


def _unknown(request: Request, error: Exception) -> Response:
    number = uuid.uuid4().hex[:8]
    # A tile is somewhere, too.
    place = re.sub(r"(?<=/)\d+(?=/|$)", "…", request.url.path)
    log.error("unexpected failure %s on %s\n%s", number, place, trace(error))
    return problem(request, 500, "internal", {"id": number})


async def answer(request: Request, error: Exception) -> Response:
    """Return the answer to an exception; what has no entry in the table is a failure of ours."""
    if isinstance(error, CasaMapsError):
        return _known(request, error)
    if isinstance(error, HTTPException):
        return _http(request, error)
    return _unknown(request, error)


def unknown_method(request: Request) -> Response:
    """Return the answer to a method that an address does not have."""
    return _http(request, HTTPException(405, headers={"Allow": "GET, HEAD"}))


def register(app: FastAPI) -> None:
    """Make the application answer every exception as this module says."""
    for kind in (CasaMapsError, HTTPException, Exception):
        app.add_exception_handler(kind, answer)

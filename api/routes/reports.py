"""The route to which browsers report what our pages' policy kept them from."""

from __future__ import annotations

import logging

from fastapi import APIRouter, Request
from starlette.responses import Response

from api import params
from api.errors import problem
from api.maps.description import maps_of
from api.reports import MOST_BYTES, TYPES, read_reports
from api.routes.dependencies import state_of

router = APIRouter()
log = logging.getLogger("casamaps")


async def _body(request: Request) -> bytes | None:
    """Return a request's body; None once it is longer than a report can be, without reading on."""
    found = b""
    async for part in request.stream():
        found += part
        if len(found) > MOST_BYTES:
            return None
    return found


@router.post("/csp-reports")
async def csp_reports(request: Request) -> Response:
    """Take reports to the log; the answer is empty and the same for all that could be read."""
    name = params.read(request, ("map",)).get("map")
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind not in TYPES:
        return problem(request, 415, "report.type", {"value": kind[:60], "allowed": ", ".join(TYPES)})
    body = await _body(request)
    if body is None:
        return problem(request, 413, "report.long", {"allowed": MOST_BYTES})
    state = state_of(request)
    logged, missed = state.reports.take(read_reports(body, request.headers.get("referer", "")))
    page = f"/embed/{name}" if name in maps_of(state.catalogue) else None
    if missed:
        log.warning("%d more policy reports were left out in a minute", missed)
    for report in logged:
        log.warning("policy report: %s kept out %s on %s", report.directive, report.blocked, page or report.page)
    return Response(status_code=204)

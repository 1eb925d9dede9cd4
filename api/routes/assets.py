"""The route of the files for the browser."""

from __future__ import annotations

from pathlib import Path

from fastapi import APIRouter, Request
from starlette.responses import Response

from api.assets import MEDIA_TYPES
from api.routes.dependencies import state_of
from geo.errors import NotFound

router = APIRouter()


@router.api_route("/assets/{version}/{path:path}", methods=["GET", "HEAD"])
async def asset(request: Request, version: str, path: str) -> Response:
    """Answer with a file; one asked for under an old version is given as it is now, and not kept."""
    assets = state_of(request).assets
    content = assets.content(path)
    if content is None:
        raise NotFound("page.unknown", value=f"/assets/{version}/{path}"[:200])
    keep = "public, max-age=31536000, immutable" if version == assets.version else "no-cache"
    return Response(content, 200, {"Cache-Control": keep}, MEDIA_TYPES[Path(path).suffix])

"""The questions that are asked most, answered ahead of the framework.

FastAPI's routing, dependencies and compression cost several times what PostgreSQL needs for one feature. Features,
what is near, and tiles are therefore plain functions of the request, found here by their path; everything else goes on
to FastAPI.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from isal import igzip
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import compile_path
from starlette.types import ASGIApp, Receive, Scope, Send

from api import errors
from api.links import FEATURE_TYPES
from api.negotiation import header_of
from layers.export import FILES

#: Answers to a request and the parts of its path.
Handler = Callable[..., Awaitable[Response]]
#: A template of paths, and who answers them.
Route = tuple[str, Handler]

#: Bytes from which an answer is worth compressing.
_WORTH = 1000
#: Formats that are compressed in themselves.
DENSE = tuple(FEATURE_TYPES[form] for form in FILES if form != "kml")


class Hot:
    """ASGI middleware that answers some paths itself.

    Parameters
    ----------
    routes : sequence of (path, handler)
        Paths as Starlette writes them, ``/collections/{collection}/items``.
    """

    def __init__(self, app: ASGIApp, routes: Sequence[Route]) -> None:
        self._app = app
        self._routes = [(compile_path(path)[0].match, handler) for path, handler in routes]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or let the framework do it."""
        if scope["type"] == "http" and not _preflight(scope):
            path = scope["path"]
            for match, handler in self._routes:
                found = match(path)
                if found:
                    request = Request(scope, receive)
                    answer = await _answer(request, handler, found.groupdict())
                    await answer(scope, receive, send)
                    return
        await self._app(scope, receive, send)


def _preflight(scope: Scope) -> bool:
    """Tell whether a browser asks what it may ask (CORS), which is the framework's to answer."""
    return scope["method"] == "OPTIONS" and "access-control-request-method" in Headers(scope=scope)


async def _answer(request: Request, handler: Handler, parts: dict[str, str]) -> Response:
    if request.method not in ("GET", "HEAD"):
        return errors.unknown_method(request)
    try:
        answer = await handler(request, **parts)
    except Exception as error:  # all of them have their answer
        return await errors.answer(request, error)
    return compressed(request, answer)


def compressed(request: Request, answer: Response) -> Response:
    """Compress an answer where that is worth it and the client takes it; what is sent in parts stays as it is."""
    if len(answer.body) < _WORTH or "gzip" not in header_of(request.scope, b"accept-encoding"):
        return answer
    if answer.media_type not in DENSE and all(name != b"content-encoding" for name, _ in answer.raw_headers):
        answer.body = igzip.compress(answer.body, compresslevel=1, mtime=0)
        answer.headers["content-encoding"] = "gzip"
        answer.headers["content-length"] = str(len(answer.body))
    return answer

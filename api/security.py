"""Guards the service's front: known hosts, the public path prefix, and headers that keep browsers strict."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from urllib.parse import quote, urlsplit

from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.negotiation import codings
from api.settings import Settings

#: Sent with every answer.
ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "strict-origin-when-cross-origin",
}
#: Sent with pages, which alone have windows and may ask for a position.
OF_PAGES = {
    # A tab that is opened from a map in another site's frame has the frame's sandbox, and browsers load no page with
    # any other value into it (HTML, on opener policies). Links lead from there to every page. There is nobody signed
    # in whom a page's opener could act for, our links that open tabs give no opener, and no page uses its own.
    "Cross-Origin-Opener-Policy": "unsafe-none",
    "Permissions-Policy": "geolocation=(self), camera=(), microphone=(), interest-cohort=()",
}
#: Headers of ours that the scripts of other sites may read.
_EXPOSED = (
    "Link",
    "ETag",
    "Content-Crs",
    "Content-Language",
    "Content-Disposition",
    "OGC-NumberReturned",
    "OGC-NumberMatched",
)
#: All that is here is public: any site's scripts may read it.
_SHARED = {"Access-Control-Allow-Origin": "*", "Access-Control-Expose-Headers": ", ".join(_EXPOSED)}
#: For everything that is not a page: nothing in it may run or load anything.
DATA_POLICY = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"

#: The same as bytes, for those that an answer does not set itself.
GUARDS = {
    name.lower().encode(): value.encode()
    for name, value in {**ALWAYS, **_SHARED, "Content-Security-Policy": DATA_POLICY}.items()
}
_LOOKED_AT = frozenset({b"host", b"accept-encoding"})
#: Bytes of an Accept-Encoding that means what stands in it: no weights, no capitals, no ``*``.
_PLAIN_CODINGS = frozenset(b"abcdefghijklmnopqrstuvwxyz-, ")


def framers(settings: Settings, embed: Sequence[str]) -> list[str]:
    """Return the origins whose pages may show a map in a frame: the map's own, and those of the settings."""
    return list(dict.fromkeys([*embed, *settings.frame_origins.split()]))


def page_policy(
    settings: Settings, embed: Sequence[str] | None = None, *, map_id: str = "", frames: bool = False
) -> str:
    """Return the Content-Security-Policy of pages: our own files only, nothing inline, nothing evaluated.

    ``embed`` is for a page that is made for frames: the origins that may show it besides those of the settings; our own
    pages, which let editors try it out, may as well. Who else tries to show the map ``map_id`` is reported. ``frames``
    is for a page that shows such a frame.
    """
    shown_by = ["'self'", *framers(settings, embed)] if embed is not None else framers(settings, [])
    images = "'self' data:"
    if settings.background_url:
        parts = urlsplit(settings.background_url)
        images += f" {parts.scheme}://{parts.netloc.replace('{s}', '*')}"
    return "; ".join(
        [
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            f"img-src {images}",
            "connect-src 'self'",
            "font-src 'self'",
            "manifest-src 'self'",
            "base-uri 'none'",
            "form-action 'self'",
            f"frame-ancestors {' '.join(shown_by) or chr(39) + 'none' + chr(39)}",
            *(["frame-src 'self'"] if frames else []),
            # Chromium 156 sends nothing to report-to for a page that it does not show, nor then to report-uri.
            *([f"report-uri {settings.base_path}/csp-reports?map={quote(map_id)}"] if map_id else []),
        ]
    )


def _with_plain_codings(scope: Scope, header: bytes) -> Scope:
    """Return a request whose Accept-Encoding names what may be used, for those who compress."""
    others = [(name, value) for name, value in scope["headers"] if name != b"accept-encoding"]
    return {**scope, "headers": [*others, (b"accept-encoding", codings(header.decode("latin-1")).encode("latin-1"))]}


@lru_cache(maxsize=1024)
def _host_name(host: str) -> str:
    """Return the name in the header ``Host``, without its port; empty where there is none."""
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""


class Guarded(list[tuple[bytes, bytes]]):
    """Headers of an answer that hold all of :data:`GUARDS` from the start."""


#: Makes the answer to a request for a host that is not ours, given it and those that are.
Refusal = Callable[[Request, str, frozenset[str]], ASGIApp]


class Front:
    """ASGI middleware that every request passes first.

    Refuses requests for a host that is not ours (421), takes the public path prefix off the path, whether or not the
    proxy has done so, and adds the security headers that an answer does not set itself.
    """

    def __init__(self, app: ASGIApp, settings: Settings, segments: frozenset[str], refuse: Refusal) -> None:
        self._refuse = refuse
        self._app = app
        self._segments = segments
        self._prefix = settings.base_path
        self._hosts = settings.allowed_hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start" and type(message["headers"]) is not Guarded:
                headers = message["headers"]
                present = {name for name, _ in headers}
                message["headers"] = [*headers, *[item for item in GUARDS.items() if item[0] not in present]]
            await send(message)

        given = {name: value for name, value in scope["headers"] if name in _LOOKED_AT}
        wanted = given.get(b"accept-encoding", b"")
        if not _PLAIN_CODINGS.issuperset(wanted):
            scope = _with_plain_codings(scope, wanted)
        if self._prefix:
            scope = self._without_prefix(scope)
        host = given.get(b"host", b"").decode("latin-1")
        if not self._known_host(host):
            answer = self._refuse(Request(scope), host, self._hosts)
            await answer(scope, receive, guarded)
            return
        await self._app(scope, receive, guarded)

    def _without_prefix(self, scope: Scope) -> Scope:
        """Take the prefix off, unless the proxy has, and the path only looks like it (prefix /maps, /maps/city.js)."""
        path = scope["path"]
        if not (path == self._prefix or path.startswith(self._prefix + "/")):
            return scope
        rest = path[len(self._prefix) :] or "/"
        if rest.split("/")[1] not in self._segments and path.split("/")[1] in self._segments:
            return scope
        stripped = {**scope, "path": rest}
        stripped.pop("raw_path", None)
        return stripped

    def _known_host(self, host: str) -> bool:
        return _host_name(host) in self._hosts

"""Compresses the framework's answers; those ahead of it compress their own."""

from __future__ import annotations

from starlette.datastructures import MutableHeaders
from starlette.middleware.gzip import GZipMiddleware
from starlette.types import Message, Receive, Scope, Send


class Compression(GZipMiddleware):
    """Compresses answers, and says once what they vary by, which they say themselves whether or not they are packed."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""

        async def once(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(raw=message["headers"])
                if "vary" in headers:
                    headers["vary"] = ", ".join(dict.fromkeys(name.strip() for name in headers["vary"].split(",")))
            await send(message)

        await super().__call__(scope, receive, once)

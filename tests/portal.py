"""A site of another origin, for pages that show maps of the service."""

from __future__ import annotations

import http.server
import threading
from typing import Any
from urllib.parse import urlsplit

from tests.conftest import free_port


class Portal:
    """A site of another origin: a server with pages that a test writes."""

    def __init__(self) -> None:
        self.port = free_port()
        self.pages: dict[str, str] = {}
        self.policy = ""
        site = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body = site.pages.get(urlsplit(self.path).path, "").encode()
                self.send_response(200 if body else 404)
                self.send_header("Content-Type", "text/html; charset=utf-8")
                if site.policy:
                    self.send_header("Content-Security-Policy", site.policy)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                """Say nothing."""

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def url(self, host: str, path: str = "/page") -> str:
        return f"http://{host}:{self.port}{path}"

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()

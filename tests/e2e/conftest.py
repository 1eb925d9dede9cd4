"""A real headless Chromium, and pages that are watched: no other host, no error, no breach of the policy."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from api.settings import Settings
from tests.conftest import free_port, running
from tests.e2e.embedding import DAY, SETUP
from tests.portal import Portal

_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
#: What a page's console says of a worker that the test has no use for.
_BLOCKED = "Service Worker registration blocked"
_WATCH = """
window.canary = [];
window.violations = [];
document.addEventListener("securitypolicyviolation", (event) => {
  window.violations.push(`${event.effectiveDirective} ${event.blockedURI}`);
});
"""


@dataclass
class Watch:
    """What a page did that it must not do."""

    own: str
    hosts: set[str] = field(default_factory=set)
    problems: list[str] = field(default_factory=list)
    #: Part of a console message that a test brings about on purpose.
    expected: str | None = None

    def add(self, text: str) -> None:
        if _BLOCKED not in text and (self.expected is None or self.expected not in text):
            self.problems.append(text)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Debian's Chromium."""
    path = shutil.which("chromium")
    assert path, "chromium is missing: ./casamaps test installs it"
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=path, headless=True, args=_FLAGS)
        yield started
        started.close()


@pytest.fixture
def new_page(browser: Browser, server_url: str) -> Iterator[Callable[..., Page]]:
    """Open pages, with options of a browser context; at the end each must have been well-behaved."""
    opened: list[tuple[Page, Watch]] = []

    def make(**options: Any) -> Page:
        # A worker's requests pass by those that tests answer themselves.
        given = {"base_url": server_url, "viewport": {"width": 1280, "height": 800}, "service_workers": "block"}
        options = given | options
        context = browser.new_context(**options)
        context.set_default_timeout(15_000)
        context.add_init_script(_WATCH)
        page = context.new_page()
        watch = Watch(urlsplit(options["base_url"]).netloc)
        page.on("request", lambda request: watch.hosts.add(urlsplit(request.url).netloc))
        page.on("console", lambda message: message.type in ("error", "warning") and watch.add(message.text))
        page.on("pageerror", lambda error: watch.add(str(error)))
        page.watch = watch  # type: ignore[attr-defined]
        opened.append((page, watch))
        return page

    yield make
    for page, watch in opened:
        assert watch.hosts <= {watch.own}, "a request to another host"
        assert watch.problems == []
        assert page.evaluate("() => window.violations") == []
        assert page.evaluate("() => window.canary") == [], "a text from the data ran"
        page.context.close()


@pytest.fixture
def browser_page(new_page: Callable[..., Page]) -> Page:
    """A page on a desktop screen."""
    return new_page()


@pytest.fixture
def phone_page(new_page: Callable[..., Page]) -> Page:
    """A page on a phone."""
    return new_page(viewport={"width": 390, "height": 844}, device_scale_factor=2, is_mobile=True, has_touch=True)


@pytest.fixture(scope="module")
def portal() -> Iterator[Portal]:
    made = Portal()
    yield made
    made.close()


@pytest.fixture(scope="module")
def service(database_url: str, portal: Portal) -> Iterator[str]:
    """The service, whose maps the portal may show under its one name, not under its other."""
    with running(Settings(port=free_port(), frame_origins=portal.url("localhost", "")), database_url) as address:
        yield address


@pytest.fixture
def show(browser: Browser, portal: Portal, service: str) -> Iterator[Callable[..., Page]]:
    """Open a portal's page with the element; at its end nothing of the data has run and nobody else was asked."""
    contexts = []
    pages: list[tuple[Page, set[str]]] = []

    def make(
        attributes: str = 'map="worksites" lang="fr"', host: str = "localhost", base: str = "", **options: Any
    ) -> Page:
        source = f"{base or service}/widget.js"
        portal.policy = f"default-src 'none'; script-src {base or service}; frame-src {base or service}"
        portal.pages["/page"] = (
            f'<!doctype html><html lang="fr"><head><meta charset="utf-8"><title>Portail</title>'
            f'<script src="{source}" defer></script></head><body><button id="before">avant</button>'
            f'<casa-map {attributes}></casa-map><button id="after">après</button></body></html>'
        )
        context = browser.new_context(viewport={"width": 1000, "height": 800}, **options)
        context.set_default_timeout(15_000)
        context.add_init_script(SETUP)
        context.clock.set_system_time(f"{DAY}T12:00:00Z")
        page = context.new_page()
        contexts.append(context)
        asked: set[str] = set()
        page.on("request", lambda request: asked.add(urlsplit(request.url).netloc))
        pages.append((page, asked))
        page.goto(portal.url(host))
        return page

    yield make
    for page, asked in pages:
        assert asked <= {urlsplit(service).netloc, f"localhost:{portal.port}", f"127.0.0.1:{portal.port}"}
        for frame in [] if page.is_closed() else page.frames:
            # A frame whose page never came would never answer either.
            if frame.url.startswith("http"):
                assert frame.evaluate("() => [window.canary, window.violations]") == [[], []]
    for context in contexts:
        context.close()

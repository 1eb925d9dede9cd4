"""Renders the pages for people from the templates."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, cast
from urllib.parse import quote, urlencode

import jinja2
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import HTMLResponse

from api.i18n import LANGUAGES, messages
from api.links import Links
from api.negotiation import VARY
from api.security import OF_PAGES, page_policy
from api.settings import Settings


def make_templates() -> jinja2.Environment:
    """Build the template environment: everything is escaped, an unknown name is an error."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["data"] = data_block
    return environment


def data_block(value: object) -> Markup:
    """Write a value as JSON that may stand inside a ``<script type="application/json">``."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    for character, escaped in (
        ("<", "\\u003c"),
        (">", "\\u003e"),
        ("&", "\\u0026"),
        ("\u2028", "\\u2028"),
        ("\u2029", "\\u2029"),
    ):
        text = text.replace(character, escaped)
    return Markup(text)  # noqa: S704 - escaped just above


def page(
    request: Request,
    template: str,
    lang: str,
    *,
    status: int = 200,
    headers: dict[str, str] | None = None,
    canonical: str | None = None,
    image: str | None = None,
    **context: Any,
) -> HTMLResponse:
    """Render a page in a language, under the pages' Content-Security-Policy.

    Parameters
    ----------
    canonical : str, optional
        Absolute address of what the page is about, without a query; by default its own, with what is chosen. The page's
        canonical address is this one's in the page's language, as the sitemap lists it.
    image : str, optional
        Absolute address of the picture that a shared link is shown with.
    """
    state = request.app.state
    settings = cast(Settings, state.settings)
    # Quoted again, and never with two slashes at its start, which would lead to another host.
    path = "/" + quote(request.scope["path"].lstrip("/"), safe="/:@!$&'()*+,;=~")
    here = settings.base_path + path
    query = [(key, value) for key, value in request.query_params.multi_items() if key != "lang"]
    texts = messages(lang)
    itself = canonical or settings.base_url + path
    # What is chosen belongs to a page that has no other address.
    chosen = [] if canonical else [(key, value) for key, value in query if key != "f"]
    neutral = f"{itself}?{urlencode([*chosen, ('f', 'html')])}"
    versions: dict[str, str] = {code: f"{neutral}&lang={code}" for code in LANGUAGES}
    body = (
        cast(jinja2.Environment, state.templates)
        .get_template(template)
        .render(
            t=texts,
            lang=lang,
            dir=texts.dir,
            base=settings.base_path,
            links=Links(settings.base_path),
            asset=state.assets.url,
            layers=state.catalogue.layers(),
            lang_urls={code: f"{here}?{urlencode([*query, ('lang', code)])}" for code in LANGUAGES},
            canonical=versions[lang],
            versions={**versions, "x-default": neutral},
            image=image,
            **context,
        )
    )
    sent = {
        **OF_PAGES,
        "Content-Security-Policy": page_policy(settings),
        "Content-Language": lang,
        "Vary": VARY,
    }
    return HTMLResponse(body, status, {**sent, **(headers or {})})

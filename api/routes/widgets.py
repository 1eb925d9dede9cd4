"""The widget's script for other sites' pages, and the page where their editors put the widget together."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import Any
from urllib.parse import urlsplit

from fastapi import APIRouter, Request
from starlette.responses import Response

from api import params
from api.i18n import LANGUAGES, Lang
from api.links import Links
from api.maps.description import maps_of
from api.maps.framing import COLOUR, HIGHEST, LOWEST, THEMES, Theme
from api.negotiation import format_of
from api.pages import page
from api.routes.dependencies import LinksDep, ReaderDep, state_of
from api.routes.maps import described
from api.routes.oembed import frame
from api.security import framers, page_policy
from geo.errors import InvalidInput, NotFound
from layers.maps import MapDefinition

router = APIRouter()
SCRIPT = "text/javascript; charset=utf-8"
CHOICES = ("map", "language", "district", "layers", "of", "theme", "colour", "height")
#: Height of a widget in pixels, at first.
HEIGHT = 520
#: The accent of our own pages; who picks it picks none.
_PLAIN = "#0f5c63"


@dataclass(frozen=True)
class Choice:
    """What an editor has chosen; ``layers`` is None where it is as the map says."""

    map: MapDefinition
    lang: Lang
    district: str | None
    layers: tuple[str, ...] | None
    theme: Theme
    colour: str | None
    height: int

    def attributes(self) -> dict[str, str]:
        """Return the element's attributes, the usual ones left out."""
        listed = None if self.layers is None else ",".join(self.layers)
        theme = None if self.theme == "auto" else self.theme
        found = {
            "map": self.map.id, "lang": self.lang, "district": self.district, "layers": listed, "theme": theme,
            "colour": self.colour, "height": str(self.height),
        }  # fmt: skip
        return {name: value for name, value in found.items() if value is not None}

    def address(self, links: Links) -> str:
        """Return the address of a page that shows it: the map's, or its frame's where only that has its colours."""
        kind = "maps" if self.theme == "auto" and self.colour is None else "embed"
        return links.url(kind, self.map.id, lang=self.lang, **self.state())

    def state(self) -> dict[str, str]:
        """Return the same for the address of a frame."""
        return {name: value for name, value in self.attributes().items() if name not in ("map", "lang", "height")}


def _script(request: Request, version: str, keep: str) -> Response:
    assets = state_of(request).assets
    headers = {
        "Cache-Control": f"public, {keep}",
        # Pages that isolate themselves (COEP) may load it too.
        "Cross-Origin-Resource-Policy": "cross-origin",
        "ETag": f'"{version}-{assets.integrity(version)[7:27]}"',
    }
    return Response(assets.widgets[version], 200, headers, SCRIPT)


@router.api_route("/widget.js", methods=["GET", "HEAD"])
async def newest(request: Request) -> Response:
    """Answer with the newest version of the widget's script, kept for a short time."""
    params.read(request)
    return _script(request, next(iter(state_of(request).assets.widgets)), "max-age=600")


@router.api_route("/widget/{version}.js", methods=["GET", "HEAD"])
async def versioned(request: Request, version: str) -> Response:
    """Answer with one version of the widget's script, which never changes."""
    params.read(request)
    known = state_of(request).assets.widgets
    if version not in known:
        raise NotFound("widget.unknown", parameter="version", value=version[:40], allowed=", ".join(known))
    return _script(request, version, "max-age=31536000, immutable")


def _one_of(given: dict[str, str], name: str, allowed: Any, usual: str) -> str:
    value = given.get(name, usual)
    if value not in allowed:
        raise InvalidInput("parameter.value", parameter=name, value=value[:40], allowed=", ".join(allowed))
    return value


def _choice(request: Request, lang: Lang) -> Choice:
    """Read the builder's form."""
    catalogue = state_of(request).catalogue
    known = maps_of(catalogue)
    given = params.read(request, CHOICES, lists=["layers"])
    definition = known[_one_of(given, "map", known, next(iter(known)))]
    language: Lang = "ar" if _one_of(given, "language", LANGUAGES, lang) == "ar" else "fr"
    district = _one_of(given, "district", ["", *catalogue.districts], "") or None
    theme = next(item for item in THEMES if item == _one_of(given, "theme", THEMES, "auto"))
    colour = given.get("colour")
    if colour is not None and not COLOUR.fullmatch(colour):
        raise InvalidInput("parameter.form", parameter="colour", value=colour[:40], allowed=_PLAIN)
    written = given.get("height", str(HEIGHT))
    if not (written.isascii() and written.isdigit() and len(written) < 9 and LOWEST <= int(written) <= HIGHEST):
        allowed = f"{LOWEST} … {HIGHEST}"
        raise InvalidInput("limit.invalid", parameter="height", value=written[:40], allowed=allowed)
    there = {layer["id"]: layer["shown"] for layer in described(state_of(request), definition, lang).layers}
    layers: tuple[str, ...] | None = None
    # Ticks belong to the map that they were made for; of another one, what it shows by itself is shown.
    if given.get("of", definition.id) == definition.id and ("layers" in given or "of" in given):
        ticked = given.get("layers", "").split(",")
        chosen = tuple(name for name in there if name in ticked)
        layers = None if chosen == tuple(name for name, shown in there.items() if shown) else chosen
    plain = None if colour and colour.lower() == _PLAIN else colour
    return Choice(definition, language, district, layers, theme, plain, int(written))


def code(choice: Choice, links: Links, version: str, integrity: str, label: str) -> str:
    """Return the lines that an editor copies; the link in them is for browsers that don't run the script."""
    attributes = " ".join(f'{name}="{escape(value)}"' for name, value in choice.attributes().items())
    listed = None if choice.layers is None else ",".join(choice.layers)
    page_url = links.url("maps", choice.map.id, lang=choice.lang, district=choice.district, layers=listed)
    return (
        f'<script src="{links.url("widget", version + ".js")}"\n'
        f'  integrity="{integrity}"\n  crossorigin="anonymous" defer></script>\n'
        f'<casa-map {attributes}>\n  <a href="{escape(page_url)}">{escape(label)}</a>\n</casa-map>'
    )


@router.api_route("/widgets", methods=["GET", "HEAD"])
async def builder(request: Request, reader: ReaderDep, links: LinksDep) -> Response:
    """Answer with the page where an editor puts a widget together: a form, the code, the map as it will be."""
    state = state_of(request)
    format_of(request, "html")
    choice = _choice(request, reader.lang)
    version = next(iter(state.assets.widgets))
    integrity = state.assets.integrity(version)
    shown = described(state, choice.map, reader.lang)
    local = Links(state.settings.base_path)
    return page(
        request,
        "widgets.html",
        reader.lang,
        headers={"Content-Security-Policy": page_policy(state.settings, frames=True)},
        choice=choice,
        maps=list(maps_of(state.catalogue).values()),
        map_layers=[(layer["id"], layer["title"], layer["shown"]) for layer in shown.layers],
        districts=sorted(state.catalogue.districts.items(), key=lambda item: item[1][reader.lang]),
        themes=THEMES,
        plain=_PLAIN,
        lowest=LOWEST,
        highest=HIGHEST,
        version=version,
        integrity=integrity,
        service=state.settings.base_url,
        service_origin="{0.scheme}://{0.netloc}".format(urlsplit(state.settings.base_url)),
        code=code(choice, links, version, integrity, choice.map.title[choice.lang]),
        frame_code=frame(links, choice.map, choice.lang, choice.state(), 800, choice.height),
        oembed=links.url("oembed", url=choice.address(links), format="json"),
        preview=local.url("embed", choice.map.id, lang=choice.lang, **choice.state()),
        origins=framers(state.settings, choice.map.embed),
    )

"""A map as one file that opens from a disk without any network: scripts, styles, features and cards inside of it.

The file's own Content-Security-Policy names its two scripts and its style by their hashes and lets nothing else run or
load. What the pages ask the service for stands in the file as JSON, by its address; see ``api/web/js/answers.js``.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import jinja2

from api.assets import ENTRY, Assets
from api.bundle import bundle
from api.i18n import messages
from api.maps.build import build_script
from api.maps.description import MapDescription
from layers.maps import Control

#: What works without the service.
CONTROLS: frozenset[Control] = frozenset({"layers", "legend", "scale", "measure", "fullscreen", "print", "time"})
#: The modules that are loaded when they are needed.
_LATE = ("measure", "time", "stops")
_URL = re.compile(r"""url\(["']?\.\./(img/[\w-]+\.svg)["']?\)""")


def _hash(text: str) -> str:
    return "'sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() + "'"


def _style(assets: Assets) -> str:
    def inline(match: re.Match[str]) -> str:
        image = assets.content(match[1])
        if image is None:
            raise KeyError(match[1])
        return f'url("data:image/svg+xml;base64,{base64.b64encode(image).decode()}")'

    text = "\n".join(_text(assets, name) for name in ("css/base.css", "css/map.css"))
    # Leaflet's own images belong to controls that we don't have.
    return re.sub(r"url\(images/[^)]+\)", "none", _URL.sub(inline, text))


def _text(assets: Assets, name: str) -> str:
    content = assets.content(name)
    if content is None:
        raise KeyError(name)
    # A browser reads every end of a line as one character, and hashes what it read.
    return content.decode().replace("\r\n", "\n")


def _script(assets: Assets) -> str:
    script = _text(assets, "lib/leaflet.js") + "\n" + bundle(assets.sources, ENTRY, _LATE)
    # Nothing in a script may look like its end.
    return re.sub(r"</(script)|<!--", lambda match: match[0].replace("<", "\\x3c"), script, flags=re.IGNORECASE)


def at_hand(description: MapDescription) -> MapDescription:
    """Return a map whose features all come as GeoJSON, with the tools that need no service."""
    return replace(
        description,
        layers=tuple(layer | {"source": "geojson"} for layer in description.layers),
        background=None,
        controls=tuple(control for control in description.controls if control in CONTROLS),
    )


def standalone(
    description: MapDescription, answers: Mapping[str, Any], assets: Assets, templates: jinja2.Environment, made: str
) -> str:
    """Return the file.

    Parameters
    ----------
    description : MapDescription
        As :func:`at_hand` gives it.
    answers : mapping
        What the service would answer, by path and query of the address.
    made : str
        When it was made, as a text in the map's language.
    """
    texts = messages(description.lang)
    style, script, drawing = _style(assets), _script(assets), build_script(description)
    policy = "; ".join(
        [
            "default-src 'none'",
            f"script-src {_hash(script)} {_hash(drawing)}",
            f"style-src {_hash(style)}",
            "img-src data:",
            "base-uri 'none'",
            "form-action 'none'",
        ]
    )
    return templates.get_template("standalone.html").render(
        t=texts,
        lang=description.lang,
        dir=texts.dir,
        map=description,
        policy=policy,
        style=style,
        script=script,
        drawing=drawing,
        made=made,
        browser={
            "lang": description.lang,
            "base": "",
            "list": "",
            "zone": description.time_zone,
            "texts": texts.domain("map"),
        },
        answers=dict(answers),
    )

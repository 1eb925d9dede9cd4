"""Turns a map's description into the script that draws it: the one module that knows folium.

folium writes the Leaflet map, its layers and controls. What its pages do otherwise (foreign hosts, inline scripts, HTML
from data, random ids) is left out: only folium's *script* part is taken, to be served as a file of its own under a
strict Content-Security-Policy; every id derives from the map's id, so that the same description gives the same bytes;
texts travel as JSON and become text nodes in the browser.
"""

from __future__ import annotations

import html
import json
from dataclasses import asdict
from typing import Any

import folium
from branca.element import Element, Figure, MacroElement
from folium.map import Layer
from folium.template import Template

from api.maps.description import MapDescription, identifier

#: branca reads each rendered script as a Jinja template once more, so what Jinja would take for its own is escaped too.
#: Outside of strings JSON never has these pairs.
_ESCAPES = (
    ("<", "\\u003c"),
    (">", "\\u003e"),
    ("&", "\\u0026"),
    ("\u2028", "\\u2028"),
    ("\u2029", "\\u2029"),
    ("{{", "{\\u007b"),
    ("{%", "{\\u0025"),
    ("{#", "{\\u0023"),
)


def script_json(value: object) -> str:
    """Write a value as JSON that is safe inside a script, wherever the script stands.

    No text in it can end a ``<script>`` element, a line (U+2028) or reach a template engine.
    """
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    for characters, escaped in _ESCAPES:
        text = text.replace(characters, escaped)
    return text


class FeatureLayer(Layer):
    """A layer whose features the browser fetches by URL and draws itself; see ``api/web/js/layer.js``."""

    _template = Template(
        """
        {% macro script(this, kwargs) %}
            var {{ this.get_name() }} = casamaps.featureLayer({{ this.json }});
        {% endmacro %}
        """
    )

    def __init__(self, options: dict[str, Any]) -> None:
        # The control gets the layer's id, not its title: Leaflet would write a name as HTML.
        super().__init__(name=options["id"], overlay=True, show=options["shown"])
        self._name = "Layer"
        self.json = script_json(options)


class Call(MacroElement):
    """A call of our browser code with the map and a value: ``casamaps.<name>(map, value)``."""

    _template = Template(
        """
        {% macro script(this, kwargs) %}
            casamaps.{{ this.name }}({{ this._parent.get_name() }}, {{ this.json }});
        {% endmacro %}
        """
    )

    def __init__(self, name: str, value: dict[str, Any]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # branca is not typed
        self._name = "Call"
        self.name = name
        self.json = script_json(value)


def _identify(element: Element, *parts: str) -> Element:
    """Replace folium's random id by one made of the map's and the element's own names."""
    element._id = identifier("_".join(parts))
    return element


def build_map(description: MapDescription) -> folium.Map:
    """Build the folium map: background, layers, layer switch, zoom buttons and scale."""
    extent = description.extent
    start, end = ("right", "left") if description.rtl else ("left", "right")
    base = description.background
    built = folium.Map(
        location=[(extent.south + extent.north) / 2, (extent.west + extent.east) / 2],
        zoom_start=11,
        tiles=None,
        control_scale="scale" in description.controls,
        zoom_control=f"bottom{end}",
        zoom_snap=1 if base else 0.25,
    )
    # folium hands zoom limits to its tile layer only, which this map may not have.
    built.options |= {"max_zoom": 19, "min_zoom": 8}
    _identify(built, description.id)
    if base:
        # Leaflet shows credits as HTML, so the plain text is escaped, also against branca's second look.
        credit = html.escape(base.attribution or "–").replace("{", "&#123;")
        tiles = folium.TileLayer(base.url, attr=credit, name="background", control=False, max_zoom=19)
        _identify(tiles, description.id).add_to(built)
    for options in description.layers:
        _identify(FeatureLayer(options), description.id, options["id"]).add_to(built)
    for number, note in enumerate(description.notes):
        _identify(Call("note", asdict(note)), description.id, "note", str(number)).add_to(built)
    if {"layers", "legend"} & set(description.controls):
        _identify(folium.LayerControl(position=f"top{start}"), description.id).add_to(built)
    told = {
        "id": description.id,
        "lang": description.lang,
        "extent": [extent.west, extent.south, extent.east, extent.north],
        "background": base is not None,
        "controls": description.controls,
    }
    _identify(Call("start", told), description.id, "start").add_to(built)
    return built


def build_script(description: MapDescription) -> str:
    """Return the script that draws the map into the element ``description.element_id``.

    It needs Leaflet and our browser code loaded before, and contains no address of another host but the background's.
    """
    built = build_map(description)
    built.render()  # type: ignore[no-untyped-call]  # branca is not typed
    figure = built.get_root()
    if not isinstance(figure, Figure):
        raise TypeError("a folium map lies in a figure")
    lines = (line.strip() for line in figure.script.render().splitlines())
    return "\n".join(line for line in lines if line) + "\n"

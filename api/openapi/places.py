"""The paths of the annuaire, of the districts and of the site's own pages in the OpenAPI document."""

from __future__ import annotations

from api.links import GEOJSON, HTML, JSON_LD, VCARD
from api.negotiation import Reader
from api.openapi.collections import features_page
from api.openapi.parts import (
    COUNT,
    TEXT,
    Json,
    answers,
    array,
    in_path,
    json_or_page,
    operation,
    parameters,
    query,
    record,
    ref,
    schema,
)
from api.openapi.schemas import feature
from api.opening import LOCAL, NOW
from api.params import MAX_ID
from api.routes.offline import MANIFEST
from api.words import MAX_TEXT
from layers.catalogue import DISTRICTS, Catalogue
from layers.definition import DIRECTORY

TAG = "directory"


def place_paths(catalogue: Catalogue, reader: Reader) -> Json:
    """Return the paths of the annuaire, and those of the districts where there are some."""
    t = reader.t
    entry = answers(
        t("api.entry"),
        {**json_or_page(GEOJSON, schema("Entry")), JSON_LD: schema("LinkedData"), VCARD: TEXT},
        headers=("Link", "Content-Disposition"),
        missing=True,
    )
    asked = parameters("entryId", "f.entry", "lang")
    found = {"/directory/{entryId}": operation("entry", t("api.entry"), TAG, asked, entry)}
    for name, more, headers in ((DIRECTORY, _people(reader), ("CasaMaps-NumberUnknown",)), (DISTRICTS, [], ())):
        if layer := catalogue.by_id.get(name):
            found[f"/{name}"] = features_page(f"list.{name}", t(f"api.list-{name}"), TAG, layer, more, *headers)
    district = answers(t("api.district"), json_or_page(GEOJSON, schema("District")), headers=("Link",), missing=True)
    code = in_path("districtCode", t("api.districtCode"), {**TEXT, "minLength": 1, "maxLength": MAX_ID})
    asked = [code, *parameters("f", "lang")]
    found["/districts/{districtCode}"] = operation("district", t("api.district"), TAG, asked, district)
    return found


def _people(reader: Reader) -> list[Json]:
    """Return the parameters of the list of entries that are for people."""
    local = {"pattern": f"^{LOCAL}$"}
    moment = {**TEXT, "anyOf": [{"enum": [NOW]}, {"format": "date-time"}, local]}
    described: dict[str, Json] = {
        "q": {**TEXT, "maxLength": MAX_TEXT},
        "open": moment,
        "unknown": moment,
        "at": {**TEXT, "anyOf": [{"enum": [""]}, local]},
    }
    # What else a form sends empty goes with a moment of its own.
    more: dict[str, Json] = {"open": {"example": NOW}, "unknown": {}}
    return [
        query(name, reader.t(f"api.{name}"), of, **more.get(name, {"allowEmptyValue": True}))
        for name, of in described.items()
    ]


def place_schemas() -> dict[str, Json]:
    """Return the schema of a district with what there is within it."""
    named = record("id name_fr name_ar href", dict.fromkeys(("id", "name_fr", "name_ar", "href"), TEXT))
    counted = record("category label count", {"category": TEXT, "label": TEXT, "count": COUNT})
    layer = {
        "collection": TEXT,
        "title": TEXT,
        "count": COUNT,
        "features": array(named),
        "day": TEXT,
        "links": array(schema("Link")),
    }
    within = {
        "offices": array(named),
        "administrations": array(named),
        "categories": array(counted),
        "contents": array(record("collection title count links", layer)),
        "links": array(schema("Link")),
    }
    return {"District": feature({"type": "object"}, schema("Geometry"), " ".join(within), **within)}


_ICON = record("src sizes type purpose", dict.fromkeys(("src", "sizes", "type", "purpose"), TEXT))
_SHORTCUT = record("name url", {"name": TEXT, "url": TEXT})
_MANIFEST_TEXTS = "id name short_name description lang dir start_url scope display background_color theme_color"
_MANIFEST = record(
    f"{_MANIFEST_TEXTS} icons shortcuts",
    {**dict.fromkeys(_MANIFEST_TEXTS.split(), TEXT), "icons": array(_ICON), "shortcuts": array(_SHORTCUT)},
)


def site_paths(reader: Reader) -> Json:
    """Return the paths of the statements and of what is for robots; the latter have no language."""
    t = reader.t
    refused = {"421": ref("responses", "Misdirected")}

    def statement(name: str) -> Json:
        summary = t(f"statements.{name}.title")
        return operation(name, summary, "service", parameters("f.html", "lang"), answers(summary, {HTML: TEXT}))

    def plain(name: str, media_type: str, more: Json) -> Json:
        said = {"200": {"description": t(f"api.{name}"), "content": {media_type: {"schema": TEXT}}}}
        return operation(name, t(f"api.{name}"), "service", [], said | more | refused)

    manifest = answers(t("api.manifest"), {MANIFEST: _MANIFEST})
    return {
        "/accessibility": statement("accessibility"),
        "/privacy": statement("privacy"),
        "/manifest.webmanifest": operation("manifest", t("api.manifest"), "service", parameters("lang"), manifest),
        "/sw.js": plain("worker", "text/javascript", {}),
        "/robots.txt": plain("robots", "text/plain", {}),
        "/sitemap.xml": plain("sitemap", "application/xml", {"503": ref("responses", "Unavailable")}),
    }

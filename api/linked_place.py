"""Writes an entry of the annuaire as schema.org JSON-LD, for search engines and whoever else gathers places."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from api.links import Links
from layers.catalogue import Catalogue
from layers.directory import Vocabulary

#: In the document itself, as :mod:`api.dcat` has it: whoever reads it needs no other host.
CONTEXT: dict[str, Any] = {
    "@vocab": "https://schema.org/",
    "url": {"@type": "@id"},
    "dayOfWeek": {"@type": "@id"},
}
_DAYS = ("Mo", "Tu", "We", "Th", "Fr", "Sa", "Su")
_NAMES = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_DAY = "(?:" + "|".join(_DAYS) + ")"
_SPAN = r"(?:[01]\d|2[0-4]):[0-5]\d-(?:[01]\d|2[0-4]):[0-5]\d"
_RULE = re.compile(rf"(?:({_DAY}(?:-{_DAY})?(?:,{_DAY}(?:-{_DAY})?)*) )?({_SPAN}(?:,{_SPAN})*|off|closed)")

Json = dict[str, Any]


def _both(record: Mapping[str, Any], stem: str) -> list[Json]:
    return [
        {"@language": lang, "@value": record[f"{stem}_{lang}"]} for lang in ("fr", "ar") if record.get(f"{stem}_{lang}")
    ]


def _days(text: str | None) -> list[int]:
    found: list[int] = []
    for part in (text or "Mo-Su").split(","):
        first, _, last = part.partition("-")
        start, end = _DAYS.index(first), _DAYS.index(last or first)
        found += [day % 7 for day in range(start, end + 1 if end >= start else end + 8)]
    return found


def week(value: str) -> list[list[tuple[str, str]]] | None:
    """Return the spans of each day from Monday; None where OpenStreetMap's syntax says more than a plain week.

    A later rule takes the place of an earlier one on its days, as the syntax has it.
    """
    if value.strip() == "24/7":
        return [[("00:00", "23:59")] for _ in _DAYS]
    found: list[list[tuple[str, str]]] = [[] for _ in _DAYS]
    for part in value.split(";"):
        match = _RULE.fullmatch(part.strip())
        if match is None:
            return None
        spans = [] if match[2] in ("off", "closed") else [span.split("-") for span in match[2].split(",")]
        for day in _days(match[1]):
            # Midnight at a day's end is the next day's beginning.
            found[day] = [(opens, "00:00" if closes == "24:00" else closes) for opens, closes in spans]
    return found


def _hours(value: str) -> Json:
    days = week(value)
    if days is None:
        return {"openingHours": value}
    grouped: dict[tuple[str, str], list[str]] = {}
    for name, spans in zip(_NAMES, days, strict=True):
        for span in spans:
            grouped.setdefault(span, []).append(f"https://schema.org/{name}")
    specified = [
        {"@type": "OpeningHoursSpecification", "dayOfWeek": names, "opens": opens, "closes": closes}
        for (opens, closes), names in grouped.items()
    ]
    return {"openingHoursSpecification": specified}


def _property(name: str, value: str) -> Json:
    return {"@type": "PropertyValue", "propertyID": name, "value": value}


def linked_place(record: Mapping[str, Any], vocabulary: Vocabulary, catalogue: Catalogue, links: Links) -> Json:
    """Return an entry as a schema.org thing of its category's type, with its names in both languages.

    ``record`` is a row of :func:`layers.queries.entry_statement`. What is unknown is left out.
    """
    address = links.url("directory", record["id"])
    placed = record["_lon"] is not None
    category = vocabulary.categories.get(record["category"])
    found: Json = {
        "@context": CONTEXT,
        "@id": address,
        "@type": vocabulary.schema_org.get(record["category"], "Place" if placed else "Organization"),
        "identifier": record["id"],
        "name": _both(record, "name"),
        "mainEntityOfPage": {"@type": "WebPage", "@id": f"{address}?f=html", "creditText": record["source"]},
    }
    if record["as_of"]:
        found["mainEntityOfPage"]["dateModified"] = record["as_of"]
    if category:
        found["description"] = [{"@language": lang, "@value": category[lang]} for lang in ("fr", "ar")]
    if placed:
        found["geo"] = {"@type": "GeoCoordinates", "latitude": record["_lat"], "longitude": record["_lon"]}
    if street := _both(record, "address"):
        found["address"] = {"@type": "PostalAddress", "streetAddress": street}
    if record["phone"]:
        found["telephone"] = record["phone"]
    if record["website"] and record["website"].startswith(("https://", "http://")):
        found["url"] = record["website"]
    if record["opening_hours"]:
        found |= _hours(record["opening_hours"])
    if code := record["district_code"]:
        area: Json = {"@type": "AdministrativeArea", "@id": links.url("districts", code), "identifier": code}
        if name := catalogue.districts.get(code):
            area["name"] = [{"@language": lang, "@value": name[lang]} for lang in ("fr", "ar")]
        found["areaServed"] = area
    if record["wheelchair"]:
        feature = {"@type": "LocationFeatureSpecification", "name": "wheelchair", "value": record["wheelchair"]}
        found["amenityFeature"] = feature
    more = [_property("category", record["category"])]
    more += [_property("operator", record["operator"])] if record["operator"] else []
    more += [_property("service", service) for service in record["services"] or ()]
    return found | {"additionalProperty": more}

"""Writes an entry of the annuaire as schema.org JSON-LD, for search engines and whoever else gathers places."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from api.links import Links
from layers.catalogue import Catalogue
from layers.definition import Text
from layers.directory import Vocabulary
from layers.hours.calendar import Calendar, Holiday, Month
from layers.hours.report import HOURS

#: In the document itself, as :mod:`api.dcat` has it: whoever reads it needs no other host.
CONTEXT: dict[str, Any] = {
    "@vocab": "https://schema.org/",
    "url": {"@type": "@id"},
    "dayOfWeek": {"@type": "@id"},
}
_DAYS = ("Mo", "Tu", "We", "Th", "Fr", "Sa", "Su")
_NAMES = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_DAY = "(?:" + "|".join(_DAYS) + ")"
#: What ends after midnight may be counted on from the day before, as ``22:00-26:00``.
_SPAN = r"(?:[01]\d|2[0-3]):[0-5]\d-(?:[0-3]\d|4[0-7]):[0-5]\d"
_RULE = re.compile(rf"(?:({_DAY}(?:-{_DAY})?(?:,{_DAY}(?:-{_DAY})?)*) )?({_SPAN}(?:,{_SPAN})*|off|closed)")

#: A week, and at its end what holds on public holidays.
_HOLIDAYS = re.compile(rf"(.*?)\s*;\s*PH ({_SPAN}(?:,{_SPAN})*|off|closed)\s*;?\s*")
#: How schema.org writes that a place is closed all day, and that it is open all day.
_CLOSED, _ALL_DAY = ("00:00", "00:00"), ("00:00", "23:59")
_FULL = 24 * 60

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

    A later rule takes the place of an earlier one on its days, as the syntax has it. A span that ends before it begins,
    or at a time of the next day, lasts past midnight; a day that is open throughout ends at 23:59.
    """
    if value.strip() == "24/7":
        return [[_ALL_DAY] for _ in _DAYS]
    found: list[list[tuple[str, str]]] = [[] for _ in _DAYS]
    for part in value.split(";"):
        match = _RULE.fullmatch(part.strip())
        if match is None:
            return None
        spans = _spans(match[2])
        if spans is None:
            return None
        for day in _days(match[1]):
            found[day] = spans
    return found


def _spans(text: str) -> list[tuple[str, str]] | None:
    """Return the spans of a day; None where one is longer than schema.org can say of a day."""
    if text in ("off", "closed"):
        return []
    found = []
    for opens, closes in (span.split("-") for span in text.split(",")):
        begin, end = _minutes(opens), _minutes(closes)
        end += _FULL if end <= begin else 0
        if end - begin > _FULL or (end - begin == _FULL and begin):
            return None
        # Midnight at a day's end is the next day's beginning, but two midnights would be a closed day.
        found.append(_ALL_DAY if end - begin == _FULL else (opens, f"{end % _FULL // 60:02}:{end % 60:02}"))
    return found


def _minutes(time: str) -> int:
    hours, minutes = time.split(":")
    return int(hours) * 60 + int(minutes)


def _specified(
    days: list[list[tuple[str, str]]], first: dt.date | None = None, last: dt.date | None = None
) -> list[Json]:
    """Return a week as ``OpeningHoursSpecification``; one of some time only says of closed days that they are."""
    grouped: dict[tuple[str, str], list[str]] = {}
    for name, spans in zip(_NAMES, days, strict=True):
        for span in spans or ([_CLOSED] if first else []):
            grouped.setdefault(span, []).append(f"https://schema.org/{name}")
    valid = {"validFrom": first.isoformat(), "validThrough": last.isoformat()} if first and last else {}
    return [
        {"@type": "OpeningHoursSpecification", "dayOfWeek": names, "opens": opens, "closes": closes, **valid}
        for (opens, closes), names in grouped.items()
    ]


@dataclass(frozen=True, slots=True)
class _Hours:
    """What a value says: the spans of each day from Monday, and of public holidays; None where it is not plain."""

    week: list[list[tuple[str, str]]] | None
    holiday: list[tuple[str, str]] | None = None


def _read(value: str | None) -> _Hours:
    parts = _HOLIDAYS.fullmatch(value) if value else None
    if parts is None:
        return _Hours(week(value) if value else None)
    spans = _spans(parts[2])
    return _Hours(None if spans is None else week(parts[1]), spans)


def opening_hours(usual: str | None, ramadan: str | None, calendar: Calendar, today: dt.date, estimated: Text) -> Json:
    """Return hours as schema.org has them: a plain week, Ramadan and public holidays of the year to come as dates.

    What takes the place of the usual week for some time has ``validFrom`` and ``validThrough``; a closed day opens and
    closes at midnight. Days of the moon that are only estimated have ``estimated``, a text by language, as their
    description. A value that says more than a week stays the text that it is, as ``openingHours``; so does what
    follows the sun, of which schema.org would need the times of each day. Where the hours of Ramadan are such a value,
    the usual week has the dates between which it holds, so that nothing is said of the month itself.
    """
    end = today + dt.timedelta(days=365)
    always, fasting = _read(usual), _read(ramadan)
    months = calendar.ramadans(today, end) if ramadan else []
    found: list[Json] = []
    if always.week is not None and (fasting.week is not None or not ramadan):
        found += _specified(always.week)
    elif always.week is not None:
        for first, last in _between(months, today, end):
            found += _specified(always.week, first, last)
    for month in months if fasting.week is not None else ():
        # An entry whose usual hours are not known has those of Ramadan all the same.
        found += _marked(
            _specified(fasting.week or [], month.first, month.last), estimated if month.estimated else None
        )
    if always.week is not None or fasting.week is not None:
        for free in calendar.holidays(today, end):
            within = any(month.first <= free.date <= month.last for month in months)
            spans = (fasting if within else always).holiday
            if spans is not None and (fasting if within else always).week is not None:
                found += _marked(_day_off(free, spans), estimated if free.estimated else None)
    texts: Json = {}
    # Words that hold all year, or that the dates of Ramadan take the place of.
    if usual and always.week is None and (fasting.week is not None or not ramadan):
        texts["openingHours"] = usual
    return texts | ({"openingHoursSpecification": found} if found else {})


def _between(months: Sequence[Month], today: dt.date, end: dt.date) -> Iterator[tuple[dt.date, dt.date]]:
    """Yield first and last days of the times from ``today`` to before ``end`` that lie in none of the months."""
    first, one = today, dt.timedelta(days=1)
    for month in months:
        if first < month.first:
            yield first, month.first - one
        first = max(first, month.last + one)
    if first < end:
        yield first, end - one


def _marked(specified: list[Json], text: Text | None) -> list[Json]:
    return [each | {"description": _in_languages(text)} for each in specified] if text else specified


def _in_languages(text: Text) -> list[Json]:
    return [{"@language": lang, "@value": text[lang]} for lang in ("fr", "ar")]


def _day_off(free: Holiday, spans: Sequence[tuple[str, str]]) -> list[Json]:
    """Return the hours of a public holiday, which has all the names of a day that is several."""
    both = (("fr", free.fr), ("ar", free.ar))
    names = [{"@language": lang, "@value": name} for lang, given in both for name in given]
    day = free.date.isoformat()
    valid = {"validFrom": day, "validThrough": day}
    return [
        {"@type": "OpeningHoursSpecification", "name": names, "opens": opens, "closes": closes, **valid}
        for opens, closes in spans or [_CLOSED]
    ]


def _property(name: str, value: str) -> Json:
    return {"@type": "PropertyValue", "propertyID": name, "value": value}


def linked_place(
    record: Mapping[str, Any],
    vocabulary: Vocabulary,
    catalogue: Catalogue,
    links: Links,
    calendar: Calendar,
    today: dt.date,
    estimated: Text,
) -> Json:
    """Return an entry as a schema.org thing of its category's type, with its names in both languages.

    ``record`` is a row of :func:`layers.queries.entry_statement`. What is unknown is left out. Hours are given as the
    data has them, too, as properties of the names that they have there. ``estimated`` says, by language, that the dates
    of some hours are estimates.
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
        found["description"] = _in_languages(category)
    if placed:
        found["geo"] = {"@type": "GeoCoordinates", "latitude": record["_lat"], "longitude": record["_lon"]}
    if street := _both(record, "address"):
        found["address"] = {"@type": "PostalAddress", "streetAddress": street}
    if record["phone"]:
        found["telephone"] = record["phone"]
    if record["website"] and record["website"].startswith(("https://", "http://")):
        found["url"] = record["website"]
    usual, ramadan = (record[name] for name in HOURS)
    found |= opening_hours(usual, ramadan, calendar, today, estimated)
    if code := record["district_code"]:
        area: Json = {"@type": "AdministrativeArea", "@id": links.url("districts", code), "identifier": code}
        if name := catalogue.districts.get(code):
            area["name"] = _in_languages(name)
        found["areaServed"] = area
    if record["wheelchair"]:
        feature = {"@type": "LocationFeatureSpecification", "name": "wheelchair", "value": record["wheelchair"]}
        found["amenityFeature"] = feature
    more = [_property("category", record["category"])]
    more += [_property("operator", record["operator"])] if record["operator"] else []
    more += [_property(name, record[name]) for name in HOURS if record[name]]
    more += [_property("service", service) for service in record["services"] or ()]
    return found | {"additionalProperty": more}

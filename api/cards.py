"""Cards: what is known of one feature or entry, as texts in the reader's language.

One model serves the map's card, the pages of features and of the annuaire. Its texts are plain; whoever shows them
escapes.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypedDict
from zoneinfo import ZoneInfo

import phonenumbers

from api.hours import write_hours, write_validity
from api.i18n import LANGUAGES, Messages
from api.links import Links
from api.negotiation import Reader
from api.opening import opening_rows
from geo.errors import NotFound
from layers.catalogue import STOPS, PublishedLayer
from layers.definition import FieldDefinition, LayerDefinition
from layers.hours.report import HOURS
from layers.marks import without_turns
from layers.queries import entry_statement, linked_statement, names_statement, record_statement

if TYPE_CHECKING:
    from api.state import State

#: A boolean field of this name marks demonstration rows, which every interface shows as such.
DEMO = "demo"
_NAMES = ("name_fr", "name_ar")
_ENTRY_ROWS = (*HOURS, "phone", "website", "address", "wheelchair", "services", "district_code", "operator")


class Row(TypedDict, total=False):
    """One line of a card: a label and a value, a link where it leads somewhere, several values for a list.

    A note says of the value when it holds.
    """

    kind: str
    label: str
    value: str
    values: list[dict[str, str]]
    href: str
    dir: str
    known: bool
    note: str


class Card(TypedDict):
    """A card, see the module's docstring."""

    id: str
    layer: dict[str, str] | None
    title: str
    title_lang: str
    alternate: str
    subtitle: str
    badges: list[dict[str, str]]
    rows: list[Row]
    links: list[dict[str, str]]
    notice: str | None
    source: str
    attribution: str | None
    point: tuple[float, float] | None


def phone_link(value: str) -> tuple[str, str]:
    """Return a phone number as people read it, and as a ``tel:`` link (RFC 3966)."""
    try:
        number = phonenumbers.parse(value)
    except phonenumbers.NumberParseException:
        return value, "tel:" + "".join(character for character in value if character in "+0123456789")
    written = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.INTERNATIONAL)
    return written, "tel:" + phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def unit(t: Messages, symbol: str) -> str:
    """Return a unit's symbol as the reader's language writes it."""
    key = f"cards.units.{symbol}"
    return t(key) if t.has(key) else symbol


def _moment(t: Messages, text: str, zone: ZoneInfo) -> str:
    """Write a date or moment; those that Python's calendar does not reach stay as PostgreSQL writes them."""
    try:
        if len(text) == 10:
            return t.date(dt.date.fromisoformat(text))
        moment = dt.datetime.fromisoformat(text).astimezone(zone)
    except (ValueError, OverflowError):
        return text
    return f"{t.date(moment.date())} {moment:%H:%M}"


def _plain(t: Messages, field: FieldDefinition, value: Any, zone: ZoneInfo) -> str:
    if field.values and value in field.values:
        return field.values[value][t.lang]
    if field.format == "month":
        return t.month(str(value))
    if field.type in ("date", "timestamp"):
        return _moment(t, str(value), zone)
    written = t.write(value)
    return f"{written} {unit(t, field.unit)}" if field.unit else written


def value_label(field: FieldDefinition, value: str, lang: str, state: State) -> str:
    """Return the name of one of a field's values; the value itself where it has none."""
    if field.format == "category":
        return state.vocabulary.category(value, lang)
    return field.values[value][lang] if field.values and value in field.values else value


def cell(t: Messages, field: FieldDefinition, value: Any, state: State) -> str:
    """Write a value of a feature's GeoJSON for a table; an empty text for an unknown one."""
    if value is None:
        return ""
    if field.format == "district" and value in state.catalogue.districts:
        return state.catalogue.districts[value][t.lang]
    if field.format == "category":
        return state.vocabulary.category(value, t.lang)
    if field.format == "stops":
        return t("cards.stops", count=len(value.split()))
    if isinstance(value, list):
        return t("layout.comma").join(
            field.values[part][t.lang] if field.values and part in field.values else part for part in value
        )
    if field.format == "opening-hours":
        return " · ".join(write_hours(value, t))
    return _plain(t, field, value, state.settings.zone)


def _unknown(label: str, t: Messages) -> Row:
    return {"kind": "text", "label": label, "value": t("cards.unknown"), "known": False}


def _special(format_: str, label: str, value: Any, t: Messages, state: State, links: Links) -> Row | None:
    """Return the row of a value with a format of its own, None for a plain one."""
    if format_ == "opening-hours":
        return {
            "kind": "hours",
            "label": label,
            "value": value,
            "values": [{"text": line} for line in write_hours(value, t)],
        }
    if format_ == "phone":
        numbers = value if isinstance(value, list) else [value]
        written = [phone_link(number) for number in numbers]
        return {
            "kind": "phone", "label": label, "value": written[0][0], "href": written[0][1], "dir": "ltr",
            "values": [{"text": text, "href": href} for text, href in written],
        }  # fmt: skip
    if format_ == "url" and value.startswith(("https://", "http://")):
        shown = value.split("://", 1)[1].removeprefix("www.").rstrip("/")
        return {"kind": "link", "label": label, "value": shown, "href": value, "dir": "ltr"}
    if format_ == "district" and value in state.catalogue.districts:
        name = state.catalogue.districts[value][t.lang]
        return {
            "kind": "place",
            "label": label,
            "value": name,
            "href": links.url("districts", value, lang=t.lang),
        }
    return None


async def _stops(label: str, value: str, t: Messages, state: State, links: Links) -> Row:
    ids = value.split()
    layer = state.catalogue.by_id.get(STOPS)
    rows = await state.database.rows(names_statement(layer), ids=ids) if layer else []
    names = {row["id"]: row["name_ar" if t.lang == "ar" else "name_fr"] for row in rows}
    values = [
        {"text": names.get(key, key), "href": links.url("collections", STOPS, "items", key, lang=t.lang)} for key in ids
    ]
    return {"kind": "list", "label": label, "value": t("cards.stops", count=len(ids)), "values": values}


async def _row(field: FieldDefinition, value: Any, t: Messages, state: State, links: Links) -> Row:
    label = field.label[t.lang]
    if value is None or value == []:
        return _unknown(label, t)
    if field.format == "stops":
        return await _stops(label, value, t, state, links)
    special = _special(field.format, label, value, t, state, links) if field.format else None
    if special:
        return special
    if isinstance(value, list):
        written = [field.values[part][t.lang] if field.values and part in field.values else part for part in value]
        return {
            "kind": "list",
            "label": label,
            "value": t("layout.comma").join(written),
            "values": [{"text": part} for part in written],
        }
    return {"kind": "text", "label": label, "value": _plain(t, field, value, state.settings.zone)}


def _title(record: Mapping[str, Any], lang: str) -> tuple[str, str, str]:
    """Return the name in the reader's language, which language it is in, and the other name."""
    other = "fr" if lang == "ar" else "ar"
    own, foreign = record[f"name_{lang}"], record[f"name_{other}"]
    return (own, lang, foreign) if own else (foreign, other, "")


def _source(source: str | None, as_of: str | None, t: Messages, state: State) -> str:
    known = state.vocabulary.sources.get(source or "")
    source = known[t.lang] if known else without_turns(source or "")
    if source and as_of:
        return t("cards.source-dated", source=source, date=t.month(as_of))
    return t("cards.source", source=source) if source else ""


def _directions(lon: float | None, lat: float | None, t: Messages) -> list[dict[str, str]]:
    if lon is None or lat is None:
        return []
    # A web address opens on every device; map programs on phones take it over.
    href = f"https://www.openstreetmap.org/directions?to={lat:.6f}%2C{lon:.6f}"
    return [{"rel": "directions", "href": href, "text": t("cards.directions")}]


def _foreign(definition: LayerDefinition, field: FieldDefinition, lang: str) -> bool:
    """Tell whether a field is the twin, in the other language, of a field that the reader is shown."""
    stem, _, own = field.name.rpartition("_")
    return own in LANGUAGES and own != lang and definition.field(f"{stem}_{lang}") is not None


def table_fields(definition: LayerDefinition, lang: str) -> list[FieldDefinition]:
    """Return the fields of a layer's table for people, the name in their language first."""
    name = f"name_{lang}"
    fields = [field for field in definition.fields if field.card and not _foreign(definition, field, lang)]
    return sorted(fields, key=lambda field: field.name != name)


def _shown(definition: LayerDefinition, lang: str, asked: Sequence[str] | None) -> list[FieldDefinition]:
    """Return the fields of a card: those asked for, in this order, else those that the definition says.

    That a thing is an example is always said. Of a pair of fields in both languages it is the reader's.
    """
    if asked is None:
        fields = [field for field in definition.fields if field.card or field.name == DEMO]
        return [field for field in fields if not _foreign(definition, field, lang)]
    found = []
    for name in (DEMO, *asked):
        field = definition.field(name)
        if field is not None and _foreign(definition, field, lang):
            field = definition.field(f"{name.rpartition('_')[0]}_{lang}")
        if field is not None and field not in found:
            found.append(field)
    return found


async def feature_card(
    state: State,
    layer: PublishedLayer,
    key: str,
    reader: Reader,
    links: Links,
    asked: Sequence[str] | None = None,
    *,
    lasting: bool = False,
) -> Card:
    """Make the card of one feature, with all fields that its definition shows or with those that are asked for.

    One that is kept, ``lasting``, says nothing of this moment.

    Raises
    ------
    NotFound
        When the layer has no feature of this id.
    """
    definition, t = layer.definition, reader.t
    if definition.entries:
        return await _listed_card(state, layer, key, reader, links, lasting=lasting)
    record = await state.database.row(record_statement(layer), id=key)
    if record is None:
        raise NotFound("feature.unknown", parameter="featureId", value=key[:80], collection=layer.id)
    badges: list[dict[str, str]] = []
    columns = definition.directory.columns if definition.directory else {}
    ramadan = columns.get("opening_hours_ramadan")
    said = _validity(state, t, record[ramadan] if ramadan else None, lasting=lasting)
    notes = {columns[name]: note for name, note in said.items() if name in columns}
    subtitle = ""
    rows: list[Row] = []
    for field in _shown(definition, reader.lang, asked):
        value = record[field.name]
        # Without hours of its own, Ramadan is as usual.
        if field.name in _NAMES or (value is None and field.name == ramadan):
            continue
        if field.name == DEMO:
            if value:
                badges.append({"kind": "demo", "value": "true", "text": t("cards.demo")})
        elif field.values and value is not None and field.name == definition.style.by and definition.temporal:
            # What comes and goes has a state; what stays has a category.
            badges.insert(0, {"kind": "state", "value": value, "text": _plain(t, field, value, state.settings.zone)})
        elif field.values and value is not None and not subtitle and field.required and field.type == "text":
            subtitle = _plain(t, field, value, state.settings.zone)
        else:
            row = await _row(field, value, t, state, links)
            rows.append(_noted(row, notes.get(field.name)))
    place = definition.places
    entry = record["entry_id"]
    if entry and place and not lasting:
        _add_opening(rows, await opening_rows(state, entry, t))
    if entry and not place:
        rows.append(await _body(state, entry, reader, links))
    title, title_lang, alternate = _title(record, reader.lang)
    own = links.url("directory", entry) if entry and place else links.url("collections", layer.id, "items", key)
    return {
        "id": key,
        "layer": {"id": layer.id, "title": definition.title[reader.lang]},
        "title": title,
        "title_lang": title_lang,
        "alternate": alternate,
        "subtitle": subtitle,
        "badges": badges,
        "rows": rows,
        "links": [
            {"rel": "canonical", "href": own, "text": t("cards.page")},
            *_directions(record["_lon"], record["_lat"], t),
        ],
        "notice": _notice(definition, record, reader.lang),
        "source": _source(record.get("source") or definition.source[reader.lang], record.get("as_of"), t, state),
        "attribution": definition.attribution[reader.lang],
        "point": (record["_lon"], record["_lat"]),
    }


async def _listed_card(
    state: State, layer: PublishedLayer, key: str, reader: Reader, links: Links, *, lasting: bool
) -> Card:
    """Make the card of an entry as a feature of the annuaire's layer."""
    card, _ = await entry_card(state, key, reader, links, lasting=lasting)
    card["layer"] = {"id": layer.id, "title": layer.definition.title[reader.lang]}
    own = {"rel": "canonical", "href": links.url("directory", key), "text": reader.t("cards.page")}
    card["links"].insert(0, own)
    card["attribution"] = layer.definition.attribution[reader.lang]
    return card


def _notice(definition: LayerDefinition, record: Mapping[str, Any], lang: str) -> str | None:
    """Return the layer's notice; where it speaks of demonstration rows, a real row goes without."""
    real = definition.field(DEMO) is not None and not record[DEMO]
    return definition.notice[lang] if definition.notice and not real else None


def _validity(state: State, t: Messages, ramadan: str | None, *, lasting: bool) -> dict[str, str]:
    """Return what there is to say of when hours hold, by the names of an entry's columns."""
    today = dt.datetime.now(state.settings.zone).date()
    return write_validity(t, state.calendar, today, lasting=lasting) if ramadan else {}


def _noted(row: Row, note: str | None) -> Row:
    """Return a row with a note, where there is one and hours that it is about."""
    return {**row, "note": note} if note and row["kind"] == "hours" else row


def _add_opening(rows: list[Row], opening: list[Row]) -> None:
    """Put what holds now ahead of the hours, if there are any."""
    position = next((number for number, row in enumerate(rows) if row["kind"] == "hours"), None)
    if position is not None:
        rows[position:position] = opening


async def _body(state: State, entry: str, reader: Reader, links: Links) -> Row:
    record = await state.database.row(entry_statement(), id=entry)
    label = reader.t("cards.body")
    if record is None:
        return _unknown(label, reader.t)
    name = _title(record, reader.lang)[0]
    return {"kind": "place", "label": label, "value": name, "href": links.url("directory", entry, lang=reader.lang)}


async def entry_card(
    state: State, key: str, reader: Reader, links: Links, *, lasting: bool = False
) -> tuple[Card, list[dict[str, Any]]]:
    """Make the card of an entry of the annuaire, and the features that are linked to it, by layer.

    One that is kept, ``lasting``, says nothing of this moment.

    Raises
    ------
    NotFound
        When the annuaire has no entry of this id.
    """
    t = reader.t
    record = await state.database.row(entry_statement(), id=key)
    if record is None:
        raise NotFound("entry.unknown", parameter="entryId", value=key[:80])
    ramadan = record["opening_hours_ramadan"]
    names = [name for name in _ENTRY_ROWS if ramadan or name != "opening_hours_ramadan"]
    notes = _validity(state, t, ramadan, lasting=lasting)
    rows = [_noted(_entry_row(name, record, reader, state, links), notes.get(name)) for name in names]
    if not lasting:
        _add_opening(rows, await opening_rows(state, key, t))
    title, title_lang, alternate = _title(record, reader.lang)
    card: Card = {
        "id": key,
        "layer": None,
        "title": title,
        "title_lang": title_lang,
        "alternate": alternate,
        "subtitle": state.vocabulary.category(record["category"], reader.lang),
        "badges": [],
        "rows": rows,
        "links": _directions(record["_lon"], record["_lat"], t),
        "notice": None,
        "source": _source(record["source"], record["as_of"], t, state),
        "attribution": None,
        "point": None if record["_lon"] is None else (record["_lon"], record["_lat"]),
    }
    return card, await _linked(state, key, reader)


def address_of(record: Mapping[str, Any], lang: str) -> str | None:
    """Return an entry's address in the reader's language, or in the other one where it has only that."""
    french, arabic = record["address_fr"], record["address_ar"]
    found: str | None = (arabic or french) if lang == "ar" else (french or arabic)
    return found


def describe(name: str, kind: str, area: str | None, t: Messages, address: str | None = None) -> str:
    """Say in one line what and where a thing is, as search engines and shared links show it under its name."""
    what = t("layout.comma").join(part for part in (kind, area) if part)
    text = t("cards.described", name=name, what=what)
    text += t("cards.described-address", address=address.rstrip(" .")) if address else ""
    return " ".join(without_turns(text).split())


def _entry_row(name: str, record: Mapping[str, Any], reader: Reader, state: State, links: Links) -> Row:
    t = reader.t
    label = t(f"cards.fields.{name}")
    value = address_of(record, reader.lang) if name == "address" else record[name]
    if value is None or value == []:
        return _unknown(label, t)
    formats = {
        "opening_hours": "opening-hours",
        "opening_hours_ramadan": "opening-hours",
        "phone": "phone",
        "website": "url",
        "district_code": "district",
    }
    special = _special(formats[name], label, value, t, state, links) if name in formats else None
    if special:
        return special
    if name == "wheelchair":
        return {"kind": "text", "label": label, "value": t(f"cards.wheelchair.{value}")}
    text = t("layout.comma").join(value) if isinstance(value, list) else value
    return {"kind": "text", "label": label, "value": text}


async def place_of(state: State, entry: str) -> str | None:
    """Return the feature that an entry is on maps, ``layer/feature``; None for a body without a place of its own."""
    for layer in state.catalogue.drawn():
        if layer.definition.places:
            rows = await state.database.rows(linked_statement(layer), entry_id=entry)
            if any(row["id"] == entry for row in rows):
                return f"{layer.id}/{entry}"
    return None


async def _linked(state: State, key: str, reader: Reader) -> list[dict[str, Any]]:
    """Return the features linked to an entry: for each layer that has any, its title and (id, name) pairs."""
    found = []
    for layer in state.catalogue.layers():
        if not layer.definition.linked:
            continue
        rows = await state.database.rows(linked_statement(layer), entry_id=key)
        rows = [row for row in rows if not layer.definition.places or row["id"] != key]
        if rows:
            features = [(row["id"], row["name_ar" if reader.lang == "ar" else "name_fr"]) for row in rows]
            found.append({"layer": layer, "title": layer.definition.title[reader.lang], "features": features})
    return found

"""A layer counted and measured by district, by field, by grid or as a whole: JSON, CSV, GeoJSON for a map, a page."""

from __future__ import annotations

import csv
import io
import json
import math
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from api import cards, params, questions
from api.answers import bytes_answer, dumps
from api.links import FEATURE_TYPES, GEOJSON, HTML, JSON, Link, Links, link, link_header
from api.negotiation import Reader, format_of
from api.pages import page
from api.routes.dependencies import LayerDep, LinksDep, ReaderDep, state_of
from geo.errors import InvalidInput
from layers.aggregates import MAX_GROUPS, MAX_PAIRS, AggregateShape, aggregate_statement
from layers.catalogue import DISTRICTS, PublishedLayer
from layers.lines import harmless

router = APIRouter()
CSV = FEATURE_TYPES["csv"]
_TYPES = {"json": JSON, "csv": CSV, "geojson": GEOJSON, "html": HTML}
_UNITS = {"area": "m²", "length": "m"}
#: Rows of the page; programs get all.
PAGE_ROWS = 1000


@dataclass(frozen=True, slots=True)
class Answer:
    """An aggregation's result, in the reader's language.

    ``rows`` are the results with their columns in order; ``shapes`` their geometries as GeoJSON texts.
    """

    layer: PublishedLayer
    shape: AggregateShape
    rows: list[dict[str, object]]
    shapes: list[str | None]
    warning: str | None
    note: str | None

    @property
    def head(self) -> dict[str, object]:
        """What is said of the whole result."""
        shape, coverage = self.shape, self.layer.definition.coverage
        said: dict[str, object] = {
            "collection": self.layer.id,
            "measure": shape.measure,
            "field": shape.field,
            "by": shape.group or (None if shape.by == "all" else shape.by),
            "unit": self.unit,
            "coverage": coverage,
        }
        if shape.by == "grid":
            said["gridCrs"] = f"http://www.opengis.net/def/crs/EPSG/0/{shape.grid_srid}"
        if shape.population:
            said |= {"per": questions.PER, "population": shape.population}
        return said | {name: text for name, text in (("warning", self.warning), ("note", self.note)) if text}

    @property
    def unit(self) -> str | None:
        """The unit of the values, where they have one."""
        field = self.layer.definition.field(self.shape.field) if self.shape.field else None
        return field.unit if field else _UNITS.get(self.shape.measure)


def _number(value: Any) -> object:
    """Return a number that JSON has: whole where it is, null where there is none."""
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def _rate(value: object, population: object) -> float | None:
    if not isinstance(value, int | float) or not isinstance(population, int) or population <= 0:
        return None
    return value / population * 1000


def _label(request: Request, layer: PublishedLayer, shape: AggregateShape, key: Any, reader: Reader) -> str:
    t, state = reader.t, state_of(request)
    if shape.by == "district":
        name = state.catalogue.districts.get(key)
        return t("questions.outside") if key is None else name[reader.lang] if name else str(key)
    if shape.by == "grid":
        return t("questions.off-grid") if key is None else str(key)
    if shape.by == "all":
        return t("questions.all")
    field = layer.definition.field(shape.group or "")
    if key is None or field is None:
        return t("cards.unknown")
    if field.type == "text[]":
        return field.values[key][reader.lang] if field.values and key in field.values else str(key)
    return cards.cell(t, field, key, state)


def _key(shape: AggregateShape, row: Any) -> Any:
    """Return the key of a group; a cell is named by its south-west corner in metres."""
    if shape.by == "grid":
        return None if row["x"] is None else f"{row['x']:.12g}_{row['y']:.12g}"
    return json.loads(row["key"]) if shape.by == "field" and row["key"] is not None else row["key"]


def _placeless(shape: AggregateShape, row: Any) -> bool:
    """Tell whether a group is that of entries without a place, which are neither inside nor outside."""
    return shape.by in ("district", "grid") and bool(row["placeless"])


def _note(shape: AggregateShape, found: list[Any], reader: Reader) -> str | None:
    """Say what is in no district or cell, and what has no place that anybody knows."""
    without = [row for row in found if _key(shape, row) is None] if shape.by in ("district", "grid") else []
    said = []
    for row in without:
        # Parts of features may be outside though none is there as a whole.
        kind = "placeless" if row["placeless"] else shape.by if row["count"] else "parts"
        said.append(reader.t(f"questions.note.{kind}", count=row["count"]))
    return " ".join(said) or None


def _results(
    request: Request, layer: PublishedLayer, shape: AggregateShape, found: list[Any], reader: Reader
) -> list[dict[str, object]]:
    rows = []
    for row in found:
        key = _key(shape, row)
        label = (
            reader.t("questions.placeless") if _placeless(shape, row) else _label(request, layer, shape, key, reader)
        )
        made: dict[str, object] = {"key": key, "label": label}
        if shape.by == "grid":
            made |= {"x": _number(row["x"]), "y": _number(row["y"])}
        made |= {"count": row["count"], "value": _number(row["value"])}
        if shape.population:
            made |= {"population": row["population"], "rate": _rate(made["value"], row["population"])}
        rows.append(made)
    return rows


def _check(shape: AggregateShape, rows: list[Any]) -> None:
    """Refuse an answer that is too long to be useful."""
    if shape.by == "grid" and rows and rows[0]["pairs"] > MAX_PAIRS:
        raise InvalidInput("aggregate.cells", parameter="size", count=int(rows[0]["pairs"]), allowed=str(MAX_PAIRS))
    if len(rows) > MAX_GROUPS:
        parameter = "size" if shape.by == "grid" else "by"
        raise InvalidInput("aggregate.groups", parameter=parameter, allowed=str(MAX_GROUPS))


async def _answer(
    request: Request, layer: PublishedLayer, given: dict[str, str], reader: Reader, geometry: bool
) -> Answer:
    state = state_of(request)
    shape, values = questions.aggregate_of(layer, given, state.settings.zone, state.catalogue, geometry)
    statement = aggregate_statement(layer, shape, state.catalogue.by_id.get(DISTRICTS))
    found = await state.database.rows(statement, **values)
    _check(shape, found)
    found = [row for row in found if row["count"] is not None]
    coverage = layer.definition.coverage
    warning = reader.t(f"questions.warning.{coverage}") if shape.population and coverage != "complete" else None
    rows = _results(request, layer, shape, found, reader)
    note = _note(shape, found, reader)
    shapes = [row["geometry"] for row in found] if shape.geometry else [None] * len(found)
    return Answer(layer, shape, rows, shapes, warning, note)


@router.api_route("/collections/{collection}/aggregate", methods=["GET", "HEAD"])
async def aggregate(request: Request, layer: LayerDep, reader: ReaderDep, links: LinksDep) -> Response:
    """Answer with a layer's features counted or measured in groups."""
    given = params.read(request, (params.SELECT | questions.AGGREGATE).union(params.equalities(layer)))
    wanted = format_of(request, "json", "csv", "geojson", "html")
    answer = await _answer(request, layer, given, reader, wanted == "geojson")
    found = _links(layer, links, given, wanted)
    if wanted == "html":
        return _page(request, reader, answer, given)
    headers = {"Link": link_header(found)}
    if wanted == "csv":
        headers["Content-Disposition"] = f'inline; filename="{layer.id}-aggregate.csv"'
        return _limited(request, _csv(answer), reader, f"{CSV}; charset=utf-8", headers)
    if wanted == "geojson":
        return _limited(request, _geojson(answer, found), reader, GEOJSON, headers)
    body = dumps({**answer.head, "results": answer.rows, "links": found})
    return _limited(request, body, reader, JSON, headers)


def _limited(request: Request, body: bytes, reader: Reader, media_type: str, headers: dict[str, str]) -> Response:
    largest = state_of(request).settings.max_bytes
    if len(body) > largest:
        raise InvalidInput("aggregate.bytes", parameter="f", allowed=str(largest))
    return bytes_answer(body, reader, media_type=media_type, headers=headers)


def _links(layer: PublishedLayer, links: Links, given: dict[str, str], wanted: str) -> list[Link]:
    here = {name: value for name, value in given.items() if name != "f"}
    path = ("collections", layer.id, "aggregate")
    found = [link("self", links.url(*path, **here, f=wanted), _TYPES[wanted])]
    found += [
        link("alternate", links.url(*path, **here, f=name), media_type)
        for name, media_type in _TYPES.items()
        if name != wanted
    ]
    return [*found, link("collection", links.url("collections", layer.id), JSON)]


def _flat(answer: Answer) -> list[dict[str, object]]:
    """Return the rows with what tables without a head must carry in each of them."""
    more: dict[str, object] = {"coverage": answer.layer.definition.coverage}
    if answer.shape.population:
        more["warning"] = answer.warning
    return [{**row, **more} for row in answer.rows]


def _columns(answer: Answer) -> list[str]:
    shape = answer.shape
    return [
        "key",
        "label",
        *(["x", "y"] if shape.by == "grid" else []),
        "count",
        "value",
        "measure",
        "unit",
        *(["population", "rate"] if shape.population else []),
        "coverage",
        *(["warning"] if shape.population else []),
    ]


def _csv(answer: Answer) -> bytes:
    """Write the rows as RFC 4180 has it; what other formats say once is a column, so that it stays with every row."""
    said = {"measure": answer.shape.measure, "unit": answer.unit}

    def written(value: object) -> object:
        if isinstance(value, str):
            return harmless(value)
        return str(value).lower() if isinstance(value, bool) else value

    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, _columns(answer), lineterminator="\r\n")
    writer.writeheader()
    writer.writerows({name: written(value) for name, value in (row | said).items()} for row in _flat(answer))
    return text.getvalue().encode()


def _geojson(answer: Answer, found: list[Link]) -> bytes:
    """Write the rows as features with the shape of their district or cell, ready to be coloured."""
    features = [
        b'{"type":"Feature",'
        + (b"" if row["key"] is None else b'"id":' + dumps(row["key"]) + b",")
        + b'"geometry":'
        + (shape or "null").encode()
        + b',"properties":'
        + dumps(row)
        + b"}"
        for row, shape in zip(_flat(answer), answer.shapes, strict=True)
    ]
    head = dumps({"type": "FeatureCollection", **answer.head, "links": found})
    return head[:-1] + b',"features":[' + b",".join(features) + b"]}"


def _chosen(request: Request, reader: Reader, layer: PublishedLayer, given: dict[str, str]) -> list[tuple[str, str]]:
    """Say which features were chosen, in the reader's words where there are some."""
    said = []
    for name, value in given.items():
        field = layer.definition.field(name) if name not in questions.AGGREGATE else None
        if field is not None:
            said.append((field.label[reader.lang], cards.value_label(field, value, reader.lang, state_of(request))))
        elif name in params.SELECT or name == "entry_id":
            said.append((name, value))
    return said


def _readable(shape: AggregateShape, row: dict[str, object]) -> dict[str, object]:
    """Return a row for people: nobody reads a hundredth of a metre."""
    value = row["value"]
    return {**row, "value": round(value)} if shape.measure in _UNITS and isinstance(value, float) else row


def _page(request: Request, reader: Reader, answer: Answer, given: dict[str, str]) -> Response:
    shape, t = answer.shape, reader.t
    definition = answer.layer.definition
    field = definition.field(shape.field) if shape.field else None
    group = definition.field(shape.group) if shape.group else None
    population = None
    if shape.population:
        districts = state_of(request).catalogue.by_id[DISTRICTS].definition
        described = districts.field(shape.population)
        population = described.label[reader.lang] if described else shape.population
    unit = cards.unit(t, answer.unit) if answer.unit else None
    measure = t(f"questions.measure.{shape.measure}") + (f" – {field.label[reader.lang]}" if field else "")
    # A count is its own value.
    columns = [
        *(["count"] if shape.measure != "count" else []),
        "value",
        *(["population", "rate"] if shape.population else []),
    ]
    rows = [_readable(shape, row) for row in answer.rows[:PAGE_ROWS]]
    numbers = {name: [value for row in rows if isinstance(value := row[name], int | float)] for name in columns}
    return page(
        request,
        "aggregate.html",
        reader.lang,
        layer=answer.layer,
        definition=definition,
        measure=measure,
        unit=unit,
        heading=group.label[reader.lang] if group else t(f"questions.by.{shape.by}"),
        population=population,
        chosen=_chosen(request, reader, answer.layer, given),
        columns={name: t.decimals(numbers[name]) for name in columns},
        rows=rows,
        total=len(answer.rows),
        warning=answer.warning,
        here={name: value for name, value in given.items() if name not in ("f", "lang")},
    )

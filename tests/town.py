"""A town of seeded layers of every kind of geometry, whose features the tests know exactly."""

from __future__ import annotations

import datetime as dt
import json
import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
import psycopg
import pyproj
import shapely
from shapely.geometry import LineString, MultiPolygon, Point
from shapely.geometry.base import BaseGeometry

from api.settings import Settings
from layers.database import admin_engine
from layers.definition import LayerDefinition, parse_definition
from layers.migrate import upgrade
from layers.publish import publish
from layers.shipped import load_shipped
from layers.tables import apply_definition
from tests.conftest import DATA, free_port, quiet, running, throwaway_cluster

TO_DEGREES = pyproj.Transformer.from_crs(26191, 4326, always_xy=True)
TO_METRES = pyproj.Transformer.from_crs(4326, 26191, always_xy=True)
TO_UTM = pyproj.Transformer.from_crs(4326, 32629, always_xy=True)
CENTRE = (-7.6, 33.57)
TYPES = {
    "kind": "text", "amount": "integer", "score": "number", "day": "date", "open": "boolean", "tags": "text[]",
    "label": "text", "begin": "timestamp", "finish": "timestamp",
}  # fmt: skip
#: Texts with whatever a filter's text has to write with care.
LABELS = [
    "", " ", "Aïn Chock", "AÏN CHOCK", "Ain Chock", "ain chock", "l'Hermitage", "L''x", "100%", "100", "a_b", "aXb",
    "a%b", "a\\b", "\\", "ab", "Straße", "STRASSE", "strasse", "Οδος", "ΟΔΟΣ", "مدرسة", "مَدْرَسَة", "مـدرسة", "été", "ÉTÉ", "Ete",
    'dit "x"', "tab\there", "København", "e\u0301te\u0301", "(a)", "a,b", "NOT", "1e3", "😀",
]  # fmt: skip


@dataclass
class Thing:
    """A feature: its id, geometry in the layer's CRS and in degrees, and properties."""

    id: str
    geometry: BaseGeometry
    degrees: BaseGeometry
    properties: dict[str, Any] = field(default_factory=dict)


class Town:
    """The service with the town's layers, and what they hold.

    No dataclass: reports of failures would show all of it.
    """

    def __init__(
        self,
        url: str,
        client: httpx.Client,
        layers: dict[str, list[Thing]],
        definitions: dict[str, LayerDefinition],
    ) -> None:
        self.url = url
        self.client = client
        self.layers = layers
        self.definitions = definitions

    def get(self, path: str, **params: Any) -> dict[str, Any]:
        """Return the JSON of a question that must have an answer."""
        answer = self.client.get(path, params={name.replace("_", "-"): value for name, value in params.items()})
        assert answer.status_code == 200, answer.text
        body: dict[str, Any] = answer.json()
        return body


def _definition(name: str, kind: str, srid: int, coverage: str) -> LayerDefinition:
    both = {"fr": name, "ar": "كلمة"}
    names = [{"name": f"name_{lang}", "label": both, "required": True} for lang in ("fr", "ar")]
    kinds = {letter: {"fr": f"Sorte {letter}", "ar": f"نوع {letter}"} for letter in "abc"}
    fields = [{"name": key, "type": type_, "label": both} for key, type_ in TYPES.items()]
    fields[0]["values"] = kinds
    raw = {
        "id": name, "title": both, "description": both, "theme": "other", "source": both, "attribution": both,
        "geometry": {"type": kind, "srid": srid, "quality": "surveyed"}, "style": {"colour": "#112233"},
        "coverage": coverage, "fields": [*names, *fields], "update": "irregular",
        "temporal": {"start": "begin", "end": "finish"},
        "licence": {"id": "x", "url": "https://example.org"},
    }  # fmt: skip
    return parse_definition(json.dumps(raw), f"{name}.yaml")


def _move(geometry: BaseGeometry, transformer: pyproj.Transformer) -> BaseGeometry:
    moved: BaseGeometry = shapely.transform(geometry, transformer.transform, interleaved=False)
    return moved


def _layers(chance: random.Random) -> dict[str, tuple[str, int, str, list[BaseGeometry]]]:
    def near() -> tuple[float, float]:
        return round(CENTRE[0] + chance.uniform(-0.2, 0.2), 7), round(CENTRE[1] + chance.uniform(-0.12, 0.12), 7)

    def walk() -> LineString:
        x, y = near()
        steps = [(x, y)]
        for _ in range(chance.randint(1, 12)):
            x, y = x + chance.uniform(-0.004, 0.004), y + chance.uniform(-0.004, 0.004)
            steps.append((x, y))
        return LineString(steps)

    def area() -> BaseGeometry:
        middle = _move(Point(near()), TO_METRES)
        return middle.buffer(chance.uniform(30, 900), quad_segs=chance.randint(2, 6))

    def anywhere() -> Point:
        return Point(round(chance.uniform(-180, 180), 6), round(chance.uniform(-90, 90), 6))

    world = [anywhere() for _ in range(300)]
    world += [Point(180, 0), Point(-180, 0.001), Point(179.9999, 1), Point(-179.9999, 1), Point(0, 90), Point(50, -90)]
    works = [Point(near()) for _ in range(40)] + [walk() for _ in range(40)]
    works += [_move(area(), TO_DEGREES) for _ in range(40)] + [shapely.MultiPoint([near(), near()]) for _ in range(5)]
    return {
        "kiosks": ("Point", 4326, "partial", [Point(near()) for _ in range(3000)]),
        "plots": ("Point", 26191, "unknown", [_move(Point(near()), TO_METRES) for _ in range(1500)]),
        "roads": ("LineString", 4326, "complete", [walk() for _ in range(250)]),
        "zones": ("MultiPolygon", 26191, "complete", [MultiPolygon([area()]) for _ in range(200)]),
        "works": ("Geometry", 4326, "unknown", works),
        "world": ("Point", 4326, "complete", world),
        "twins": ("Point", 4326, "complete", [Point(CENTRE)] * 20 + [Point(-7.5, 33.57)] * 20),
        "nothing": ("Point", 4326, "complete", []),
    }


def _properties(chance: random.Random) -> dict[str, Any]:
    return {
        "kind": chance.choice("abc") if chance.random() < 0.9 else None,
        "amount": chance.randint(-50, 50) if chance.random() < 0.9 else None,
        "score": round(chance.uniform(-10, 10), 3) if chance.random() < 0.9 else None,
        "day": dt.date(2026, 1, 1) + dt.timedelta(days=chance.randint(0, 20)) if chance.random() < 0.9 else None,
        "open": chance.choice([True, False, None]),
        "tags": chance.sample(["x", "y", "z"], chance.randint(1, 3)) if chance.random() < 0.8 else None,
    }


def _moments(chance: random.Random) -> dict[str, Any]:
    """Return a text and a span of time, whose ends often meet those of others."""
    begin = dt.datetime(2026, 1, 1, tzinfo=dt.UTC) + dt.timedelta(hours=6 * chance.randint(0, 40))
    finish = begin + dt.timedelta(hours=6 * chance.randint(0, 12))
    return {
        "label": chance.choice(LABELS) if chance.random() < 0.9 else None,
        "begin": begin if chance.random() < 0.9 else None,
        "finish": finish if chance.random() < 0.9 else None,
    }


def _fill(url: str) -> tuple[dict[str, list[Thing]], dict[str, LayerDefinition]]:
    # The second apart, so that what it gives leaves the geometries as they are.
    chance, other = random.Random(26191), random.Random(21065)
    things, definitions = {}, {}
    for name, (kind, srid, coverage, geometries) in _layers(chance).items():
        definition = definitions[name] = _definition(name, kind, srid, coverage)
        to_degrees = pyproj.Transformer.from_crs(srid, 4326, always_xy=True)
        things[name] = [
            Thing(f"{name}-{number:04}", geometry, _move(geometry, to_degrees), _properties(chance) | _moments(other))
            for number, geometry in enumerate(geometries)
        ]
        with admin_engine(url).begin() as connection:
            table, _ = apply_definition(connection, definition)
            rows = [
                {
                    **thing.properties, "id": thing.id, "name_fr": thing.id, "name_ar": thing.id,
                    "geom": shapely.to_wkb(shapely.set_srid(thing.geometry, srid), hex=True, include_srid=True),
                }
                for thing in things[name]
            ]  # fmt: skip
            # Not in the order of their ids, so that an order by id is no accident.
            chance.shuffle(rows)
            if rows:
                connection.execute(table.insert(), rows)
            publish(connection, definition, table)
    return things, definitions


@contextmanager
def town() -> Iterator[Town]:
    """Run the service over the town's layers and the shipped districts."""
    with throwaway_cluster() as url:
        upgrade(url)
        load_shipped(url, DATA, quiet, only="districts")
        things, definitions = _fill(url)
        with psycopg.connect(url, autocommit=True) as connection:
            rows = connection.execute("SELECT id, ST_AsBinary(geom) FROM features.districts ORDER BY fid").fetchall()
        things["districts"] = [Thing(key, shapely.from_wkb(wkb), shapely.from_wkb(wkb)) for key, wkb in rows]
        with running(Settings(port=free_port()), url) as address, httpx.Client(base_url=address, timeout=30) as client:
            yield Town(url, client, things, definitions)

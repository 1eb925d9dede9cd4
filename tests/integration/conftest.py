"""What the integration tests share: a sixth layer of their own, in a database that they may change."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from dataclasses import field as member
from pathlib import Path
from typing import Any

import geopandas as gpd
import hypothesis
import psycopg
import pytest
import yaml
from starlette.requests import Request

from api.settings import Settings
from layers.definition import LayerDefinition, load_definition
from layers.ingest import ingest_file
from layers.reports import Report
from tests.conftest import free_port, running
from tests.many import THOROUGH

hypothesis.settings.register_profile("casamaps", deadline=None, database=None, derandomize=True)
# Each thorough run draws anew, as its use is to find what no run has met yet; what fails can be had again by the
# ``@reproduce_failure`` that is printed.
hypothesis.settings.register_profile(
    "thorough", deadline=None, database=None, derandomize=False, print_blob=True, max_examples=500
)
hypothesis.settings.load_profile("thorough" if THOROUGH else "casamaps")


def text(word: str) -> dict[str, str]:
    return {"fr": word, "ar": "كلمة"}


def field(name: str, type: str = "text", **more: Any) -> dict[str, Any]:
    return {"name": name, "type": type, "label": text(name), **more}


class Workshop:
    """A folder with one definition and data files, and the database that they are taken into."""

    def __init__(self, url: str, folder: Path) -> None:
        self.url = url
        self.folder = folder
        self.raw: dict[str, Any] = {
            "id": "libraries",
            "title": {"fr": "Bibliothèques de quartier", "ar": "مكتبات الأحياء"},
            "description": text("Toutes"),
            "theme": "services",
            "geometry": {"type": "Point", "quality": "surveyed"},
            "fields": [field("name_fr", required=True), field("name_ar", required=True)],
            "style": {"colour": "#112233"},
            "source": text("Ville"),
            "licence": {"id": "ODbL-1.0", "url": "https://example.org/odbl"},
            "attribution": text("Ville"),
            "update": "annual",
            "coverage": "complete",
        }

    def add(self, name: str, type: str = "text", **more: Any) -> None:
        """Add a field to the layer."""
        self.raw["fields"].append(field(name, type, **more))

    def definition(self) -> LayerDefinition:
        """Write the definition's file and read it as the command does."""
        path = self.folder / f"{self.raw['id']}.yaml"
        path.write_text(yaml.safe_dump(self.raw, allow_unicode=True, sort_keys=False), encoding="utf-8")
        return load_definition(path)

    def csv(self, *rows: str, header: str = "", name: str = "plan.csv") -> Path:
        """Write a CSV file; ``header`` names the columns after id, names and position."""
        path = self.folder / name
        first = "id,name_fr,name_ar,lon,lat" + (f",{header}" if header else "")
        path.write_text("\n".join([first, *rows]) + "\n", encoding="utf-8")
        return path

    def geojson(self, *features: dict[str, Any], name: str = "plan.geojson") -> Path:
        """Write a GeoJSON file of features given as properties with ``at``, their position."""
        found = [
            {
                "type": "Feature",
                "geometry": {"type": "Point", "coordinates": list(properties.pop("at", (-7.6, 33.5)))},
                "properties": {"name_fr": "Un", "name_ar": "واحد", **properties},
            }
            for properties in features
        ]
        path = self.folder / name
        path.write_text(json.dumps({"type": "FeatureCollection", "features": found}), encoding="utf-8")
        return path

    def ingest(self, file: Path, **options: Any) -> Report:
        """Take a file into the layer, as ``casamaps ingest`` does."""
        given: dict[str, Any] = {"dataset": None, "srid": None, "source_layer": None}
        return ingest_file(
            self.url, self.definition(), file, data_dir=self.folder, progress=lambda *_: None, **{**given, **options}
        )

    def sql(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        """Run a statement as a user with a database tool does."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            cursor = connection.execute(statement, values or None)  # type: ignore[arg-type]
            return cursor.fetchall() if cursor.description else []

    def ids(self) -> list[tuple[str, str]]:
        """Return the ids of all rows with their datasets."""
        return [(key, dataset) for key, dataset in self.sql("SELECT id, dataset FROM features.libraries ORDER BY id")]


@pytest.fixture
def workshop(empty_url: str, tmp_path: Path) -> Workshop:
    """A migrated, empty database, and the definition of a sixth layer."""
    return Workshop(empty_url, tmp_path)


@pytest.fixture(scope="session")
def shipped_layers(client: Any) -> list[str]:
    """The ids of the shipped layers."""
    return [item["id"] for item in client.get("/collections").json()["collections"]]


@pytest.fixture(scope="session")
def everything(client: Any) -> Callable[[str], list[dict[str, Any]]]:
    """All features of a shipped layer."""
    kept: dict[str, list[dict[str, Any]]] = {}

    def get(layer: str) -> list[dict[str, Any]]:
        if layer not in kept:
            kept[layer] = client.get(f"/collections/{layer}/items?limit=10000").json()["features"]
        return kept[layer]

    return get


@pytest.fixture(scope="session")
def town() -> Iterator[Any]:
    """A town of seeded layers (``tests/town.py``), served."""
    from tests import town as seeded

    with seeded.town() as built:
        yield built


@dataclass
class Watched:
    """A service whose requests are written down."""

    url: str
    #: The same under a path prefix.
    prefixed: str
    town: Any
    requests: list[Request] = member(default_factory=list)

    def items(self) -> list[Request]:
        """Return the requests for features since the last call."""
        found = [request for request in self.requests if "/items" in request.url.path]
        self.requests.clear()
        return found

    def truth(self, layer: str) -> gpd.GeoDataFrame:
        """Return what a layer of the town holds, in degrees, by id; nothing of it has been through the service."""
        things = self.town.layers[layer]
        rows = [{"id": thing.id, "name_fr": thing.id, **thing.properties} for thing in things]
        return gpd.GeoDataFrame(rows, geometry=[thing.degrees for thing in things], crs=4326).set_index("id")


@pytest.fixture(scope="session")
def _watched(town: Any) -> Iterator[Watched]:
    requests: list[Request] = []
    port = free_port()
    prefixed = Settings(port=port, public_url=f"http://127.0.0.1:{port}/carte")
    with (
        running(Settings(port=free_port()), town.url, requests) as address,
        running(prefixed, town.url, requests) as other,
    ):
        yield Watched(address, f"{other}/carte", town, requests)


@pytest.fixture
def watched(_watched: Watched) -> Watched:
    """The town's service, and what has arrived at it since the test began."""
    _watched.requests.clear()
    return _watched

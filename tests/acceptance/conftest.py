"""The CQL2 standard's own test data, served: three layers of the whole earth."""

import os
from pathlib import Path

import httpx
import pyogrio
import pytest

from api.settings import PROJECT, Settings
from layers.definition import LayerDefinition
from layers.ingest import ingest_file
from layers.migrate import upgrade
from tests.conftest import free_port, quiet, running, throwaway_cluster

INPUTS = Path(os.environ.get("CASAMAPS_SHARED_DATA") or PROJECT.parent / "shared") / "data" / "cql2"
PACKAGE = INPUTS / "ne110m4cql2.gpkg"
TYPES = {
    "object": "text", "float64": "number", "int64": "integer", "datetime64[D]": "date",
    "datetime64[ms]": "timestamp", "bool": "boolean",
}  # fmt: skip


def definition(name: str) -> LayerDefinition:
    """Describe a layer of the package as an ordinary layer, every column under its own name."""
    info = pyogrio.read_info(PACKAGE, layer=name)
    both = {"fr": name, "ar": name}
    source = "NAME" if "NAME" in info["fields"] else "name"
    fields = [{"name": f"name_{lang}", "from": source, "label": both, "required": True} for lang in ("fr", "ar")]
    for column, kind in zip(info["fields"], info["dtypes"], strict=True):
        fields.append({"name": column, "type": TYPES[kind], "label": {"fr": column, "ar": column}})
    return LayerDefinition.model_validate(
        {
            "id": name.replace("_", "-"), "title": both, "description": both, "theme": "other",
            "geometry": {"type": info["geometry_type"].replace("Unknown", "Geometry"), "quality": "generalised"},
            "fields": fields, "style": {"colour": "#336699"}, "source": both, "attribution": both,
            "licence": {"id": "OGC", "url": "https://www.ogc.org/"}, "update": "irregular", "coverage": "complete",
        }
    )  # fmt: skip


@pytest.fixture(scope="session")
def world():
    """A client of a service with the standard's three layers."""
    with throwaway_cluster() as url:
        upgrade(url)
        for name, _ in pyogrio.list_layers(PACKAGE):
            report = ingest_file(
                url,
                definition(name),
                PACKAGE,
                dataset=None,
                srid=None,
                source_layer=name,
                data_dir=INPUTS,
                progress=quiet,
            )
            assert report.rejected == []
        with running(Settings(port=free_port()), url) as address, httpx.Client(base_url=address) as client:
            yield client

"""QGIS itself, without a screen: its OGC API - Features provider opens every layer, and shows what is there.

Part of the thorough run only (``tests/conftest.py``), for Debian's packages of it are 195 MB.
"""

import json
import subprocess
from pathlib import Path

import pytest
import shapely

from api.cli.packages import SYSTEM_PYTHON

SCRIPT = Path(__file__).parents[1] / "clients" / "qgis_layers.py"
BOX = (-7.65, 33.5, -7.6, 33.6)
#: The first version that sends filters as CQL2, and knows other systems than degrees.
CQL2 = 33200
KINDS = {"kiosks": "Point", "plots": "Point", "roads": "LineString", "zones": "MultiPolygon", "world": "Point"}
#: Subsets in QGIS' language, and the same in pandas.
SUBSETS = [
    ("\"kind\" = 'a'", lambda t: t.kind == "a"),
    ("kind <> 'a' AND amount > 3", lambda t: t.kind.isin(["b", "c"]) & (t.amount > 3)),
    ("name_fr LIKE 'kiosks-00%'", lambda t: t.name_fr.str.startswith("kiosks-00")),
    ("name_fr ILIKE 'KIOSKS-00%'", lambda t: t.name_fr.str.startswith("kiosks-00")),
    ("kind IN ('a', 'b') OR score < -9", lambda t: t.kind.isin(["a", "b"]) | (t.score < -9)),
    ("amount >= 3 AND amount <= 5", lambda t: t.amount.between(3, 5)),
    ("kind IS NULL", lambda t: t.kind.isna()),
    ("NOT (kind = 'a')", lambda t: t.kind.isin(["b", "c"])),
    ("open = true", lambda t: t.open.eq(True)),
    ("amount > score", lambda t: t.amount > t.score),
]


@pytest.fixture(scope="session")
def ask():
    """Let QGIS answer questions; gives its version and the answers."""

    def answers(*questions):
        done = subprocess.run(
            [SYSTEM_PYTHON, SCRIPT],
            input=json.dumps(questions),
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        body = json.loads(done.stdout)
        return body["version"], body["answers"]

    return answers


def assert_same(answer, truth):
    """Compare a layer as QGIS shows it with what there is."""
    assert answer["valid"]
    features = answer["features"]
    assert sorted(features) == sorted(truth.index)
    for key, feature in features.items():
        row, got = truth.loc[key], feature["attributes"]
        for name in ("kind", "amount", "score", "open"):
            wanted = None if row[name] is None or row[name] != row[name] else row[name]
            assert got[name] == wanted, (key, name)
        assert got["day"] == (row["day"].isoformat() if row["day"] == row["day"] and row["day"] else None)
        assert (got["tags"] or None) == row["tags"]
        shape = shapely.from_wkb(feature["wkb"])
        assert shapely.hausdorff_distance(shape, row.geometry) < (1e-6 if truth.crs.is_geographic else 0.01)


@pytest.mark.parametrize("layer", KINDS)
def test_every_layer(watched, ask, layer):
    version, (answer,) = ask({"base": watched.url, "layer": layer})
    truth = watched.truth(layer)
    if layer in ("plots", "zones") and version >= CQL2:
        truth = truth.to_crs(26191)
        assert answer["crs"] == "EPSG:26191"
    else:
        assert answer["crs"] in ("EPSG:4326", "OGC:CRS84")
    assert answer["geometry"] == KINDS[layer]
    assert answer["count"] == len(truth)
    assert answer["extent"] == pytest.approx(list(truth.total_bounds), rel=1e-4)
    assert {name: answer["fields"][name] for name in ("kind", "score", "day", "open")} == {
        "kind": "String", "score": "Real", "day": "Date", "open": "Boolean",
    }  # fmt: skip
    assert_same(answer, truth)
    pages = [request.query_params["limit"] for request in watched.items() if "cursor" in request.query_params]
    # To the end, by pages of a thousand.
    assert pages == ["1000"] * ((len(truth) - 1) // 1000)


def test_shipped_and_mixed_and_empty_layers(watched, ask):
    questions = [{"base": watched.url, "layer": layer} for layer in ("districts", "works", "nothing")]
    _, (districts, works, nothing) = ask(*questions)
    assert districts["title"] == "Arrondissements de Casablanca"
    own = {thing.id: thing.geometry for thing in watched.town.layers["districts"]}
    assert set(districts["features"]) == set(own)
    for key, feature in districts["features"].items():
        assert shapely.hausdorff_distance(shapely.from_wkb(feature["wkb"]), own[key]) < 1e-6
    assert districts["features"]["06.141.01.01"]["attributes"]["name_ar"] == "أنفا"
    assert set(works["features"]) == {thing.id for thing in watched.town.layers["works"]}
    assert (nothing["valid"], nothing["features"], nothing["count"]) == (True, {}, 0)


@pytest.mark.parametrize(("subset", "same"), SUBSETS, ids=[case[0] for case in SUBSETS])
def test_subset(watched, ask, subset, same):
    truth = watched.truth("kiosks")
    truth = truth[same(truth)]
    assert 0 < len(truth) < 3000
    version, (answer,) = ask({"base": watched.url, "layer": "kiosks", "subset": subset})
    assert_same(answer, truth)
    pages = [request.query_params for request in watched.items() if request.query_params["limit"] == "1000"]
    assert pages
    if version >= CQL2:
        assert all(page["filter-lang"] == "cql2-text" for page in pages)
    else:
        assert not any("filter" in page for page in pages)


@pytest.mark.parametrize("subset", [None, "kind = 'b'"])
def test_what_the_map_shows(watched, ask, subset):
    truth = watched.truth("roads")
    question = {"base": watched.url, "layer": "roads", "rect": BOX, "only_view": True}
    _, (answer,) = ask({**question, "subset": subset} if subset else question)
    inside = truth[truth.intersects(shapely.box(*BOX))]
    assert_same(answer, inside[inside.kind == "b"] if subset else inside)
    boxes = [request.query_params["bbox"] for request in watched.items() if "bbox" in request.query_params]
    assert boxes
    for box in boxes:
        west, south, east, north = map(float, box.split(","))
        # QGIS may ask for a little more than it shows.
        assert (west, south) <= (BOX[0] + 1e-9, BOX[1] + 1e-9)
        assert (east, north) >= (BOX[2] - 1e-9, BOX[3] - 1e-9)


def test_time_of_worksites(serve, database_url, everything, ask):
    _, (answer,) = ask(
        {"base": serve(database_url), "layer": "worksites", "subset": "\"end_date\" <= '2026-12-01T00:00:00Z'"}
    )
    ended = {
        item["id"]
        for item in everything("worksites")
        if item["properties"]["end_date"] and item["properties"]["end_date"] <= "2026-12-01"
    }
    # Before 3.32 it takes this for a time of the whole feature, so there are more; none is missing.
    assert ended
    assert ended <= set(answer["features"])


@pytest.mark.parametrize("tail", ["", "/", "?f=json", "/?f=json", "/?lang=ar"])
@pytest.mark.parametrize("prefix", [False, True])
def test_base_addresses(watched, ask, tail, prefix):
    base = (watched.prefixed if prefix else watched.url) + tail
    _, (answer,) = ask({"base": base, "layer": "districts"})
    assert len(answer["features"]) == len(watched.town.layers["districts"])
    assert answer["title"] == ("مقاطعات الدار البيضاء" if "ar" in tail else "Arrondissements de Casablanca")

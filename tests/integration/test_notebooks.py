"""The notebooks run against the service, from first cell to last; their numbers are computed again from ``data/``."""

from __future__ import annotations

import base64
import datetime as dt
import importlib.util
import io
import json
import re
import unicodedata
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import geopandas as gpd
import matplotlib as mpl
import nbformat
import numpy as np
import pandas as pd
import pyproj
import pytest
import shapely
import yaml
from nbclient import NotebookClient
from PIL import Image

from api.settings import PROJECT
from layers.hours.clock import zone

FOLDER = PROJECT / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))
FIGURES = {
    "getting-started": 2,
    "facilities-per-inhabitant": 3,
    "far-from-a-station": 4,
    "worksites-and-transport": 2,
}
DATA = PROJECT / "data"
METRES = 32629
WARNING = "this alone"  # the end of what a rate on a layer that is not complete carries

Run = Callable[..., "Executed"]


class Executed:
    """A notebook that ran: what it printed, its pictures, and the values that the test asked for."""

    def __init__(self, notebook: Any) -> None:
        *cells, last = [cell for cell in notebook.cells if cell.cell_type == "code"]
        outputs = [output for cell in cells for output in cell.outputs]
        streams = [output for output in [*outputs, *last.outputs] if output.output_type == "stream"]
        self.complaints = "".join(output.text for output in streams if output.name == "stderr")
        self.printed = "".join(output.text for output in streams if output.name == "stdout")
        self.pictures = [
            Image.open(io.BytesIO(base64.b64decode(output.data["image/png"])))
            for output in outputs
            if "image/png" in output.get("data", {})
        ]
        self.values = json.loads(last.outputs[-1].text)


@pytest.fixture
def run(server_url: str, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run a notebook; ``set`` follows its parameters, ``give`` is the expression of the values to look at."""
    monkeypatch.setenv("CASAMAPS_URL", server_url)

    def execute(name: str, give: str = "{}", set: str = "") -> Executed:
        notebook = nbformat.read(FOLDER / f"{name}.ipynb", as_version=4)
        if set:
            tagged = [n for n, cell in enumerate(notebook.cells) if "parameters" in cell.metadata.get("tags", [])]
            assert len(tagged) == 1
            notebook.cells.insert(tagged[0] + 1, nbformat.v4.new_code_cell(set))
        notebook.cells.append(nbformat.v4.new_code_cell(f"import json\nprint(json.dumps({give}))"))
        NotebookClient(notebook, timeout=120, kernel_name="python3", resources={"metadata": {"path": FOLDER}}).execute()
        executed = Executed(notebook)
        assert executed.complaints == ""
        return executed

    return execute


def looks_drawn(picture: Image.Image) -> bool:
    """Tell whether a picture is more than paper with a title: many colours, much of it not white."""
    pixels = np.asarray(picture.convert("RGB"))
    inked = (pixels < 245).any(axis=2)
    middle = inked[len(inked) // 4 : -len(inked) // 4]
    return len(np.unique(pixels.reshape(-1, 3), axis=0)) > 100 and middle.mean() > 0.05


def in_one_language(done: Executed, note: str) -> None:
    """Make sure that neither the service's own sentences nor publishers' notices are mixed with the notebook's."""
    printed = re.sub(r"The publisher's notice, in French:.*", "", done.printed)
    for path in ("questions.yaml", "pages.yaml"):
        texts = yaml.safe_load((PROJECT / "api/locale/fr" / path).read_text(encoding="utf-8"))
        said = [*texts.get("warning", {}).values(), texts.get("outside"), *texts.get("coverage", {}).values()]
        for sentence in filter(None, said):
            assert sentence not in printed + note
    for notice in re.findall(r"The publisher's notice, in French: (.{40})", done.printed):
        assert notice not in note
    assert not re.search(r"\b(couche|attention|données|liste|chantiers|hors de)\b", note.lower())


def districts() -> gpd.GeoDataFrame:
    return gpd.read_file(DATA / "districts.geojson").set_index("code").to_crs(METRES)


def points(file: str, key: str) -> gpd.GeoDataFrame:
    table = pd.read_csv(DATA / file, dtype={"lines": str}).set_index(key)
    return gpd.GeoDataFrame(table, geometry=gpd.points_from_xy(table["lon"], table["lat"]), crs=4326).to_crs(METRES)


def test_every_notebook_is_here():
    assert {path.stem for path in NOTEBOOKS} == set(FIGURES)
    readme = (FOLDER / "README.md").read_text(encoding="utf-8")
    assert all(f"({path.name})" in readme for path in NOTEBOOKS)


def test_getting_started(run):
    done = run(
        "getting-started",
        "{'crs': districts.crs.to_epsg(), 'people': int(districts.population_2024.sum()), 'near': sorted(health.index),"
        " 'named': sorted(hospitals.name_fr), 'found': found['numberMatched'], 'note': note}",
    )
    assert len(done.pictures) == FIGURES["getting-started"]
    assert all(map(looks_drawn, done.pictures))
    assert "service and geopandas agree: True" in done.printed
    assert "The publisher's notice, in French: Liste" in done.printed
    assert "The layer is partial" in done.values["note"]
    in_one_language(done, done.values["note"])
    assert done.values["crs"] == 26191
    assert done.values["people"] == districts()["population_2024"].sum()
    table = pd.read_csv(DATA / "facilities.csv").set_index("facility_id")
    table = table.assign(
        metres=[
            pyproj.Geod(ellps="WGS84").inv(-7.62, 33.59, lon, lat)[2]
            for lon, lat in zip(table["lon"], table["lat"], strict=True)
        ]
    )
    near = table[table["category"].isin(["hospital", "clinic", "pharmacy"]) & (table["metres"] < 1500)]
    assert done.values["near"] == sorted(near.index)

    def plain(name: str) -> str:
        return "".join(c for c in unicodedata.normalize("NFD", name.casefold()) if not unicodedata.combining(c))

    assert done.values["named"] == sorted(name for name in table["name_fr"] if "hopital" in plain(name))
    assert done.values["found"] == len(done.values["named"])


def test_facilities_per_inhabitant(run):
    done = run(
        "facilities-per-inhabitant",
        "{'themes': THEMES, 'all': table[['count', 'rate']].astype(object).where(table.notna(), None).T.to_dict(),"
        " 'by_theme': {theme: rows['count'].to_dict() for theme, rows in by_theme.items()}, 'note': note,"
        " 'recent': recent['count'].to_dict()}",
    )
    assert len(done.pictures) == FIGURES["facilities-per-inhabitant"]
    assert all(map(looks_drawn, done.pictures))
    assert WARNING in done.printed
    assert WARNING in done.values["note"], "what stands under every figure"
    in_one_language(done, done.values["note"])
    areas = districts()
    places = points("facilities.csv", "facility_id").drop(columns="district_code")
    placed = places.sjoin(areas[["geometry"]].rename_axis("district"), predicate="within")

    def counted(chosen: pd.Series) -> dict[str, int]:
        return placed[chosen].groupby("district").size().reindex(areas.index, fill_value=0).to_dict()

    themes = done.values["themes"]
    for theme, kinds in themes.items():
        assert done.values["by_theme"][theme] == counted(placed["category"].isin(kinds))
    every = placed["category"].isin([kind for kinds in themes.values() for kind in kinds])
    assert {key: row["count"] for key, row in done.values["all"].items()} == counted(every)
    assert done.values["recent"] == counted(every & (placed["as_of"] >= "2026"))
    for key, people in areas["population_2024"].items():
        row = done.values["all"][key]
        assert row["rate"] == (pytest.approx(row["count"] / people * 100_000) if people >= 10_000 else None)


@pytest.fixture(scope="module")
def city_in_points() -> gpd.GeoDataFrame:
    """The city as a lattice of points 40 m apart that share out the inhabitants of their district."""
    areas = districts()
    west, south, east, north = areas.total_bounds
    xs, ys = np.meshgrid(np.arange(west, east, 40), np.arange(south, north, 40))
    lattice = gpd.GeoDataFrame(geometry=gpd.points_from_xy(xs.ravel(), ys.ravel()), crs=METRES)
    inside = lattice.sjoin(areas[["population_2024", "geometry"]].rename_axis("district"), predicate="within")
    share = inside["population_2024"] / inside.groupby("district")["district"].transform("size")
    return inside.assign(people=share)


def test_far_from_a_station(run, city_in_points):
    done = run(
        "far-from-a-station",
        "{'bands': BANDS, 'people': people.T.to_dict('list'), 'far': far.to_dict(), 'around': hubs.set_index('name_fr')"
        "['around'].to_dict(), 'nearest': hubs.set_index('name_fr')['nearest'].to_dict(), 'within': int(len(top)),"
        " 'known': top.set_index('name_fr')['known facilities'].to_dict(), 'note': note}",
    )
    assert len(done.pictures) == FIGURES["far-from-a-station"]
    assert all(map(looks_drawn, done.pictures))
    assert "spread evenly over their district" in done.values["note"], "what stands under every figure"
    in_one_language(done, done.values["note"])
    stops = points("stops.csv", "station_id")
    tree = shapely.STRtree(stops.geometry.to_numpy())
    (_, which), metres = tree.query_nearest(city_in_points.geometry.to_numpy(), all_matches=False, return_distance=True)
    assert done.values["bands"] == [400, 800, 1200, 2000]
    band = np.searchsorted(done.values["bands"], metres)
    sampled = city_in_points["people"].groupby([city_in_points["district"], band]).sum().unstack(fill_value=0)
    population = districts()["population_2024"]
    for key, people in population.items():
        tolerance = max(0.01 * people, 60)
        assert sum(done.values["people"][key]) == pytest.approx(people, rel=1e-6)
        assert done.values["people"][key] == pytest.approx(list(sampled.loc[key]), abs=tolerance)
        assert done.values["far"][key] == pytest.approx(sampled.loc[key, 2:].sum(), abs=tolerance)
    # Which station serves most: the lattice's points within 800 m of it, and those of them that it is nearest to.
    name = stops["name_fr"]
    best = max(done.values["around"], key=done.values["around"].get)
    place = stops.geometry[name == best]
    assert len(place) == 1
    around = city_in_points["people"][city_in_points.distance(place.iloc[0]) <= 800].sum()
    assert done.values["around"][best] == pytest.approx(around, rel=0.01)
    everyone = {
        station: city_in_points["people"][city_in_points.distance(point) <= 800].sum()
        for station, point in zip(name, stops.geometry, strict=True)
    }
    assert max(everyone.values()) <= done.values["around"][best] * 1.01
    alone = max(done.values["nearest"], key=done.values["nearest"].get)
    mine = (name.to_numpy()[which] == alone) & (metres <= 800)
    assert done.values["nearest"][alone] == pytest.approx(city_in_points["people"][mine].sum(), rel=0.01)
    assert sum(done.values["nearest"].values()) == pytest.approx(
        sum(population) - sum(done.values["far"].values()), rel=1e-4
    )
    facilities = points("facilities.csv", "facility_id")
    assert done.values["known"][best] == (facilities.distance(place.iloc[0]) <= 800).sum()


def drawn_through(stations: str, stops: gpd.GeoDataFrame) -> Any:
    path = [stops.geometry[key] for key in stations.split()]
    return path[0] if len(path) == 1 else shapely.LineString(path)


GIVE_WORKS = (
    "{'works': list(works.index), 'note': note, 'touched': touched.groupby('work')['id'].agg(sorted).to_dict(),"
    " 'by_line': by_line.astype(int).T.to_dict()}"
)


def active(first: str, last: str) -> pd.DataFrame:
    table = pd.read_csv(DATA / "worksites.csv", dtype=str).set_index("id")
    return table[(table["start_date"] <= last) & (table["end_date"].isna() | (table["end_date"] >= first))]


def test_worksites_and_transport(run):
    done = run("worksites-and-transport", GIVE_WORKS, "TODAY = dt.date(2026, 11, 24)")
    assert len(done.pictures) == FIGURES["worksites-and-transport"]
    assert all(map(looks_drawn, done.pictures))
    assert "Its publisher adds a notice" in done.values["note"]
    assert "The publisher's notice, in French: Données de démonstration" in done.printed
    in_one_language(done, done.values["note"])
    expected = active("2026-11-01", "2026-11-30")
    assert sorted(done.values["works"]) == sorted(expected.index)
    stops = points("stops.csv", "station_id")
    lines = pd.read_csv(DATA / "lines.csv").set_index("line_id")["stops"]
    tracks = gpd.GeoSeries({key: drawn_through(path, stops) for key, path in lines.items()}, crs=METRES)
    network = pd.concat([stops.geometry, tracks])
    for key, stations in expected["stops"].items():
        metres = network.distance(drawn_through(stations, stops))
        assert done.values["touched"][key] == sorted(metres.index[metres <= 30])
        assert set(stations.split()) <= set(done.values["touched"][key])
    for line, row in done.values["by_line"].items():
        its = [key for key in expected.index if line in done.values["touched"][key]]
        assert row["worksites"] == len(its)
        assert row["of them closing the road"] == (expected.loc[its, "impact"] == "closed").sum()
        own = set(stops.index[[line in names.split() for names in stops["lines"]]])
        assert own == set(lines[line].split())
        hit = {key for keys in done.values["touched"].values() for key in keys}
        assert (row["stations touched"], row["stations"]) == (len(own & hit), len(own))


def test_this_month(run):
    city = zone("Africa/Casablanca")
    months = [f"{dt.datetime.now(city):%Y-%m-01}"]
    done = run("worksites-and-transport", "[str(first), str(last), list(works.index)]")
    months.append(f"{dt.datetime.now(city):%Y-%m-01}")  # the month may end meanwhile
    first, last, works = done.values
    assert first in months
    assert last[:7] == first[:7]
    assert (dt.date.fromisoformat(last) + dt.timedelta(days=1)).day == 1
    assert sorted(works) == sorted(active(first, last).index)


def test_a_month_without_worksites(run):
    done = run("worksites-and-transport", GIVE_WORKS, "TODAY = dt.date(2020, 2, 29)")
    assert done.values["works"] == []
    assert done.values["touched"] == {}
    assert all(row["worksites"] == row["stations touched"] == 0 for row in done.values["by_line"].values())
    assert done.printed.count("No worksite is active in February 2020") == 3
    assert [looks_drawn(picture) for picture in done.pictures] == [True], "the map of the network"


@pytest.fixture(scope="module")
def toolbox() -> ModuleType:
    mpl.use("agg")
    spec = importlib.util.spec_from_file_location("toolbox", FOLDER / "toolbox.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_names_on_maps_keep_apart(toolbox):
    areas = districts()
    figure, axes = toolbox.sheet("Casablanca", "Sources")
    areas.plot(ax=axes)
    toolbox.finish(axes)
    names = areas["name_fr"] + "\n" + areas["name_ar"]
    texts = toolbox.name_places(axes, areas.geometry, names)
    figure.savefig(io.BytesIO(), format="png")  # a glyph that the font lacks is a warning, so an error
    boxes = [text.get_window_extent() for text in texts]
    assert sorted(text.get_text() for text in texts) == sorted(names)
    assert not any(one.overlaps(other) for number, one in enumerate(boxes) for other in boxes[:number])
    toolbox.plt.close(figure)


def test_an_empty_picture_is_seen(toolbox):
    figure, _ = toolbox.sheet("Casablanca", "Sources: nobody")
    file = io.BytesIO()
    figure.savefig(file, format="png")
    toolbox.plt.close(figure)
    assert not looks_drawn(Image.open(file))


def test_a_refusal_says_why(toolbox, server_url):
    with pytest.raises(ValueError, match=r"400.*colour_of_the_door"):
        toolbox.layer(server_url, "facilities", filter="colour_of_the_door = 'red'")


@pytest.mark.parametrize(
    ("values", "classes", "expected"),
    [
        ([], 4, [0.0, 1.0]),
        ([0, 0, float("nan")], 4, [0.0, 1.0]),
        ([5], 3, [0.0, 5.0]),
        ([1, 2, 3, 4, 0], 2, [1.0, 2.5, 4.0]),
        ([123.4, 1579], 1, [120.0, 1600.0]),
    ],
)
def test_classes(toolbox, values, classes, expected):
    assert toolbox.breaks_of(values, classes) == expected


def test_without_sql():
    for path in [*NOTEBOOKS, FOLDER / "toolbox.py"]:
        text = path.read_text(encoding="utf-8").lower()
        assert not re.search(r"\bsql|\bselect\b|psycopg|asyncpg|read_postgis|duckdb|postgresql:", text)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_committed_as_it_should_be(path: Path):
    text = path.read_text(encoding="utf-8")
    notebook = nbformat.reads(text, as_version=4)
    nbformat.validate(notebook)
    assert len(text) < 25_000
    assert all(re.fullmatch(r"[a-z][a-z-]*", cell.id) for cell in notebook.cells), "ids that don't change"
    assert not any(cell.get("outputs") or cell.get("execution_count") for cell in notebook.cells)
    assert "**The question:**" in notebook.cells[0].source
    assert notebook.cells[-1].source.startswith("## What you can change")
    assert text.count("127.0.0.1") == 1, "the service's address is one variable"
    assert 'BASE = os.environ.get("CASAMAPS_URL", "http://127.0.0.1:8000")' in notebook.cells[1].source

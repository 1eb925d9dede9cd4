"""GDAL's OAPIF driver, Debian's and the newer one inside pyogrio: what it asks, and that the answers are right."""

import json
import re
import subprocess
import sys
from pathlib import Path

import geopandas as gpd
import pyogrio
import pyproj
import pytest
import shapely

SCRIPT = Path(__file__).parents[1] / "clients" / "pyogrio_layers.py"
#: A condition for ``-where``, the same in pandas, and what of it GDAL leaves to the server.
CONDITIONS = [
    ("kind = 'a'", lambda t: t.kind == "a", "kind = 'a'"),
    ("kind <> 'a'", lambda t: t.kind.notna() & (t.kind != "a"), "kind <> 'a'"),
    ("name_fr LIKE 'kiosks-00%'", lambda t: t.name_fr.str.startswith("kiosks-00"), "name_fr LIKE 'kiosks-00%'"),
    ("name_fr LIKE 'kiosks-_1_1'", lambda t: t.name_fr.str.fullmatch("kiosks-.1.1"), "name_fr LIKE 'kiosks-_1_1'"),
    ("name_fr ILIKE 'KIOSKS-00%'", lambda t: t.name_fr.str.startswith("kiosks-00"), "name_fr ILIKE 'KIOSKS-00%'"),
    (
        "kind = 'b' AND NOT (name_fr ILIKE '%KS-0%')",
        lambda t: (t.kind == "b") & ~t.name_fr.str.contains("ks-0"),
        "(kind = 'b') AND (NOT (name_fr ILIKE '%KS-0%'))",
    ),
    ("kind IN ('a', 'b')", lambda t: t.kind.isin(["a", "b"]), None),
    ("amount > 0 AND kind IN ('a', 'b')", lambda t: (t.amount > 0) & t.kind.isin(["a", "b"]), "amount > 0"),
    ("amount BETWEEN 3 AND 5", lambda t: t.amount.between(3, 5), "(amount >= 3) AND (amount <= 5)"),
    ("amount = -3", lambda t: t.amount == -3, "amount = -3"),
    ("score > 1.5", lambda t: t.score > 1.5, "score > 1.5"),
    ("kind IS NULL", lambda t: t.kind.isna(), "(kind IS NULL)"),
    ("kind IS NOT NULL", lambda t: t.kind.notna(), "NOT ((kind IS NULL))"),
    ("kind = 'a' OR amount > 40", lambda t: (t.kind == "a") | (t.amount > 40), "(kind = 'a') OR (amount > 40)"),
    ("NOT (kind = 'a')", lambda t: t.kind.notna() & (t.kind != "a"), "NOT (kind = 'a')"),
    ("open = 1", lambda t: t.open.eq(True), "open = 1"),
    ("open = 0 AND amount < 0", lambda t: t.open.eq(False) & (t.amount < 0), "(open = 0) AND (amount < 0)"),
    ("day = '2026/01/05'", lambda t: t.day.astype(str) == "2026-01-05", "day = '2026-01-05T'"),
    (
        "day >= '2026/01/05' AND day < '2026/01/08'",
        lambda t: t.day.astype(str).isin(["2026-01-05", "2026-01-06", "2026-01-07"]),
        "(day >= '2026-01-05T') AND (day < '2026-01-08T')",
    ),
    (
        "day > '2026/01/19 12:00:00'",
        lambda t: t.day.astype(str).isin(["2026-01-20", "2026-01-21"]),
        "day > '2026-01-19T12:00:00Z'",
    ),
]
BOX = (-7.65, 33.5, -7.6, 33.6)


class Debian:
    """The command line of the machine's GDAL, which has no other CRS than degrees before 3.7."""

    def ids(self, url, layer, *, where=None, bbox=None, **options):
        command = ["ogrinfo", "-ro", "-al", "-q", f"OAPIF:{url}", layer, *self.open_options(PAGE_SIZE=10000, **options)]
        command += ["-where", where] if where else []
        command += ["-spat", *map(str, bbox)] if bbox else []
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
        assert "ERROR" not in done.stderr, done.stderr
        return re.findall(r"^  id \(String\) = (.+)$", done.stdout, re.MULTILINE)

    @staticmethod
    def open_options(**options):
        return [part for name, value in options.items() for part in ("-oo", f"{name}={value}")]


class Wheel:
    """The GDAL inside pyogrio's wheel."""

    def __init__(self, process):
        self._process = process

    def read(self, url, layer, **arguments):
        print(json.dumps({"address": f"OAPIF:{url}", "layer": layer, **arguments}), file=self._process.stdin)
        self._process.stdin.flush()
        answer = json.loads(self._process.stdout.readline())
        assert "error" not in answer, answer
        return answer

    def ids(self, url, layer, **arguments):
        return self.read(url, layer, **arguments)["ids"]


@pytest.fixture(scope="module")
def wheel():
    with subprocess.Popen(
        [sys.executable, SCRIPT], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        yield Wheel(process)
        process.stdin.close()


@pytest.fixture(params=["debian", "wheel"])
def gdal(request):
    return Debian() if request.param == "debian" else request.getfixturevalue("wheel")


def test_these_are_two_gdals():
    listed = subprocess.run(["ogrinfo", "--version"], capture_output=True, text=True, check=True).stdout
    assert re.match(r"GDAL (\d+)\.(\d+)", listed)
    assert pyogrio.__gdal_version__ >= (3, 10, 0)


def test_summary_of_every_layer(watched):
    done = subprocess.run(
        ["ogrinfo", "-ro", "-al", "-so", f"OAPIF:{watched.url}"],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    assert "ERROR" not in done.stderr
    told = dict(re.findall(r"^Layer name: (\S+)\n(.*?)(?=^Layer name|\Z)", done.stdout, re.MULTILINE | re.DOTALL))
    assert set(told) == set(watched.town.layers)
    for name, text in told.items():
        count = len(watched.town.layers[name])
        assert f"Feature Count: {count}\n" in text
        if count and name != "districts":
            truth = watched.truth(name)
            numbers = [float(number) for number in re.findall(r"-?\d+\.\d+", re.search(r"Extent: (.*)", text)[1])]
            assert numbers == pytest.approx(list(truth.total_bounds), abs=1e-6)
            assert "amount: Integer (0.0)" in text
            assert "day: Date (0.0)" in text
            assert "open: Integer(Boolean)" in text
            assert "tags: StringList" in text


def test_types_and_what_is_never_null(watched, wheel):
    """The schema says what every feature has; GDAL, old and new, has each field of the type that the schema gives."""
    schema = watched.town.get("/collections/works/schema")
    assert schema["required"] == ["id", "name_fr", "name_ar", "geometry"]
    types = {
        name: tuple(described.get(key) for key in ("type", "format"))
        for name, described in schema["properties"].items()
    }
    del types["geometry"]
    kinds = {
        ("string", None): ("String", "str"), ("integer", "int64"): ("Integer", "float64"),
        ("number", "double"): ("Real", "float64"), ("boolean", None): ("Integer(Boolean)", "float64"),
        ("string", "date"): ("Date", "datetime64[ms]"), ("string", "date-time"): ("DateTime", "datetime64[ms, UTC]"),
        ("array", None): ("StringList", "object"),
    }  # fmt: skip
    command = ["ogrinfo", "-ro", "-al", "-so", f"OAPIF:{watched.url}", "works"]
    told = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True).stdout
    assert dict(re.findall(r"^(\w+): ([\w()]+) \(\d", told, re.MULTILINE)) == {
        name: kinds[type_][0] for name, type_ in types.items()
    }
    assert wheel.read(watched.url, "works")["types"] == {name: kinds[type_][1] for name, type_ in types.items()}


@pytest.mark.parametrize(("where", "same", "sent"), CONDITIONS, ids=[case[0] for case in CONDITIONS])
def test_where(watched, gdal, where, same, sent):
    truth = watched.truth("kiosks")
    wanted = sorted(truth[same(truth)].index)
    assert 0 < len(wanted) < len(truth)
    assert sorted(gdal.ids(watched.url, "kiosks", where=where)) == wanted
    pages = [request.query_params for request in watched.items()][1:]
    if sent is None:
        assert not any("filter" in page for page in pages)
    else:
        assert pages
        assert {page["filter"] for page in pages} == {sent}
        assert {page["filter-lang"] for page in pages} == {"cql-text"}


@pytest.mark.parametrize(
    ("where", "same"),
    [
        ("name_fr LIKE '%é%'", lambda row: "é" in row["name_fr"]),
        ("name_fr ILIKE 'éCOLE%'", lambda row: row["name_fr"].lower().startswith("école")),
        ("name_ar LIKE 'م%'", lambda row: row["name_ar"].startswith("م")),
        (
            "name_fr LIKE '%''%' AND category <> 'school'",
            lambda row: "'" in row["name_fr"] and row["category"] != "school",
        ),
        ("phone LIKE '+212%'", lambda row: (row["phone"] or "").startswith("+212")),
    ],
)
def test_letters_of_both_languages(client, server_url, gdal, everything, where, same):
    wanted = sorted(item["id"] for item in everything("facilities") if same(item["properties"]))
    assert 0 < len(wanted) < len(everything("facilities"))
    assert sorted(gdal.ids(server_url, "facilities", where=where)) == wanted


def test_an_id_is_asked_for_by_its_address(watched, gdal):
    assert gdal.ids(watched.url, "kiosks", where="id = 'kiosks-0005'") == ["kiosks-0005"]
    assert watched.items()[-1].url.path == "/collections/kiosks/items/kiosks-0005"
    assert gdal.ids(watched.url, "kiosks", where="id = 'kiosks-0005' AND name_fr LIKE 'x%'") == []
    assert sorted(gdal.ids(watched.url, "kiosks", where="id IN ('kiosks-0005', 'kiosks-0007')")) == [
        "kiosks-0005",
        "kiosks-0007",
    ]


@pytest.mark.parametrize("layer", ["kiosks", "roads", "works"])
@pytest.mark.parametrize("where", [None, "kind = 'a'"])
def test_box(watched, gdal, layer, where):
    truth = watched.truth(layer)
    inside = truth.intersects(shapely.box(*BOX))
    wanted = sorted(truth[inside & (truth.kind == "a") if where else inside].index)
    assert 0 < len(wanted) < len(truth)
    assert sorted(gdal.ids(watched.url, layer, bbox=BOX, where=where)) == wanted
    pages = [request.query_params for request in watched.items()][1:]
    assert pages
    for page in pages:
        assert [float(number) for number in page["bbox"].split(",")] == pytest.approx(BOX)
        assert page.get("filter") == where


@pytest.mark.parametrize("layer", ["plots", "zones"])
def test_box_in_the_layers_own_system(watched, wheel, layer):
    box = (300000, 320000, 306000, 330000)
    things = watched.town.layers[layer]
    wanted = sorted(thing.id for thing in things if thing.geometry.intersects(shapely.box(*box)))
    assert 0 < len(wanted) < len(things)
    answer = wheel.read(watched.url, layer, bbox=box)
    assert sorted(answer["ids"]) == wanted
    assert answer["crs"] == "EPSG:26191"
    own = {thing.id: thing.geometry for thing in things}
    for key, wkb in zip(answer["ids"], answer["wkb"], strict=True):
        assert shapely.hausdorff_distance(shapely.from_wkb(wkb), own[key]) < 0.01
    page = watched.items()[-1].query_params
    assert page["bbox"] == "300000,320000,306000,330000"
    assert page["bbox-crs"] == page["crs"] == "http://www.opengis.net/def/crs/EPSG/0/26191"


@pytest.mark.parametrize("code", [4326, 3857, 26191, 32629])
@pytest.mark.parametrize("option", ["CRS", "PREFERRED_CRS"])
def test_every_system_through_open_options(watched, wheel, code, option):
    # Nothing arrives under EPSG:4326, as GDAL takes CRS84 for it.
    truth = watched.truth("kiosks")
    moved = truth[truth.kind == "b"].to_crs(code).geometry
    answer = wheel.read(watched.url, "kiosks", where="kind = 'b'", **{option: f"EPSG:{code}"})
    assert answer["crs"] == ("OGC:CRS84" if code == 4326 else f"EPSG:{code}")
    assert sorted(answer["ids"]) == sorted(moved.index)
    for key, wkb in zip(answer["ids"], answer["wkb"], strict=True):
        assert shapely.distance(shapely.from_wkb(wkb), moved[key]) < (1e-6 if code == 4326 else 0.05)
    crs = watched.items()[-1].query_params["crs"]
    assert crs.endswith("CRS84" if code == 4326 else f"/EPSG/0/{code}")


def test_box_given_in_another_system(watched, tmp_path):
    path = tmp_path / "plots.gpkg"
    box = (300000, 320000, 306000, 330000)
    subprocess.run(
        [
            "ogr2ogr", "-f", "GPKG", path, f"OAPIF:{watched.url}", "plots", "-spat", *map(str, box),
            "-spat_srs", "EPSG:26191", "-where", "kind IS NOT NULL", "-t_srs", "EPSG:32629",
        ],
        check=True, timeout=120, capture_output=True,
    )  # fmt: skip
    found = gpd.read_file(path).set_index("id")
    assert found.crs.to_epsg() == 32629
    # The sides of the box, straight in metres, are drawn straight in degrees.
    things = [thing for thing in watched.town.layers["plots"] if thing.properties["kind"]]
    surely, perhaps = (shapely.box(*box).buffer(by) for by in (-5, 5))
    assert {thing.id for thing in things if thing.geometry.within(surely)} <= set(found.index)
    assert set(found.index) <= {thing.id for thing in things if thing.geometry.within(perhaps)}
    to_utm = pyproj.Transformer.from_crs(4326, 32629, always_xy=True).transform
    for thing in things:
        if thing.id in found.index:
            there = shapely.transform(thing.degrees, to_utm, interleaved=False)
            assert shapely.distance(found.geometry[thing.id], there) < 0.05
    page = watched.items()[-1].query_params
    assert "bbox" in page
    assert page["filter"] == "NOT ((kind IS NULL))"


def test_time_through_an_open_option(serve, database_url, wheel, everything):
    url = serve(database_url)
    wanted = [
        item["id"]
        for item in everything("worksites")
        if (item["properties"]["start_date"] or "0") <= "2026-12-31"
        and (item["properties"]["end_date"] or "9") >= "2026-12-01"
    ]
    assert 0 < len(wanted) < len(everything("worksites"))
    assert sorted(wheel.ids(url, "worksites", DATETIME="2026-12-01/2026-12-31")) == sorted(wanted)


@pytest.mark.parametrize(("options", "pages"), [([], 300), (["-oo", "PAGE_SIZE=10000"], 1)])
def test_debian_takes_a_layer_whole(watched, tmp_path, options, pages):
    # GDAL before 3.7 asks for 10 at a time whatever a server offers, unless told.
    path = tmp_path / "kiosks.gpkg"
    subprocess.run(
        ["ogr2ogr", "-f", "GPKG", path, f"OAPIF:{watched.url}", "kiosks", *options],
        check=True, timeout=120, capture_output=True,
    )  # fmt: skip
    assert len(watched.items()) == 1 + pages
    assert_whole(gpd.read_file(path).set_index("id"), watched.truth("kiosks"))


def test_the_wheel_takes_large_pages_by_itself(watched, wheel):
    answer = wheel.read(watched.url, "kiosks")
    assert sorted(answer["ids"]) == sorted(watched.truth("kiosks").index)
    limits = [request.query_params["limit"] for request in watched.items()]
    assert limits == ["20", "1000", "1000", "1000"]


def assert_whole(found, truth):
    assert sorted(found.index) == sorted(truth.index)
    found = found.loc[truth.index]
    assert shapely.distance(found.geometry.values, truth.geometry.values).max() < 1e-7
    for name in ("kind", "amount", "score"):
        assert found[name].isna().equals(truth[name].isna())
        there = truth[name].notna()
        assert list(found[name][there]) == list(truth[name][there])
    assert [str(day)[:10] for day in found["day"].dropna()] == [str(day) for day in truth["day"].dropna()]


@pytest.mark.parametrize("tail", ["", "/", "?f=json", "/?f=json", "/?lang=ar", "/collections/kiosks"])
@pytest.mark.parametrize("prefix", [False, True])
def test_base_addresses(watched, gdal, tail, prefix):
    url = (watched.prefixed if prefix else watched.url) + tail
    truth = watched.truth("kiosks")
    wanted = sorted(truth[truth.kind == "a"].index)
    assert sorted(gdal.ids(url, "kiosks", where="kind = 'a'")) == wanted
    pages = [request.query_params for request in watched.items()][1:]
    assert all(page["filter"] == "kind = 'a'" for page in pages)
    if "lang" in tail:
        assert all(page["lang"] == "ar" for page in pages)

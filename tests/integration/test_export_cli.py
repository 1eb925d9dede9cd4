"""``./casamaps export``: the same features as the service gives, in files that are whole or not there."""

import json
import os
import pty
import re
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import geopandas as gpd
import httpx
import psycopg
import pyogrio
import pytest
import shapely

from api.cli.commands import FORMATS
from api.cli.export import ENDINGS
from api.settings import PROJECT
from layers import home
from layers.export import EXTENSIONS, FILES
from layers.migrate import upgrade
from tests.conftest import free_port, throwaway_cluster
from tests.integration.conftest import Workshop
from tests.integration.test_formats import read

LAUNCHER = PROJECT / "casamaps"
ROWS = 200_000
#: Bytes that an export may take at any size of a layer.
LIMIT = 400_000_000


@pytest.fixture(scope="module", autouse=True)
def _environment_is_made():
    subprocess.run([LAUNCHER, "--version"], check=True, capture_output=True)


@pytest.fixture
def folder():
    """A folder that the account of the database can enter, too."""
    made = Path(tempfile.mkdtemp(prefix="casamaps-out-"))
    made.chmod(0o755)
    yield made
    shutil.rmtree(made)


@pytest.fixture(scope="module")
def crowd():
    """A database with a layer of 200,000 points, and an internal one of a line."""
    with throwaway_cluster() as url:
        upgrade(url)
        with tempfile.TemporaryDirectory() as made:
            shop = Workshop(url, Path(made))
            for name, kind in (("note", "text"), ("amount", "integer"), ("score", "number"), ("day", "date")):
                shop.add(name, kind)
            shop.ingest(shop.csv("first,Un,واحد,-7.6,33.5,,,,", header="note,amount,score,day"))
            shop.raw |= {"id": "drafts", "visibility": "internal"}
            shop.ingest(shop.csv("1,Un,واحد,-7.6,33.5,,,,", header="note,amount,score,day"))
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(
                """INSERT INTO features.libraries (id, name_fr, name_ar, note, amount, score, day, geom)
                   SELECT 'n' || n, 'Bibliothèque ' || n, 'مكتبة ' || n, repeat(md5(n::text), 4), n, n / 7.0,
                          DATE '2026-01-01' + n %% 300,
                          ST_SetSRID(ST_MakePoint(-7.7 + (n %% 447) / 2000.0, 33.5 + (n %% 449) / 3000.0), 4326)
                   FROM generate_series(2, %s) n""",
                [ROWS],
            )
            connection.execute("UPDATE catalogue.layers SET row_count = %s WHERE id = 'libraries'", [ROWS])
        yield url


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def environment(url, **more):
    return {**os.environ, "CASAMAPS_DATABASE_URL": url, "COLUMNS": "200", **more}


def run(url, *arguments, cwd=None, **more):
    return subprocess.run(
        [LAUNCHER, "export", *map(str, arguments)],
        capture_output=True, cwd=cwd, stdin=subprocess.DEVNULL, timeout=120, env=environment(url, **more),
    )  # fmt: skip


def good(url, *arguments, **more):
    done = run(url, *arguments, **more)
    assert done.returncode == 0, done.stderr.decode()
    return done


def test_the_options_are_those_of_the_formats():
    assert tuple(EXTENSIONS) == FORMATS
    assert set(ENDINGS.values()) == set(EXTENSIONS)


def test_help_teaches_every_option_with_examples():
    done = subprocess.run([LAUNCHER, "export", "--help"], capture_output=True, text=True, check=True)
    for word in (
        "--filter",
        "--bbox",
        "--crs",
        "--lang",
        "--datetime",
        "--properties",
        "--sortby",
        "--format",
        "--force",
    ):
        assert word in done.stdout
    assert done.stdout.count("./casamaps export") >= 5
    for ending in ENDINGS:
        assert ending in done.stdout or ending == ".geoparquet"


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("layer", ["districts", "worksites"])
def test_every_format_holds_the_whole_layer(database_url, client, everything, folder, form, layer):
    path = folder / f"out.{EXTENSIONS[form]}"
    done = good(database_url, layer, path)
    assert f"{len(everything(layer))} features" in done.stderr.decode()
    assert done.stdout == b""
    assert names(folder) == [path.name]
    umask = os.umask(0)
    os.umask(umask)
    assert path.stat().st_mode & 0o777 == 0o666 & ~umask
    found = read(form, path.read_bytes(), Path(tempfile.mkdtemp(dir=folder)))
    shapes = {item["id"]: shapely.geometry.shape(item["geometry"]) for item in everything(layer)}
    assert sorted(map(str, found.index)) == sorted(shapes)
    for key, geometry in zip(found.index, found.geometry, strict=True):
        assert geometry.normalize().equals_exact(shapes[str(key)].normalize(), 1e-6) or geometry.equals(
            shapes[str(key)]
        )


@pytest.mark.parametrize(
    ("layer", "options"),
    [
        ("facilities", {"filter": "category IN ('school', 'market') AND name_fr LIKE '%a%'", "sortby": "-name_fr"}),
        ("facilities", {"bbox": "-7.63,33.57,-7.58,33.60", "properties": "category,name_ar", "crs": "EPSG:26191"}),
        ("facilities", {"bbox": "280000,325000,300000,340000", "bbox-crs": "EPSG:26191", "lang": "ar"}),
        ("worksites", {"datetime": "2026-11-01/2026-11-30", "sortby": "start_date,-name_fr"}),
        ("worksites", {"filter": '{"op":"=","args":[{"property":"state"},"planned"]}', "filter-lang": "cql2-json"}),
        ("districts", {"skip-geometry": None, "sortby": "-population_2024"}),
        ("districts", {"filter": "S_INTERSECTS(geom, POINT(-7.6 33.58))", "lang": "ar"}),
        ("districts", {"filter": "S_INTERSECTS(geom, POINT(33.58 -7.6))", "filter-crs": "EPSG:4326"}),
    ],
)  # fmt: skip
def test_a_selection_is_what_the_service_answers(database_url, client, layer, options):
    given = [text for name, value in options.items() for text in (f"--{name}", value) if text is not None]
    asked = {name: value for name, value in options.items() if value is not None}
    if "skip-geometry" in options:
        asked["skipGeometry"] = "true"
    for form in ("csv", "jsonseq", "json"):
        answer = client.get(f"/collections/{layer}/export", params={**asked, "f": form})
        assert answer.status_code == 200, answer.text
        written = good(database_url, layer, "-", "--format", form, *given).stdout
        if form == "json":
            assert json.loads(written)["features"] == answer.json()["features"] != []
            assert json.loads(written).get("crs") == answer.json().get("crs")
        else:
            assert written == answer.content


def test_file_formats_have_the_selection_in_its_crs_and_language(database_url, client, folder):
    options = ["--filter", "category = 'market'", "--crs", "EPSG:26191", "--lang", "ar", "--sortby", "name_fr"]
    answer = client.get("/collections/facilities/export?filter=category='market'&crs=EPSG:26191&sortby=name_fr").json()
    wanted = gpd.GeoSeries.from_wkb([shapely.to_wkb(shapely.geometry.shape(f["geometry"])) for f in answer["features"]])
    good(database_url, "facilities", folder / "out.gpkg", *options)
    found = pyogrio.read_dataframe(folder / "out.gpkg")
    assert found.crs.to_epsg() == 26191
    assert list(found["id"]) == [item["id"] for item in answer["features"]]
    assert found.geometry.geom_equals_exact(gpd.GeoSeries(wanted, crs=26191), 0.01).all()
    assert pyogrio.read_info(folder / "out.gpkg")["layer_metadata"]["IDENTIFIER"] == "المرافق والخدمات العمومية"
    good(database_url, "facilities", folder / "out.parquet", *options)
    parquet = gpd.read_parquet(folder / "out.parquet")
    assert parquet.crs.to_epsg() == 26191
    assert list(parquet["id"]) == list(found["id"])


def test_csv_has_its_own_options(database_url, folder):
    good(database_url, "facilities", folder / "a.csv", "--geometry-format", "lonlat", "--bom")
    assert (folder / "a.csv").read_bytes().startswith(b"\xef\xbb\xbfid,")
    assert (folder / "a.csv").read_text().splitlines()[0].endswith(",lon,lat")


def test_an_empty_selection_is_a_whole_file(database_url, folder):
    for form in ("json", "csv", "gpkg", "parquet", "shp"):
        path = folder / f"out.{EXTENSIONS[form]}"
        good(database_url, "facilities", path, "--filter", "name_fr = 'nowhere'")
        assert len(read(form, path.read_bytes(), Path(tempfile.mkdtemp(dir=folder)))) == 0, form


def test_relative_names_are_in_the_callers_folder(database_url, folder):
    good(database_url, "districts", "here.fgb", cwd=folder)
    good(database_url, "districts", "-", "--format", "csv", cwd=folder)
    assert names(folder) == ["here.fgb"]


def test_an_existing_file_is_replaced_with_force_only(database_url, folder):
    for name in ("out.csv", "out.gpkg"):
        path = folder / name
        path.write_bytes(b"mine")
        refused = run(database_url, "districts", path)
        assert refused.returncode == 1
        assert b"--force" in refused.stderr
        assert path.read_bytes() == b"mine"
        failed = run(database_url, "districts", path, "--force", "--filter", "nonsense = 1")
        assert failed.returncode == 1
        assert path.read_bytes() == b"mine"
        good(database_url, "districts", path, "--force")
        assert len(pyogrio.read_dataframe(path)) == 17
    link = folder / "link.csv"
    link.symlink_to(folder / "out.csv")
    good(database_url, "districts", link, "--force", "--properties", "kind")
    assert link.is_symlink()
    assert (folder / "out.csv").read_text().splitlines()[0] == "id,kind,geometry"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["buses", "x.csv"], ["buses", "districts", "worksites"]),
        (["districts", "x.shp"], ["x.zip"]),
        (["districts", "x.doc"], ["x.doc", ".gpkg", "--format", "parquet"]),
        (["districts", "x"], [".gpkg", "--format"]),
        (["districts", "-"], ["--format", "json, jsonseq, csv"]),
        (["districts", "-", "--format", "gpkg"], ["json, jsonseq, csv"]),
        (["districts", "no/such/x.csv"], ["no/such"]),
        (["districts", "/dev/full", "--format", "csv", "--force"], ["/dev/full"]),
        (["districts", "x.gpkg", "--bom"], ["--bom", "CSV"]),
        (["districts", "x.csv", "--datetime", "2026-01-01"], ["--datetime", "districts"]),
        (["worksites", "x.csv", "--datetime", "soon"], ["soon", "--datetime", "2026-11-23"]),
        (["districts", "x.csv", "--bbox", "1,2,3"], ["--bbox", "3", "west,south,east,north"]),
        (["districts", "x.csv", "--bbox", "a,2,3,4"], ["--bbox", "a"]),
        (["districts", "x.csv", "--crs", "EPSG:99"], ["--crs", "EPSG:99", "OGC:CRS84, EPSG:4326, EPSG:3857, EPSG:32629"]),
        (["districts", "x.csv", "--crs", "27700"], ["--crs", '"27700"', "EPSG:26191"]),
        (["districts", "x.csv", "--bbox", "1,2,3,4", "--bbox-crs", "here"], ["--bbox-crs", "here"]),
        (["districts", "x.csv", "--properties", "size"], ["--properties", "size", "population_2024"]),
        (["districts", "x.csv", "--sortby", "-size"], ["--sortby", "-size", "population_2024"]),
        (["districts", "x.csv", "--filter", "size > 1"], ["size", "area_km2"]),
        (["districts", "x.csv", "--filter", "area_km2 > "], ["cql2-text", "1:"]),
        (["districts", "x.csv", "--filter", "pg_sleep(9) = 1"], ["pg_sleep", "casei"]),
        (["districts", "x.csv", "--filter-lang", "sql"], ["--filter-lang", "cql2-json"]),
        (["districts", "x.csv", "--geometry-format", "lonlat"], ["--geometry-format", "wkt"]),
        (["districts", "x.csv", b"--filter=kind='\xff'"], ["--filter"]),
    ],
)  # fmt: skip
def test_an_error_says_what_is_wrong_and_what_is_allowed(database_url, folder, arguments, words):
    done = subprocess.run(
        [LAUNCHER, "export", *arguments], capture_output=True, cwd=folder, timeout=60, env=environment(database_url)
    )
    said = done.stderr.decode()
    assert done.returncode == 1, said
    for word in words:
        assert word in said
    assert "Traceback" not in said
    assert len(said.strip().splitlines()) >= 2
    assert names(folder) == []


def test_usage_errors_end_with_2(database_url, folder):
    assert run(database_url, "districts").returncode == 2
    assert run(database_url, "districts", folder / "x.csv", "--format", "doc").returncode == 2
    assert run(database_url, "districts", folder / "x.csv", "--lang", "en").returncode == 2


def test_internal_layers_are_their_owners(crowd, folder):
    good(crowd, "drafts", folder / "drafts.geojson")
    assert len(pyogrio.read_dataframe(folder / "drafts.geojson")) == 1


def test_a_database_without_layers_says_how_to_load_them(empty_url, folder):
    done = run(empty_url, "districts", folder / "x.csv")
    assert done.returncode == 1
    assert b"./casamaps up" in done.stderr
    with psycopg.connect(empty_url, autocommit=True) as connection:
        connection.execute("DROP SCHEMA catalogue CASCADE")
    done = run(empty_url, "districts", folder / "x.csv")
    assert done.returncode == 1
    assert b"./casamaps up" in done.stderr
    with psycopg.connect(empty_url) as connection:  # nothing was made there
        assert connection.execute("SELECT to_regnamespace('catalogue')").fetchone() == (None,)


def children(pid):
    """The processes that a process has started."""
    return [int(number) for number in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("form", ["csv", "gpkg", "shp"])
def test_a_signal_leaves_nothing(crowd, folder, form, number):
    path = folder / f"out.{EXTENSIONS[form]}"
    path.write_bytes(b"mine")
    with subprocess.Popen(
        [LAUNCHER, "export", "libraries", path, "--force"], stderr=subprocess.PIPE, env=environment(crowd)
    ) as process:
        while len(names(folder)) == 1:  # it has begun
            assert process.poll() is None
            time.sleep(0.005)
        assert path.read_bytes() == b"mine"
        writers = children(process.pid)
        process.send_signal(number)
        process.send_signal(number)
        _, said = process.communicate(timeout=30)
    assert process.returncode == 128 + number
    assert b"Traceback" not in said
    assert names(folder) == [path.name]
    assert path.read_bytes() == b"mine"
    assert not [writer for writer in writers if Path(f"/proc/{writer}").exists()]


def test_a_slow_reader_can_be_left(crowd):
    with subprocess.Popen(
        [LAUNCHER, "export", "libraries", "-", "--format", "csv"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment(crowd),
    ) as process:  # fmt: skip
        assert process.stdout is not None
        assert process.stdout.read(3) == b"id,"
        time.sleep(0.5)  # the pipe is full now
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 128 + signal.SIGTERM


def test_a_reader_that_has_seen_enough_ends_it(crowd):
    with subprocess.Popen(
        [LAUNCHER, "export", "libraries", "-", "--format", "jsonseq"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment(crowd),
    ) as process:  # fmt: skip
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        assert process.wait(20) == 128 + signal.SIGPIPE
        assert process.stderr.read() == b""


def test_standard_output_takes_everything(crowd):
    written = good(crowd, "libraries", "-", "--format", "csv").stdout
    assert written.count(b"\r\n") == ROWS + 1


@pytest.mark.parametrize("form", ["csv", "gpkg", "kml", "parquet"])
def test_no_room_leaves_nothing(crowd, folder, form):
    def small_files():
        resource.setrlimit(resource.RLIMIT_FSIZE, (2_000_000, 2_000_000))

    done = subprocess.run(
        [LAUNCHER, "export", "libraries", folder / f"out.{EXTENSIONS[form]}"],
        capture_output=True, env=environment(crowd), preexec_fn=small_files,
    )  # fmt: skip
    assert done.returncode == 1
    assert str(folder) in done.stderr.decode()
    assert b"Traceback" not in done.stderr
    assert names(folder) == []


def test_progress_is_shown_on_a_terminal(crowd, folder):
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [LAUNCHER, "export", "libraries", folder / "out.csv"],
        stderr=theirs, env=environment(crowd, TERM="xterm", COLUMNS="120"),
    ) as process:  # fmt: skip
        os.close(theirs)
        shown = b""
        while True:
            try:
                shown += os.read(ours, 65536)
            except OSError:  # the other side is closed
                break
    os.close(ours)
    assert process.returncode == 0
    steps = [int(count) for count in re.findall(rf"(\d+)/{ROWS}".encode(), shown)]
    assert steps == sorted(steps)
    assert any(0 < count < ROWS for count in steps)
    assert f"{ROWS:,} features".encode() in shown


# Runs a command, and prints the largest memory that it or a process of its own took, in bytes.
MEASURE = """
import resource, subprocess, sys
subprocess.run(sys.argv[1:], check=True, stderr=subprocess.DEVNULL)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024)
"""


def peak(url, *arguments):
    done = subprocess.run(
        [sys.executable, "-c", MEASURE, LAUNCHER, "export", *map(str, arguments)],
        capture_output=True, text=True, env=environment(url), check=True,
    )  # fmt: skip
    return int(done.stdout)


@pytest.mark.parametrize("form", FORMATS)
def test_memory_does_not_grow_with_the_layer(crowd, folder, form):
    path = folder / f"out.{EXTENSIONS[form]}"
    half = peak(crowd, "libraries", path, "--filter", f"amount <= {ROWS // 2}")
    whole = peak(crowd, "libraries", path, "--force")
    if form in FILES and form not in ("kml", "shp"):
        assert len(gpd.read_parquet(path) if form == "parquet" else pyogrio.read_dataframe(path)) == ROWS
    # FlatGeobuf's spatial index is made in memory; all others take what a block of features needs, or a row group.
    assert whole < (1.35 if form == "fgb" else 1.15) * half
    assert whole < 0.75 * LIMIT


def test_with_and_without_a_running_service(folder):
    """On the private database: refused before there is one, beside the service, and after it."""
    data_dir = folder / "instance"
    settings = {"CASAMAPS_DATA_DIR": str(data_dir), "COLUMNS": "200"}
    command = [LAUNCHER, "export", "districts"]
    plain = {**os.environ, **settings}
    early = subprocess.run([*command, folder / "0.gpkg"], capture_output=True, env=plain)
    assert early.returncode == 1
    assert b"./casamaps up" in early.stderr
    assert not data_dir.exists()
    port = str(free_port())
    try:
        with subprocess.Popen(
            [LAUNCHER, "up", "--port", port], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=plain
        ) as service:
            assert service.stdout is not None
            assert b"is ready" in service.stdout.readline()
            subprocess.run([*command, folder / "1.gpkg"], check=True, capture_output=True, env=plain)
            assert httpx.get(f"http://127.0.0.1:{port}/readyz").status_code == 200
            service.send_signal(signal.SIGTERM)
            service.communicate(timeout=20)
        subprocess.run([*command, folder / "2.gpkg"], check=True, capture_output=True, env=plain)
        assert (folder / "1.gpkg").read_bytes() == (folder / "2.gpkg").read_bytes()
        assert len(pyogrio.read_dataframe(folder / "2.gpkg")) == 17
        cluster = home.find(data_dir)
        listed = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout
        assert f"-D {cluster}" not in listed
    finally:
        home.remove(data_dir)


def test_a_crs_is_named_by_its_number_as_the_help_has_it(database_url):
    options = ["facilities", "-", "--format", "csv", "--bbox", "280000,325000,300000,340000"]
    short = good(database_url, *options, "--bbox-crs", "26191", "--crs", "26191").stdout
    assert short == good(database_url, *options, "--bbox-crs", "EPSG:26191", "--crs", "EPSG:26191").stdout
    assert b"POINT(2" in short


def test_a_crs_that_does_not_hold_the_layer_is_refused(workshop, folder):
    workshop.ingest(workshop.geojson({"id": "a"}, {"id": "b", "at": (170.0, -40.0)}))
    done = run(workshop.url, "libraries", "x.csv", "--crs", "26191", cwd=folder)
    said = done.stderr.decode()
    assert done.returncode == 1
    for word in ("--crs", "26191", "libraries", "OGC:CRS84, EPSG:4326, EPSG:3857."):
        assert word in said
    assert names(folder) == []

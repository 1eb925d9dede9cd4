"""Whole results: all features in all formats, as items gives them; what is left behind when something goes wrong."""

import contextlib
import csv
import io
import json
import os
import resource
import socket
import subprocess
import tempfile
import threading
import time
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pandas as pd
import psycopg
import pyogrio
import pyproj
import pytest
import shapely
from hypothesis import example, given, settings
from hypothesis import strategies as st

import api.routes.export
import layers.export
from api.settings import Settings
from geo.errors import InvalidInput
from layers.export import EXTENSIONS, FILES
from layers.migrate import upgrade
from tests.conftest import free_port, running, throwaway_cluster
from tests.integration.conftest import Workshop

MANY = 15 if os.environ.get("CASAMAPS_THOROUGH") else 1
FORMATS = list(EXTENSIONS)
TEXTS = [form for form in FORMATS if form not in FILES]
#: More than the largest page (10,000), and more bytes than sockets keep.
COUNT = 11_000
#: Without compression, so that bytes are those of the format.
PLAIN = {"Accept-Encoding": "identity"}
PATH = "/collections/libraries/export"


def eventually(holds, what):
    """Wait for something that others do: at most half a minute."""
    for _ in range(600):
        if holds():
            return
        time.sleep(0.05)
    raise AssertionError(f"not so after half a minute: {what}")


@pytest.fixture(scope="module")
def many(tmp_path_factory):
    """The address of a database with a layer of many features."""
    with throwaway_cluster() as url:
        upgrade(url)
        workshop = Workshop(url, tmp_path_factory.mktemp("many"))
        workshop.add("remark")
        workshop.add("amount", "integer")
        workshop.ingest(workshop.csv("first,Un,واحد,-7.6,33.5"))
        workshop.sql("DELETE FROM features.libraries")
        workshop.sql(
            "INSERT INTO features.libraries (id, name_fr, name_ar, geom, remark, amount) "
            "SELECT 'n' || n, 'Un', 'واحد', ST_SetSRID(ST_MakePoint(-8 + n / 50000.0, 33.5), 4326), "
            # Texts that hardly shrink, as small answers fit into sockets and small files on small disks.
            "(SELECT string_agg(md5(n * 100 + k || ''), '') FROM generate_series(1, 40) k), n "
            "FROM generate_series(1, %s) n",
            COUNT,
        )
        yield url


@pytest.fixture
def service(many, tmp_path):
    """Start services that make their files in a folder of their own: ``service(exports=1)`` gives a client and it."""
    with contextlib.ExitStack() as stack:

        def start(**more):
            folder = tmp_path / f"exports{len(list(tmp_path.iterdir()))}"
            folder.mkdir()
            given = {"export_dir": folder, **more}
            address = stack.enter_context(running(Settings(port=free_port(), **given), many))
            # A small window, so that a reader who stops reading is soon noticed.
            wire = httpx.HTTPTransport(socket_options=[(socket.SOL_SOCKET, socket.SO_RCVBUF, 65_536)])
            client = httpx.Client(base_url=address, timeout=60, headers=PLAIN, transport=wire)
            return stack.enter_context(client), given["export_dir"]

        yield start


def sessions(url):
    """Return how many exports the database has connections of: each has one in a transaction of its own."""
    with psycopg.connect(url, autocommit=True) as connection:
        return connection.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'casamaps' AND xact_start IS NOT NULL "
            "AND query LIKE %s",
            ["%libraries%"],
        ).fetchone()[0]


def writers():
    """Return the processes that make files."""
    found = subprocess.run(["pgrep", "-P", str(os.getpid()), "-f", "layers.files"], capture_output=True, check=False)
    return found.stdout.split()


def open_files():
    """Return the files of exports that this process, which is the service's, has open."""
    found = []
    for entry in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(OSError):
            found.append(str(entry.readlink()))
    return [path for path in found if "casamaps-export-" in path]


def nothing_left(client, folder, url):
    eventually(lambda: not list(folder.iterdir()), "the folder is empty")
    eventually(lambda: not writers(), "no process makes a file")
    eventually(lambda: not open_files(), "no file is open")
    eventually(lambda: sessions(url) == 0, "no connection is left")
    # And there is a place for the next one.
    eventually(lambda: client.get(PATH, params={"filter": "amount < 3"}).status_code == 200, "a place is free")


def problem(answer, status, code):
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    body = answer.json()
    assert body["type"].split(":")[-1] == code
    assert "content-disposition" not in answer.headers
    return body


# -- all of it -------------------------------------------------------------------------------------------------------


def ids_of(form, body, folder):
    """Return the ids in a file, in its order."""
    path = folder / f"x.{EXTENSIONS[form]}"
    path.write_bytes(body)
    if form == "json":
        return [item["id"] for item in json.loads(body)["features"]]
    if form == "jsonseq":
        return [json.loads(text)["id"] for text in body.decode().split("\x1e")[1:]]
    if form == "csv":
        return [row["id"] for row in csv.DictReader(io.StringIO(body.decode(), newline=""))]
    if form == "parquet":
        return list(pd.read_parquet(path, columns=["id"])["id"])
    name = "feature_id" if form == "kml" else "id"
    return list(pyogrio.read_dataframe(path, columns=[name], read_geometry=False)[name])


@pytest.mark.parametrize("form", FORMATS)
def test_the_whole_layer_beyond_any_page(service, tmp_path, form):
    client, folder = service()
    answer = client.get(PATH, params={"f": form})
    assert answer.status_code == 200
    assert sorted(ids_of(form, answer.content, tmp_path)) == sorted(f"n{number}" for number in range(1, COUNT + 1))
    assert list(folder.iterdir()) == []
    assert ("content-length" in answer.headers) is (form in FILES)


whens = st.one_of(st.none(), st.tuples(st.sampled_from("abc"), st.integers(-40, 40)))
boxes = st.one_of(st.none(), st.tuples(st.floats(-7.8, -7.5), st.floats(33.45, 33.6), st.floats(0.01, 0.2)))
orders = st.lists(st.sampled_from(["kind", "amount", "score", "day", "open", "id", "name_fr"]), max_size=3, unique=True)


@settings(max_examples=30 * MANY)
@given(
    st.sampled_from(["kiosks", "plots", "roads", "zones", "works", "nothing"]),
    whens, boxes, orders, st.booleans(),
    st.sampled_from([None, "EPSG:4326", "EPSG:3857", "EPSG:32629", "EPSG:26191"]),
    st.sampled_from([None, "kind,amount", "name_ar", ""]), st.booleans(), st.sampled_from(["fr", "ar"]),
)  # fmt: skip
@example("works", None, None, [], False, None, None, False, "ar")
@example("kiosks", ("a", 0), (-7.7, 33.5, 0.1), ["kind", "score"], True, "EPSG:4326", "amount", True, "fr")
def test_what_items_gives(town, layer, when, box, order, down, crs, names, skip, lang):
    """The same features, in the same order, as items gives them on one page; the town's layers have no second one."""
    query = {"lang": lang}
    if when:
        query["filter"] = f"kind = '{when[0]}' AND amount >= {when[1]}"
    if box:
        query["bbox"] = f"{box[0]!r},{box[1]!r},{box[0] + box[2]!r},{box[1] + box[2]!r}"
    if order:
        query["sortby"] = ",".join(("-" if down else "") + name for name in order)
    if crs:
        query["crs"] = crs
    if names is not None:
        query["properties"] = names
    if skip:
        query["skipGeometry"] = "true"
    page = town.client.get(f"/collections/{layer}/items", params={**query, "limit": 10_000})
    whole = town.client.get(f"/collections/{layer}/export", params=query)
    assert whole.json()["features"] == page.json()["features"]
    assert whole.headers["content-language"] == page.headers["content-language"] == lang
    assert skip or whole.headers["content-crs"] == page.headers["content-crs"]
    ids = [item["id"] for item in page.json()["features"]]
    sequence = town.client.get(f"/collections/{layer}/export", params={**query, "f": "jsonseq"}).text
    assert [json.loads(text) for text in sequence.split("\x1e")[1:]] == page.json()["features"]
    table = town.client.get(f"/collections/{layer}/export", params={**query, "f": "csv"}).text
    assert [row["id"] for row in csv.DictReader(io.StringIO(table, newline=""))] == ids


@pytest.mark.parametrize("form", FORMATS)
def test_every_format_has_the_filter_and_the_order(town, tmp_path, form):
    things = [
        thing
        for thing in town.layers["plots"]
        if thing.properties["kind"] == "b" and thing.degrees.intersects(shapely.box(-7.7, 33.5, -7.5, 33.7))
    ]
    wanted = sorted(things, key=lambda t: (t.properties["score"] is None, t.properties["score"]), reverse=True)
    query = {"kind": "b", "bbox": "-7.7,33.5,-7.5,33.7", "sortby": "-score", "crs": "EPSG:32629", "f": form}
    answer = town.client.get("/collections/plots/export", params=query)
    ids = ids_of(form, answer.content, tmp_path)
    assert sorted(ids) == sorted(thing.id for thing in wanted)
    scores = {thing.id: thing.properties["score"] for thing in wanted}
    assert [scores[key] for key in ids] == [scores[thing.id] for thing in wanted]
    if form in ("json", "fgb", "gpkg", "shp"):
        table = pyogrio.read_dataframe(tmp_path / f"x.{EXTENSIONS[form]}")
        assert table.crs.to_epsg() == 32629
        to = pyproj.Transformer.from_crs(26191, 32629, always_xy=True)
        own = {thing.id: shapely.transform(thing.geometry, to.transform, interleaved=False) for thing in wanted}
        assert max(own[key].distance(got) for key, got in zip(table["id"], table.geometry, strict=True)) < 0.01


@pytest.mark.parametrize(
    "interval", ["2026-03-01/2026-04-01", "../2026-01-01", "2026-06-01T12:00:00Z/..", "2026-05-05"]
)
def test_a_time_chooses_as_it_does_for_items(client, interval):
    query = {"datetime": interval}
    page = client.get("/collections/worksites/items", params={**query, "limit": 1000}).json()["features"]
    assert client.get("/collections/worksites/export", params=query).json()["features"] == page
    assert len(page) < 43 or interval.endswith("..")


def test_the_name_of_the_file(town):
    for query, middle in (({}, ""), ({"kind": "a"}, "_selection"), ({"sortby": "amount"}, "")):
        for form, kind in (("json", "inline"), ("gpkg", "attachment"), ("csv", "attachment")):
            named = town.client.head("/collections/plots/export", params={**query, "f": form}).headers[
                "content-disposition"
            ]
            assert named.startswith(f'{kind}; filename="plots{middle}_20')
            assert named.endswith(f'.{EXTENSIONS[form]}"')


def test_no_row_is_lost_or_doubled_while_others_write(service, many):
    client, _ = service()
    with client.stream("GET", PATH, params={"f": "jsonseq"}) as answer:
        chunks = answer.iter_raw()
        body = next(chunks)
        with psycopg.connect(many, autocommit=True) as connection:
            connection.execute("UPDATE features.libraries SET amount = amount")
            connection.execute("DELETE FROM features.libraries WHERE amount % 2 = 0")
            connection.execute(
                "INSERT INTO features.libraries (id, name_fr, name_ar, geom, remark, amount) SELECT 'n' || n, 'Un', 'واحد', "
                "ST_SetSRID(ST_MakePoint(-8 + n / 50000.0, 33.5), 4326), repeat(md5(n::text), 40), n "
                "FROM generate_series(2, %s, 2) n",
                [COUNT],
            )
        body += b"".join(chunks)
    assert sorted(ids_of("jsonseq", body, Path(tempfile.mkdtemp()))) == sorted(f"n{n}" for n in range(1, COUNT + 1))


# -- how it comes ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", TEXTS)
def test_texts_stream(service, monkeypatch, form, tmp_path):
    """A reader who stops reading stops the asking, so no more than some blocks are ever in memory."""
    fetched = []
    blocks = api.routes.export.blocks

    async def counted(*given):
        found = blocks(*given)
        async with contextlib.aclosing(found):
            async for rows in found:
                fetched.append(len(rows))
                yield rows

    monkeypatch.setattr(api.routes.export, "blocks", counted)
    client, folder = service()
    with client.stream("GET", PATH, params={"f": form}) as answer:
        assert answer.headers["transfer-encoding"] == "chunked"
        chunks = answer.iter_raw()
        body = next(chunks)
        before = -1
        while before != sum(fetched):  # until it stands still
            before = sum(fetched)
            time.sleep(0.5)
        assert 0 < before < COUNT
        body += b"".join(chunks)
    assert sum(fetched) == COUNT
    assert max(fetched) * 1300 < 4 * layers.export.BLOCK
    assert len(ids_of(form, body, tmp_path)) == COUNT
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("form", [*TEXTS, "kml"])
def test_compressed_on_the_way(service, many, tmp_path, form):
    client, folder = service(exports=1)
    plain = client.get(PATH, params={"f": form})
    packed = client.get(PATH, params={"f": form}, headers={"Accept-Encoding": "gzip"})
    assert packed.headers["content-encoding"] == "gzip"
    assert "Accept-Encoding" in packed.headers["vary"]
    assert "content-length" not in packed.headers
    assert ids_of(form, packed.content, tmp_path) == ids_of(form, plain.content, tmp_path)
    with client.stream("GET", PATH, params={"f": form}, headers={"Accept-Encoding": "gzip"}) as answer:
        next(answer.iter_raw())
    nothing_left(client, folder, many)


@pytest.fixture
def folders(monkeypatch):
    """The temporary folders that exports make."""
    made = []
    make = tempfile.mkdtemp

    def noted(*given, **named):
        path = make(*given, **named)
        if named.get("prefix", "").startswith("casamaps-export"):
            made.append(Path(path))
        return path

    monkeypatch.setattr(tempfile, "mkdtemp", noted)
    return made


@pytest.mark.parametrize("form", sorted(FILES))
def test_files_are_finished_in_one_folder_before_they_are_sent(service, folders, form, many):
    client, folder = service()
    with client.stream("GET", PATH, params={"f": form}) as answer:
        assert answer.status_code == 200
        # The folder has been there and is gone, though no byte has been read.
        assert [path.parent for path in folders] == [folder]
        assert not folders[0].exists()
        assert not writers()
        body = answer.read()
    assert len(body) == int(answer.headers["content-length"])
    nothing_left(client, folder, many)


@pytest.mark.parametrize("form", FORMATS)
def test_head(service, folders, form):
    client, _ = service()
    head = client.head(PATH, params={"f": form, "lang": "ar", "crs": "EPSG:26191"})
    assert (head.status_code, head.content) == (200, b"")
    assert folders == []
    answer = client.get(PATH, params={"f": form, "lang": "ar", "crs": "EPSG:26191", "filter": "amount < 10"})
    own = ("content-type", "content-crs", "content-language", "cache-control")
    assert {name: head.headers.get(name) for name in own} == {name: answer.headers.get(name) for name in own}
    assert "Accept-Language" in head.headers["vary"]
    assert "content-length" not in head.headers


# -- what is left when the reader goes -------------------------------------------------------------------------------


@pytest.mark.parametrize("form", TEXTS)
def test_a_reader_who_leaves_a_stream(service, many, form):
    client, folder = service(exports=1)
    with client.stream("GET", PATH, params={"f": form}) as answer:
        assert answer.status_code == 200
        chunks = answer.iter_raw()  # kept: the answer is given up with it
        next(chunks)
        assert sessions(many) == 1
    nothing_left(client, folder, many)


def ask(client, form):
    """Ask without waiting for the answer; give the socket."""
    host = urlsplit(str(client.base_url))
    wire = socket.create_connection((host.hostname, host.port))
    wire.sendall(f"GET {PATH}?f={form} HTTP/1.1\r\nHost: {host.netloc}\r\n\r\n".encode())
    return wire


@pytest.mark.parametrize("form", sorted(FILES))
def test_a_reader_who_leaves_while_the_file_is_made(service, many, form):
    client, folder = service(exports=1)
    wire = ask(client, form)
    eventually(lambda: any(folder.rglob("*.*")), "the file has been begun")
    assert len(list(folder.iterdir())) == 1
    wire.close()
    nothing_left(client, folder, many)


@pytest.mark.parametrize("form", sorted(FILES))
def test_a_reader_who_leaves_while_the_file_is_sent(service, many, form):
    client, folder = service(exports=1)
    with client.stream("GET", PATH, params={"f": form}) as answer:
        assert answer.status_code == 200
        next(answer.iter_raw(1000))
    nothing_left(client, folder, many)


def test_readers_who_leave_at_any_moment(service, many):
    client, folder = service(exports=4)
    for round_ in range(3):
        wires = [ask(client, form) for form in ("gpkg", "json", "shp", "parquet")]
        time.sleep(0.15 * round_)
        for wire in wires:
            wire.close()
    nothing_left(client, folder, many)


# -- what is left after an error -------------------------------------------------------------------------------------


@pytest.mark.parametrize("lang", ["fr", "ar"])
def test_a_writer_that_dies(service, many, folders, monkeypatch, lang):
    client, folder = service(exports=1)
    with monkeypatch.context() as patched:
        patched.setattr(layers.export.sys, "executable", "/bin/false")
        answer = client.get(PATH, params={"f": "gpkg", "lang": lang})
    body = problem(answer, 500, "internal")
    assert answer.headers["content-language"] == lang
    assert "/" not in body["detail"]
    assert len(folders) == 1
    nothing_left(client, folder, many)


def read_on(client, form, meanwhile):
    """Read the beginning, let something happen, read the rest."""
    with client.stream("GET", PATH, params={"f": form}) as answer:
        assert answer.status_code == 200
        chunks = answer.iter_raw()
        next(chunks)
        meanwhile()
        for _ in chunks:
            pass


def end_sessions(url):
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'casamaps' AND query LIKE %s",
            ["%libraries%"],
        )


@pytest.mark.parametrize("form", ["gpkg", "shp"])
def test_a_database_that_goes_while_the_file_is_made(service, many, form):
    client, folder = service(exports=1)
    answers = []
    thread = threading.Thread(target=lambda: answers.append(client.get(PATH, params={"f": form})))
    thread.start()
    eventually(lambda: any(folder.rglob("*.*")), "the file has been begun")
    end_sessions(many)
    thread.join(60)
    problem(answers[0], 503, "database.away")
    nothing_left(client, folder, many)


@pytest.mark.parametrize("form", TEXTS)
def test_a_database_that_goes_breaks_the_stream_off(service, many, form):
    """Nobody may take a part for the whole."""
    client, folder = service(exports=1)
    with pytest.raises(httpx.RemoteProtocolError):
        read_on(client, form, lambda: end_sessions(many))
    nothing_left(client, folder, many)


# -- limits ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("lang", ["fr", "ar"])
def test_too_many_at_once_are_refused(service, many, lang):
    client, folder = service(exports=2)
    with (
        client.stream("GET", PATH, params={"f": "csv"}) as one,
        client.stream("GET", PATH, params={"f": "json"}) as two,
    ):
        assert (one.status_code, two.status_code) == (200, 200)
        for form in FORMATS:
            answer = client.get(PATH, params={"f": form, "lang": lang})
            body = problem(answer, 503, "export.busy")
            assert answer.headers["retry-after"] == "2"
            assert answer.headers["content-language"] == lang
            assert "2" in body["detail"]
        page = client.get(PATH, params={"f": "gpkg", "lang": lang}, headers={"Accept": "text/html"})
        assert page.status_code == 503
        # What is no export goes on.
        assert client.head(PATH).status_code == 200
        assert client.get("/collections/libraries/items").status_code == 200
    nothing_left(client, folder, many)


def test_a_file_that_is_made_has_a_place(service, many):
    client, folder = service(exports=1)
    wire = ask(client, "gpkg")
    eventually(lambda: any(folder.iterdir()), "the file has been begun")
    problem(client.get(PATH, params={"f": "fgb"}), 503, "export.busy")
    assert len(list(folder.iterdir())) == 1
    wire.close()
    nothing_left(client, folder, many)


@pytest.mark.parametrize("form", sorted(FILES))
def test_a_file_that_takes_too_long(service, many, form):
    client, folder = service(export_timeout=0.1)
    answer = client.get(PATH, params={"f": form})
    body = answer.json()
    assert body["type"].split(":")[-1] in ("export.timeout", "database.timeout")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")
    assert "0,1" in body["detail"]
    eventually(lambda: not list(folder.iterdir()) and not writers() and not sessions(many), "nothing is left")


@pytest.mark.parametrize("form", TEXTS)
def test_a_stream_that_takes_too_long(service, many, form):
    client, _ = service(export_timeout=1.0)
    with pytest.raises(httpx.RemoteProtocolError):
        read_on(client, form, lambda: eventually(lambda: sessions(many) == 0, "the time is up"))


@pytest.mark.parametrize("seconds", [0.0001, 0.001])
def test_no_time_at_all(service, seconds):
    """A time that PostgreSQL would round to nothing, which is its word for no limit, is the shortest there is."""
    client, _ = service(export_timeout=seconds)
    for form in ("json", "gpkg"):
        answer = client.get(PATH, params={"f": form, "sortby": "remark"})
        assert answer.status_code == 503
        assert answer.headers["content-type"] == "application/problem+json"


# -- a full disk -----------------------------------------------------------------------------------------------------


def can_mount():
    """Tell whether a small disk can be had; the limit of a file's size is there for everybody."""
    with tempfile.TemporaryDirectory() as folder:
        if subprocess.run(["mount", "-t", "tmpfs", "tmpfs", folder], capture_output=True, check=False).returncode:
            return False
        subprocess.run(["umount", folder], check=True)
        return True


@contextlib.contextmanager
def little_room(folder, how):
    if how == "disk":
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=400k", "tmpfs", folder], check=True)
        try:
            yield
        finally:
            eventually(lambda: not open_files(), "the disk is not in use")
            subprocess.run(["umount", folder], check=True)
    else:
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, hard))
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("how", ["limit", *(["disk"] if can_mount() else [])])
@pytest.mark.parametrize("form", sorted(FILES))
def test_a_full_disk(service, many, form, how):
    client, folder = service(exports=1)
    with little_room(folder, how):
        # Texts that don't shrink: a compressed file of the others might have room.
        answer = client.get(PATH, params={"f": form, "lang": "fr"})
        body = problem(answer, 503, "export.space")
        assert "json, jsonseq, csv" in body["detail"]
        assert answer.headers["retry-after"] == "2"
        assert list(folder.iterdir()) == []
        # What needs no file is there all the same, and so is a file for which there is room.
        assert client.get(PATH, params={"f": "csv", "filter": "amount < 20"}).status_code == 200
        small = client.get(PATH, params={"f": form, "filter": "amount < 20"})
        assert small.status_code == 200, small.text
    nothing_left(client, folder, many)


def test_a_folder_that_is_gone(service, many):
    client, folder = service()
    folder.rmdir()
    problem(client.get(PATH, params={"f": "gpkg"}), 503, "export.space")
    folder.mkdir()
    assert client.get(PATH, params={"f": "gpkg", "filter": "amount < 9"}).status_code == 200
    nothing_left(client, folder, many)


# -- mistakes --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ("f=xlsx", "f"),
        ("f=<script>alert(1)</script>", "f"),
        ("f=", "f"),
        ("limit=5", "limit"),
        ("cursor=abc", "cursor"),
        ("offset=5", "offset"),
        ("crs=EPSG:1", "crs"),
        ("crs=' OR 1=1 --", "crs"),
        ("properties=nope", "properties"),
        ("properties=kind,<b>", "properties"),
        ("sortby=nope", "sortby"),
        ("sortby=tags", "sortby"),
        ("sortby=amount,amount", "sortby"),
        ("sortby=amount;DROP TABLE x", "sortby"),
        ("skipGeometry=2", "skipGeometry"),
        ("bbox=1,2,NaN,4", "bbox"),
        ("bbox=", "bbox"),
        ("bbox-crs=EPSG:1", "bbox-crs"),
        ("datetime=2026-99-99", "datetime"),
        ("filter=kind", "filter"),
        ("filter=nope=1", "filter"),
        ("filter=مدرسة='x'", "filter"),
        ("filter=pg_sleep(9)=1", "filter"),
        ("filter-lang=sql", "filter-lang"),
        ("filter-crs=EPSG:1&filter=amount=1", "filter-crs"),
        ("amount=x", "amount"),
        ("amount=99999999999999999999", "amount"),
        ("kind=z", "kind"),
        ("open=maybe", "open"),
        ("day=31.12.2026", "day"),
        ("f=csv&geometry-format=wkb", "geometry-format"),
        ("f=csv&bom=1", "bom"),
        ("f=csv&f=json", "f"),
        ("lang=en", "lang"),
        ("name_fr=%00", "name_fr"),
        ("name_fr=%ED%A0%80&x=1", "name_fr"),
    ],
)
def test_mistakes_are_named(town, query, parameter):
    for lang in ("fr", "ar"):
        answer = town.client.get(f"/collections/kiosks/export?{query}" + ("" if "lang=" in query else f"&lang={lang}"))
        body = answer.json()
        assert answer.status_code == 400, body
        assert answer.headers["content-type"] == "application/problem+json"
        assert body["parameter"] == parameter
        assert "content-disposition" not in answer.headers
        assert "lang=" in query or answer.headers["content-language"] == lang
        # The same without a body, as RFC 9110 (9.3.2) has it.
        assert town.client.head(f"/collections/kiosks/export?{query}").status_code == 400


@pytest.mark.parametrize(("lang", "word"), [("fr", "Valeurs admises"), ("ar", "القيم المقبولة")])
def test_a_person_who_is_wrong_reads_a_page(town, lang, word):
    answer = town.client.get(f"/collections/kiosks/export?f=html&lang={lang}")
    assert answer.status_code == 400
    assert answer.headers["content-type"].startswith("text/html")
    assert word in answer.text


def test_no_such_layer_and_no_such_method(town):
    assert town.client.get("/collections/nope/export").json()["status"] == 404
    assert town.client.get("/collections/<script>/export?f=gpkg").json()["status"] == 404
    answer = town.client.post("/collections/kiosks/export")
    assert (answer.status_code, answer.headers["content-type"]) == (405, "application/problem+json")
    assert set(answer.headers["allow"].split(", ")) == {"GET", "HEAD"}


def test_a_mistake_that_only_the_database_finds(town, monkeypatch):
    """It comes before the status line, in texts and in files."""

    async def refuse(_cursor, _count):
        raise InvalidInput("query.data", log="GEOS")

    monkeypatch.setattr("layers.database.Cursor.fetch", refuse)
    for form in FORMATS:
        problem(town.client.get("/collections/kiosks/export", params={"f": form}), 400, "query.data")

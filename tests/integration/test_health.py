"""Health: alive is not ready; a database that goes away and comes back is survived."""

import shutil
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import psycopg

from api.settings import PROJECT
from layers.cluster import Cluster
from layers.migrate import upgrade
from layers.shipped import load_shipped

READY = {"status": "ready", "checks": {"database": "ok", "migrations": "ok", "data": "ok"}}


def until(check, seconds=15):
    """Wait for something that takes a moment; the time is a bound, not a measure."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if check():
            return True
        time.sleep(0.1)
    return False


def test_a_loaded_service_is_ready(client):
    assert client.get("/readyz").json() == READY
    assert client.get("/healthz").json() == {"status": "alive"}
    assert client.get("/readyz").headers["cache-control"] == "no-store"


def test_a_service_without_data_is_alive_but_not_ready(empty_url, serve):
    address = serve(empty_url)
    answer = httpx.get(address + "/readyz")
    assert answer.status_code == 503
    assert answer.json()["checks"] == {"database": "ok", "migrations": "ok", "data": "missing"}
    assert httpx.get(address + "/healthz").status_code == 200
    assert httpx.get(address + "/collections").json()["collections"] == []
    assert httpx.get(address + "/tiles/WebMercatorQuad/9/1/1").status_code == 404


def test_a_database_behind_the_code_is_not_ready(workshop, serve):
    workshop.ingest(workshop.csv("a,Un,واحد,-7.6,33.5"))
    workshop.sql("UPDATE catalogue.alembic_version SET version_num = '0000'")
    assert httpx.get(serve(workshop.url) + "/readyz").json()["checks"]["migrations"] == "outdated"


@contextmanager
def restartable():
    """A cluster at an address that stays the same over its restarts, as an operator's own server has one."""
    folder = Path(tempfile.mkdtemp(prefix="casamaps-"))
    cluster, door = Cluster(folder / "cluster", durable=False), folder / "db"

    def start():
        cluster.start()
        door.unlink(missing_ok=True)
        door.symlink_to(parse_qs(urlsplit(cluster.url).query)["host"][0])

    try:
        start()
        yield f"{cluster.url.split('?')[0]}?host={door}", start, cluster.stop
    finally:
        cluster.remove()
        shutil.rmtree(folder, ignore_errors=True)


def test_a_database_that_comes_late_goes_away_and_comes_back(serve):
    with restartable() as (url, start, stop):
        upgrade(url)
        load_shipped(url, PROJECT / "data", lambda *_: None)
        stop()
        address = serve(url)
        items = address + "/collections/facilities/items?limit=1"
        away = httpx.get(address + "/readyz")
        assert (away.status_code, away.json()["checks"]["database"]) == (503, "away")
        assert httpx.get(address + "/healthz").status_code == 200
        start()
        assert until(lambda: httpx.get(address + "/readyz").json() == READY)
        assert httpx.get(items).status_code == 200
        stop()
        gone = httpx.get(items, timeout=30)
        assert gone.status_code == 503
        assert gone.headers["retry-after"]
        assert gone.json()["type"].endswith(("database.away", "database.busy"))
        assert httpx.get(address + "/readyz").status_code == 503
        start()
        assert until(lambda: httpx.get(items, timeout=30).status_code == 200)
        assert until(lambda: httpx.get(address + "/readyz").json() == READY)


def test_a_layer_that_changes_is_served_changed(workshop, serve):
    workshop.ingest(workshop.csv("a,Un,واحد,-7.6,33.5"))
    address = serve(workshop.url)
    collection = address + "/collections/libraries"
    assert httpx.get(collection).json()["itemCount"] == 1
    workshop.ingest(workshop.csv("a,Un,واحد,-7.6,33.5", "b,Deux,اثنان,-7.5,33.6"))
    assert until(lambda: httpx.get(collection).json()["itemCount"] == 2)
    workshop.add("seats", "integer")
    workshop.ingest(workshop.csv("a,Un,واحد,-7.6,33.5,7", header="seats"))
    assert until(lambda: httpx.get(collection + "/items?seats=7").status_code == 200)
    assert httpx.get(collection + "/items").json()["features"][0]["properties"]["seats"] == 7


def test_one_broken_definition_takes_only_its_own_layer_away(workshop, serve):
    workshop.ingest(workshop.csv("a,Un,واحد,-7.6,33.5"))
    workshop.sql("INSERT INTO catalogue.layers (id, definition) VALUES ('broken', '{}'), ('odd', '[]')")
    answer = httpx.get(serve(workshop.url) + "/collections")
    assert [item["id"] for item in answer.json()["collections"]] == ["libraries"]


def test_the_service_never_writes(database_url, serve):
    address = serve(database_url)
    httpx.get(address + "/collections/facilities/items?limit=1")
    with psycopg.connect(database_url) as connection:
        modes = connection.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'casamaps' AND state = 'idle in transaction'"
        ).fetchone()
    assert modes == (0,)

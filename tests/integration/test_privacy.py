"""What the privacy statement says: positions are in no log, whether a request succeeds, is refused, or breaks."""

import io
import logging
import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from api.cli.console import Discreet
from api.routes import at, directory
from layers.cluster import Cluster
from layers.migrate import upgrade
from layers.shipped import load_shipped
from tests.conftest import DATA, quiet
from tests.integration.conftest import Workshop

LON, LAT = "-7.6123456", "33.5712345"
PARTS = ("7.61234", "33.57123", "47902", "52567")
HERE = f"POINT({LON} {LAT})"
#: What a map or a person asks around a place, rightly and wrongly.
ASKED = [
    f"/nearest?lon={LON}&lat={LAT}",
    f"/nearest?lon={LON}&lat={LAT}&limit=x",
    f"/nearest?lon={LON}&lat={LAT}999",
    f"/at?lon={LON}&lat={LAT}",
    f"/at?lat={LAT}",
    f"/search?q=anfa&lon={LON}&lat={LAT}&lang=fr",
    f"/search/reverse?lon={LON}&lat={LAT}",
    f"/search?q={LAT},{LON}&lang=fr",
    f"/collections/facilities/items?bbox={LON},{LAT},{LON},{LAT}",
    f"/collections/facilities/items?bbox={LON},{LAT},{LON}",
    f"/collections/facilities/items?filter=distance(geom,{HERE})<500",
    f"/collections/facilities/items?filter=distance(geom,{HERE})<'a'",
    f"/collections/facilities/items?filter=S_INTERSECTS(geom,POLYGON(({LON} {LAT},1 1,{LON} 1,1 {LAT},{LON} {LAT})))",
    f"/collections/facilities/items?filter=S_CONTAINS(geom,{HERE})&filter-crs=EPSG:32629",
    f"/collections/facilities/export?f=csv&bbox={LON},{LAT},-7.5,33.6",
    f"/directory?q={LAT} {LON}&f=html",
    "/collections/facilities/tiles/WebMercatorQuad/17/52567/47902",
    f"/nothing/{LAT},{LON}",
]


@contextmanager
def logged():
    """Everything that any logger of this process writes, as the service's own log has it."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(Discreet("%(levelname)s %(name)s: %(message)s"))
    loggers = [logging.getLogger(name) for name in ("casamaps", "uvicorn", "uvicorn.error", "asyncio", "asyncpg")]  # fmt: skip
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.addHandler(handler)
        logger.setLevel(logging.DEBUG)
    yield stream
    for logger, level in zip(loggers, levels, strict=True):
        logger.removeHandler(handler)
        logger.setLevel(level)


@pytest.fixture(scope="module")
def house():
    """A database with the shipped data, and the folder of its server's own log."""
    folder = Path(tempfile.mkdtemp(prefix="casamaps-test-"))
    cluster = Cluster(folder, durable=False)
    try:
        cluster.start()
        upgrade(cluster.url)
        load_shipped(cluster.url, DATA, quiet)
        yield cluster.url, cluster._postmaster.data / "log"
    finally:
        cluster.remove()
        shutil.rmtree(folder, ignore_errors=True)


def server_log(folder: Path) -> str:
    found = sorted(folder.glob("server-*.log"))
    assert found
    return "".join(path.read_text("utf-8", "replace") for path in found)


def clean(text: str) -> bool:
    return not any(part in text for part in PARTS)


def test_what_is_asked_is_in_no_log(house, serve):
    url, folder = house
    base = serve(url)
    with logged() as log:
        for path in ASKED:
            assert httpx.get(base + path, timeout=60).status_code < 500, path
    assert clean(log.getvalue())
    assert clean(server_log(folder))
    # The server asks this before it writes a line for each request.
    assert not logging.getLogger("uvicorn.access").hasHandlers()


def test_neither_is_what_takes_too_long(house, serve):
    url, folder = house
    base = serve(url, statement_timeout=0.001)
    with logged() as log:
        statuses = {httpx.get(base + path, timeout=60).status_code for path in ASKED}
    assert 503 in statuses
    assert clean(log.getvalue())
    written = server_log(folder)
    assert "statement timeout" in written
    assert clean(written)


def test_neither_is_what_breaks(house, serve, monkeypatch):
    """An exception's own message may hold values; a tile is a place as well."""

    def broken(*given, **more):
        raise ValueError(f"no way: {LON} {LAT} {given} {more}")

    monkeypatch.setattr(directory, "page", broken)
    monkeypatch.setattr(at.params, "read", broken)
    base = serve(house[0])
    with logged() as log:
        for path in ASKED:
            httpx.get(base + path, timeout=60)
    text = log.getvalue()
    assert "unexpected failure" in text
    assert "Exception in ASGI application" in text
    assert "ValueError" in text
    assert "test_privacy.py" in text
    assert clean(text)


def test_neither_is_what_the_database_refuses(house, tmp_path, serve):
    """Statements that fail inside of PostgreSQL: what they were asked for is not written."""
    url, folder = house
    workshop = Workshop(url, tmp_path)
    workshop.ingest(workshop.csv("a,Un,واحد,-7.6,33.5"))
    base = serve(workshop.url)
    workshop.sql("CREATE OR REPLACE FUNCTION catalogue.casei(text) RETURNS text LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'refused'; END $$")  # fmt: skip
    answer = httpx.get(f"{base}/collections/libraries/items", params={"filter": f"CASEI(name_fr) = CASEI('{LAT} {LON}')"})  # fmt: skip
    assert answer.status_code >= 400
    workshop.sql("ALTER TABLE features.libraries RENAME COLUMN geom TO other")
    with logged() as log:
        for path in ASKED:
            httpx.get(base + path.replace("facilities", "libraries"), timeout=60)
    written = server_log(folder)
    assert "refused" in written
    assert clean(written)
    assert clean(log.getvalue())

"""How fast the service answers, beside the least that could answer: ratios of one run, side by side."""

from __future__ import annotations

import asyncio
import random
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psycopg

from geo.locator import Locator
from layers.catalogue import load_catalogue
from layers.database import Database, Statement
from layers.places import DistrictLocator
from tests.benchmarks import million
from tests.benchmarks.load import ask_database, ask_server
from tests.benchmarks.servers import LAYER, MAX_BYTES, process

#: Side of the boxes in degrees: a million points over the city's box leave some 120 of them in each.
SIDE = 0.006
PAGE = 100
#: A page as one would write it by hand, with nothing that the service adds.
PLAIN = Statement(
    """SELECT string_agg(f, ',') FROM (
    SELECT '{"type":"Feature","id":' || to_json(id)::text || ',"geometry":' || ST_AsGeoJSON(geom, 7, 0)
        || ',"properties":' || row_to_json((SELECT p FROM (SELECT name_fr, name_ar, kind, amount, score, day) p))::text
        || '}' AS f
    FROM features.street_furniture WHERE geom && ST_MakeEnvelope($1, $2, $3, $4, 4326) ORDER BY fid LIMIT $5) t""",
    ("west0", "south0", "east0", "north0", "page"),
)


@dataclass
class Row:
    """A line of the report: what was measured, in what unit, beside what, and what it is held to, if to anything."""

    what: str
    ours: float
    beside: str
    theirs: float
    goal: str
    holds: bool | None
    unit: str = "/s"

    @property
    def ratio(self) -> float:
        """Ours as a part of theirs."""
        return self.ours / self.theirs


def paths(count: int = 5000) -> dict[str, list[str]]:
    """Return the addresses that are asked, by the kind of question."""
    chance = random.Random(million.SEED)
    west, south, east, north = million.BOX
    found: dict[str, list[str]] = {"item": [], "nearest": [], "items": []}
    for _ in range(count):
        x, y = chance.uniform(west, east - SIDE), chance.uniform(south, north - SIDE)
        box = f"{x:.5f},{y:.5f},{x + SIDE:.5f},{y + SIDE:.5f}"
        found["item"].append(f"/collections/{LAYER}/items/f{chance.randrange(million.ROWS):07}")
        found["nearest"].append(f"/nearest?lon={x:.5f}&lat={y:.5f}&collections={LAYER}")
        found["items"].append(f"/collections/{LAYER}/items?bbox={box}&limit={PAGE}")
    return found


def side_by_side(ask: dict[str, Callable[[], float]], rounds: int) -> dict[str, float]:
    """Ask in turn, some times over, and return the medians: what slows the machine slows all of them."""
    seen: dict[str, list[float]] = {name: [] for name in ask}
    for name in ask:
        ask[name]()  # warm
    for _ in range(rounds):
        for name, one in ask.items():
            seen[name].append(one())
    return {name: statistics.median(values) for name, values in seen.items()}


def questions(url: str, pgbench: Path, known: dict[str, Statement], rounds: int, seconds: int) -> list[Row]:
    """Measure one feature, what is near, and a page of a box."""
    west, south, east, north = million.BOX
    variables = {
        "r1": "random(0, 1000000)", "r2": "random(0, 1000000)",
        "west0": f"{west} + ({east - west} - {SIDE}) * :r1 / 1000000.0",
        "south0": f"{south} + ({north - south} - {SIDE}) * :r2 / 1000000.0",
        "east0": f":west0 + {SIDE}", "north0": f":south0 + {SIDE}", "page": str(PAGE), "max_bytes": str(MAX_BYTES),
    }  # fmt: skip
    options = "-c jit=off -c max_parallel_workers_per_gather=0"
    asked = paths()
    rows = []
    with process("casamaps", url) as first, process("bare", url) as second:
        service, bare = first.address, second.address
        for kind in ("item", "nearest"):
            found = side_by_side(
                {
                    "service": lambda kind=kind: ask_server(service, asked[kind], seconds),
                    "bare": lambda kind=kind: ask_server(bare, asked[kind], seconds),
                },
                rounds,
            )
            ratio = found["service"] / found["bare"]
            beside = "a bare handler with the same SQL"
            rows.append(Row(kind, found["service"], beside, found["bare"], "≥ 0.8", ratio >= 0.8))
        found = side_by_side(
            {
                "service": lambda: ask_server(service, asked["items"], seconds),
                "same": lambda: ask_database(pgbench, url, known["items"], variables, options, seconds),
                "plain": lambda: ask_database(pgbench, url, PLAIN, variables, options, seconds),
            },
            rounds,
        )
        what, same, plain = f"items, box, {PAGE} features", "pgbench with the same SQL", "pgbench with a page by hand"
        ratio = found["service"] / found["same"]
        rows.append(Row(what, found["service"], same, found["same"], "≥ 0.75", ratio >= 0.75))
        rows.append(Row(what, found["service"], plain, found["plain"], "", None))
    return rows


def keyset(url: str, rounds: int, progress: Callable[[int, int], None]) -> list[Row]:
    """Walk all pages of a hundred, see that every feature came once, then measure the first and the last."""
    with process("casamaps", url) as service, httpx.Client(timeout=60) as client:
        first = address = f"{service.address}/collections/{LAYER}/items?limit={PAGE}"
        seen: set[str] = set()
        pages = 0
        last = ""
        while address:
            body: dict[str, Any] = client.get(address).json()
            keys = {feature["id"] for feature in body["features"]}
            assert len(keys) == len(body["features"]), "a feature stands twice on a page"
            assert not keys & seen, "a feature stands on two pages"
            seen |= keys
            pages += 1
            progress(pages * PAGE, million.ROWS)
            last = address
            address = next((item["href"] for item in body["links"] if item["rel"] == "next"), "")
        with psycopg.connect(url) as connection:
            (count,) = connection.execute("SELECT count(*) FROM features.street_furniture").fetchone() or (0,)
        assert len(seen) == count, f"{count - len(seen)} features were on no page"

        def timed(one: str) -> float:
            begun = time.perf_counter()
            client.get(one).raise_for_status()
            return (time.perf_counter() - begun) * 1000

        times: dict[str, list[float]] = {first: [], last: []}
        for _ in range(rounds * 40):
            for one, found in times.items():
                found.append(timed(one))
    ours, theirs = statistics.median(times[last]), statistics.median(times[first])
    return [Row(f"page {pages:,} of {PAGE}", ours, "page 1", theirs, "≤ 1.3", ours / theirs <= 1.3, "ms")]


def plan(url: str, statement: Statement) -> tuple[str, bool]:
    """Return how PostgreSQL finds what is near, and whether an index gives the order."""
    values = {"x": -7.61, "y": 33.57, "page": 10, "max_bytes": MAX_BYTES}
    sql = statement.sql
    for number, name in reversed(list(enumerate(statement.names, 1))):
        sql = sql.replace(f"${number}", str(values[name]))
    with psycopg.connect(url) as connection:
        lines = [line for (line,) in connection.execute(f"EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF) {sql}")]  # type: ignore[call-overload]
    ordered = next((number for number, line in enumerate(lines) if "Order By:" in line), None)
    return "\n".join(lines), ordered is not None and "Index Scan" in lines[ordered - 1]


def locator(url: str, count: int = 20_000) -> list[Row]:
    """Measure in which district a place lies, which is answered in the process."""

    async def build() -> Locator:
        database = Database(url, statement_timeout=5, pool_size=1)
        try:
            return await DistrictLocator(database).current(await load_catalogue(database))
        finally:
            await database.close()

    found, chance = asyncio.run(build()), random.Random(million.SEED)
    west, south, east, north = million.BOX
    places = [(chance.uniform(west, east), chance.uniform(south, north)) for _ in range(count)]
    times = []
    for x, y in places:
        begun = time.perf_counter()
        found.locate(x, y)
        times.append((time.perf_counter() - begun) * 1000)
    slowest = sorted(times)[int(count * 0.99)]
    return [Row("district of a place, slowest of 100", slowest, "the goal", 1.0, "≤ 1 ms", slowest <= 1, "ms")]

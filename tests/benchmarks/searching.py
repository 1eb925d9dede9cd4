"""What the search finds of the recall sets, and how long people wait: the slowest of twenty answers, eight asking at once."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import urlencode

import httpx
import psycopg

from tests.benchmarks import names
from tests.benchmarks.load import wait_for_server
from tests.benchmarks.million import SEED
from tests.benchmarks.servers import process
from tests.benchmarks.speed import Row
from tests.recall import FOLDER, SHOWN, Recall, evaluate, read_set, recall_sets

#: Milliseconds within which nineteen of twenty answers come, on the city's data and with a million names.
GOALS = {"the city": 25.0, "a million names": 60.0}


def recall_queries() -> list[str]:
    """Return the texts of the first recall set."""
    return [row["query"] for row in read_set(FOLDER / "recall.csv")]


def recalls(url: str) -> list[Recall]:
    """Ask the service for every text of each recall set, on the city's data."""
    with process("casamaps", url, "/healthz") as service, httpx.Client(base_url=service.address, timeout=30) as client:

        def ask(text: str) -> list[dict[str, Any]]:
            answer = client.get("/search", params={"q": text, "limit": SHOWN}).raise_for_status()
            features: list[dict[str, Any]] = answer.json()["features"]
            return features

        return [evaluate(file, ask) for file in recall_sets()]


def name_queries(known: Sequence[tuple[str, str]], count: int = 2000) -> list[str]:
    """Return names as people type them: whole, begun, in another order, with a letter wrong, one word of them."""
    chance = random.Random(SEED)
    found = []
    for _ in range(count):
        text = chance.choice(chance.choice(known))
        words = text.split()
        at = chance.randrange(len(text) - 1)
        found.append(
            chance.choice(
                [
                    text,
                    text[: max(3, len(text) * 2 // 3)],
                    " ".join(reversed(words)),
                    text[:at] + text[at + 1 :],
                    text[:at] + text[at + 1] + text[at] + text[at + 2 :],
                    words[1],
                    words[0][:3],
                    " ".join(words[1:]),
                ]
            )
        )
    return found


def _measured(url: str, what: str, texts: Sequence[str], seconds: int) -> Row:
    chance = random.Random(SEED)
    paths = []
    for text in texts:
        place = {"lon": f"{chance.uniform(-7.7, -7.5):.5f}", "lat": f"{chance.uniform(33.5, 33.65):.5f}"}
        paths.append("/search?" + urlencode({"q": text, **(place if chance.random() < 0.5 else {})}))
    with process("casamaps", url, "/healthz") as service:
        wait_for_server(service.address, paths, 3)  # warm
        half, slow, count = wait_for_server(service.address, paths, seconds)
    goal = GOALS[what]
    return Row(
        f"search, {what}, slowest of 20 ({count} answers, half within {half:.0f} ms)",
        slow, "the goal", goal, f"≤ {goal:.0f} ms", slow <= goal, "ms",
    )  # fmt: skip


def searching(url: str, rows: int, seconds: int, progress: Callable[[int, int], None]) -> list[Row]:
    """Measure the search on the city's data, then with many generated names beside it."""
    found = [_measured(url, "the city", recall_queries(), seconds)]
    known = names.fill(url, rows, progress)
    with psycopg.connect(url) as connection:
        (distinct,) = connection.execute("SELECT count(*) FROM search.words").fetchone() or (0,)
    assert distinct >= 18_000, f"only {distinct} distinct words"
    texts = [*name_queries(known), *recall_queries()]
    random.Random(SEED).shuffle(texts)
    return [*found, _measured(url, "a million names", texts, seconds)]

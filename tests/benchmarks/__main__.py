"""``./casamaps bench``: measures the service on a million features and says what holds.

Speed is given as ratios, of measurements taken in turn in one run; nothing here is a test.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import cast

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from layers.database import Statement
from layers.export import EXTENSIONS, Format
from layers.migrate import upgrade
from layers.postgres import find_server
from layers.shipped import load_shipped
from tests.benchmarks import million, panning, speed
from tests.benchmarks.exports import LIMIT, Export, exports
from tests.benchmarks.searching import recalls, searching
from tests.benchmarks.servers import LAYER, catalogue, statements
from tests.conftest import DATA, quiet, throwaway_cluster
from tests.recall import FIRST, FIVE, Recall

console = Console()
PARTS = ("questions", "keyset", "locator", "plan", "export", "search", "panning")
#: Signs of what holds, what does not, and what is held to nothing.
_MARKS = {True: "✓", False: "✗", None: ""}
#: Parts with a database of their own, which has the city's data.
_APART = {"search", "panning"}


@contextmanager
def _bar(text: str) -> Iterator[Callable[[int, int], None]]:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as shown:
        task = shown.add_task(text, total=None)
        yield lambda done, total: shown.update(task, completed=done, total=total)


async def _known(url: str) -> dict[str, Statement]:
    async with catalogue(url) as found:
        return statements(found.layer(LAYER))


def _show(rows: list[speed.Row]) -> None:
    table = Table("what", "ours", "beside", "theirs", "ratio", "goal", "")
    for row in rows:
        ours, theirs = (f"{value:,.2f} {row.unit}" for value in (row.ours, row.theirs))
        table.add_row(row.what, ours, row.beside, theirs, f"{row.ratio:.2f}", row.goal, _MARKS[row.holds])
    console.print(table)


def _show_exports(rows: list[Export]) -> None:
    table = Table("format", "seconds", "MB", "service's peak MB", "writer's peak MB", f"each < {LIMIT}")
    for row in rows:
        numbers = (f"{row.seconds:.1f}", f"{row.size:.0f}", f"{row.service:.0f}", f"{row.writer:.0f}")
        table.add_row(row.form, *numbers, "✓" if row.holds else "✗")
    console.print(table)


def _show_recalls(rows: list[Recall]) -> None:
    table = Table("questions", "count", f"first right, ≥ {FIRST:.0%}", f"within five, ≥ {FIVE:.0%}", "")
    for row in rows:
        first, five = row.shares
        table.add_row(row.name, str(row.count), f"{first:.1%}", f"{five:.1%}", "✓" if row.holds else "✗")
    console.print(table)


@click.command()
@click.argument("parts", nargs=-1, type=click.Choice(PARTS))
@click.option("--rows", default=million.ROWS, show_default=True, help="Features of the layer")
@click.option("--rounds", default=5, show_default=True, help="Measurements of each kind, taken in turn")
@click.option("--seconds", default=3, show_default=True, help="Length of each")
@click.option("--format", "forms", multiple=True, type=click.Choice(list(EXTENSIONS)), help="Formats to export")
def main(parts: tuple[str, ...], rows: int, rounds: int, seconds: int, forms: tuple[str, ...]) -> None:
    """Measure the service on a layer of a million features: all PARTS, or those named.

    \b
    questions  features in a box, by id, nearest, and tiles, beside a bare handler and pgbench
    keyset     the last page of a layer beside its first
    locator    districts of positions, beside the database
    plan       whether the index gives the order of what is nearest
    export     whole layers as files: time and memory
    search     how long people wait for suggestions
    panning    frames a second of a map with 100,000 points in a layer, dragged and zoomed in a headless Chromium
               for at least 5 seconds a view, whatever --rows says; dragged it is held to 30 in its slowest second
    """
    chosen = parts or PARTS
    holds = True
    if "search" in chosen:
        # In a database of its own, which has the city's data and nothing else to begin with.
        with throwaway_cluster() as url, _bar("names") as progress:
            upgrade(url)
            load_shipped(url, DATA, quiet)
            found_of_sets = recalls(url)
            rows_of_search = searching(url, rows, max(seconds, 10), progress)
        _show_recalls(found_of_sets)
        _show(rows_of_search)
        holds &= all(row.holds for row in (*found_of_sets, *rows_of_search))
    if "panning" in chosen:
        with throwaway_cluster() as url:
            upgrade(url)
            load_shipped(url, DATA, quiet)
            with _bar("points") as progress:
                panning.fill(url, progress)
            frames = panning.panning(url, seconds)
        _show(frames)
        holds &= all(row.holds for row in frames)
    if set(chosen) <= _APART:
        sys.exit(0 if holds else 1)
    with throwaway_cluster() as url:
        upgrade(url)
        load_shipped(url, DATA, quiet, only="districts")
        with _bar("rows") as progress:
            million.fill(url, rows, progress)
        known = asyncio.run(_known(url))
        if "plan" in chosen:
            text, ordered = speed.plan(url, known["nearest"])
            console.print(text, markup=False, highlight=False)
            console.print(f"nearest: {'the index gives the order ✓' if ordered else 'sorted without an index ✗'}")
            holds &= ordered
        measured: list[speed.Row] = []
        if "questions" in chosen:
            measured += speed.questions(url, find_server().bin / "pgbench", known, rounds, seconds)
        if "keyset" in chosen:
            with _bar("pages") as progress:
                measured += speed.keyset(url, rounds, progress)
        if "locator" in chosen:
            measured += speed.locator(url)
        if measured:
            _show(measured)
        if "export" in chosen:
            found = exports(url, cast("list[Format]", list(forms)), lambda form: console.print(f"export {form} …"))
            _show_exports(found)
            holds &= all(row.holds for row in found)
        holds &= all(row.holds is not False for row in measured)
    sys.exit(0 if holds else 1)


if __name__ == "__main__":
    main(prog_name="./casamaps bench")

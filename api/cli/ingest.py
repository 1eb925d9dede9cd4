"""``./casamaps ingest``: takes a file into a layer, or a layer's shipped data again."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from api.cli.console import bars, done, err, note, say, sentence
from api.cli.database import open_database
from api.settings import PROJECT, Settings
from geo.errors import IngestError

if TYPE_CHECKING:
    from layers.definition import LayerDefinition
    from layers.reports import Report

DATA = PROJECT / "data"
#: Rows that are named one by one when they were not taken.
SHOWN = 20


def show_report(report: Report) -> None:
    """Print what became of a data set, in one line, and each row that was not taken."""
    done(
        "report",
        layer=report.layer,
        read=report.read,
        inserted=report.inserted,
        updated=report.updated,
        unchanged=report.unchanged,
        deleted=report.deleted,
    )
    console = err()
    if report.repaired:
        note("repaired", count=report.repaired)
    for code, params in report.notes:
        console.print(f"    {sentence(code, params)}", markup=False)
    for row in report.rejected[:SHOWN]:
        console.print(
            "    " + say("rejected", row=str(row.row), id=row.id, reason=sentence(row.code, row.params)), markup=False
        )
    if len(report.rejected) > SHOWN:
        console.print("    " + say("rejected_more", count=len(report.rejected) - SHOWN), markup=False)


def _find(layer: str, caller: Path) -> LayerDefinition:
    from layers.definition import load_definition, load_definitions

    if layer.endswith((".yaml", ".yml")):
        if not (caller / layer).is_file():
            raise IngestError("ingest.no-file", file=layer)
        return load_definition(caller / layer)
    known = load_definitions(DATA / "layers")
    if layer not in known:
        raise IngestError("ingest.layer-unknown", layer=layer, allowed=", ".join(sorted(known)))
    return known[layer]


def ingest(
    settings: Settings,
    layer: str,
    file: Path | None,
    *,
    dataset: str | None,
    srid: int | None,
    source_layer: str | None,
) -> None:
    """Take a file into a layer; without one, load the layer's shipped data again.

    Raises
    ------
    IngestError
        If there is no such layer or file, or the data can't be taken in.
    """
    from layers.ingest import ingest_file
    from layers.migrate import upgrade
    from layers.shipped import load_shipped

    caller = Path(os.environ.get("CASAMAPS_CWD", "."))
    definition = _find(layer, caller)
    if file is None and not (DATA / "layers" / f"{definition.id}.yaml").is_file():
        raise IngestError("ingest.no-shipped-data", layer=definition.id)
    with open_database(settings, f"ingest {definition.id}", share=True) as url:
        upgrade(url)
        with bars() as progress:
            if file is None:
                reports = load_shipped(url, DATA, progress, force=True, only=definition.id)
            else:
                report = ingest_file(
                    url,
                    definition,
                    caller / file,
                    dataset=dataset,
                    srid=srid,
                    source_layer=source_layer,
                    data_dir=DATA,
                    progress=progress,
                )
                reports = [report]
        for report in reports:
            show_report(report)

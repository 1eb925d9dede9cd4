"""What a writer is told: the job and the frames that bring it, on both sides of the pipe."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, replace
from typing import BinaryIO

#: Between the elements of a list in a line that Arrow reads; no text that a person writes has it.
ELEMENT = "\x1f"
#: The sides of a geometry's box.
SIDES = ("xmin", "ymin", "xmax", "ymax")


@dataclass(frozen=True)
class ColumnSpec:
    """One property: its name, its type in the definition's words, its label in the reader's language."""

    name: str
    type: str
    label: str
    unit: str | None = None


@dataclass(frozen=True)
class Job:
    """What is to be made.

    Parameters
    ----------
    format : str
        ``fgb``, ``gpkg``, ``parquet``, ``kml`` or ``shp``.
    folder, name : str
        Where, and the file's name without its extension.
    geometry : str, optional
        Geometry type of the layer; None for a table without geometry.
    lists : bool
        Whether lists arrive with a mark before each element.
    ordered : bool
        Whether the features' order matters.
    placeless : bool
        Whether some features may have no geometry.
    texts : dict
        Headings of the table of short names, in the reader's language.
    """

    format: str
    folder: str
    name: str
    title: str
    description: str
    lang: str
    columns: tuple[ColumnSpec, ...]
    geometry: str | None
    srid: int
    updated: str = ""
    lists: bool = False
    ordered: bool = False
    placeless: bool = False
    texts: dict[str, str] = field(default_factory=dict)

    def dumps(self) -> bytes:
        """Write the job as JSON."""
        return json.dumps(asdict(self), ensure_ascii=False).encode()

    @staticmethod
    def loads(text: bytes) -> Job:
        """Read a job that :meth:`dumps` wrote."""
        raw = json.loads(text)
        return replace(Job(**raw), columns=tuple(ColumnSpec(**item) for item in raw["columns"]))

    @property
    def box(self) -> bool:
        """Whether the lines have the four sides of each geometry's box."""
        return self.format == "parquet" and self.geometry is not None


class Abandoned(Exception):
    """The one who asked for the file is gone."""


class Frames:
    """The frames of a stream up to the empty one.

    ``broken`` says whether it ended before: an :class:`Abandoned` raised in the midst of a driver's work may come out
    of it as the driver's own error.
    """

    def __init__(self, source: BinaryIO) -> None:
        self._source = source
        self.broken = False

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        head = self._source.read(4)
        size = int.from_bytes(head, "big")
        body = self._source.read(size)
        if len(head) < 4 or len(body) < size:
            self.broken = True
            raise Abandoned
        if not size:
            raise StopIteration
        return body


def frame(body: bytes) -> bytes:
    """Return a frame with its length before it; the empty one ends a job."""
    return len(body).to_bytes(4, "big") + body

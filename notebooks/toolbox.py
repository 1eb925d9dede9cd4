"""What the notebooks share: asking the service, and drawing maps that can go into a report.

Metres are those of UTM zone 29N (EPSG:32629), in which the service gives every layer that is asked through here.
"""

from __future__ import annotations

import io
import itertools
import math
import textwrap
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import geopandas as gpd
import httpx
import matplotlib.pyplot as plt
import pandas as pd
from matplotlib import patheffects
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch, Rectangle
from matplotlib.text import Annotation
from matplotlib.transforms import Bbox
from shapely import Point

METRES = "EPSG:32629"
INK, QUIET = "#22303c", "#5b6470"
HALO = [patheffects.withStroke(linewidth=2.2, foreground="white")]
#: What a layer's ``coverage`` means.
COVERAGE = {
    "complete": "The layer is complete.",
    "partial": "The layer is partial: what it lacks may exist all the same.",
    "unknown": "Nobody knows whether the layer is complete.",
}
#: Where a name may stand around its place: points of distance, the nearest first, and directions.
_RINGS, _DIRECTIONS = (0, 9, 16, 24, 34, 46, 60, 76, 92), 16


def _get(address: str, path: str, parameters: Mapping[str, object]) -> httpx.Response:
    answer = httpx.get(f"{address}/{path}", params={"f": "json", **parameters}, timeout=60)
    if answer.is_error:
        raise ValueError(f"{answer.status_code}, the service says: {answer.text[:600]}")
    return answer


def ask(address: str, path: str, **parameters: object) -> dict[str, Any]:
    """Return the service's JSON answer to a question.

    Parameters
    ----------
    address, path : str
        The service, and what is asked of it, such as ``collections/facilities/aggregate``.
    **parameters
        Parameters of the address; those with a hyphen are given as ``**{"max-distance": 50}``.

    Raises
    ------
    ValueError
        With what the service says is wrong.
    """
    found: dict[str, Any] = _get(address, path, parameters).json()
    return found


def layer(address: str, collection: str, **parameters: object) -> gpd.GeoDataFrame:
    """Return all features of a layer, or those that filters choose, by id, in metres (EPSG:32629)."""
    answer = _get(address, f"collections/{collection}/export", {"crs": METRES, **parameters})
    frame = gpd.read_file(io.BytesIO(answer.content))
    return frame.set_index("id") if len(frame) else frame


def caution(about: Mapping[str, Any]) -> str:
    """Return what must be known of a layer before it is used, in English, from its page (``collections/…``).

    The service itself speaks French and Arabic; what the publisher adds in these is named, not translated.
    """
    more = " Its publisher adds a notice: read it before you use the figures." if about.get("notice") else ""
    return COVERAGE[about["coverage"]] + more


def rate_warning(coverage: str) -> str:
    """Return what rates on a layer that is not complete must carry, in English; nothing for one that is."""
    if coverage == "complete":
        return ""
    return (
        f"Mind: {COVERAGE[coverage][0].lower()}{COVERAGE[coverage][1:]} A low rate may come from missing data rather"
        " than from a lack of facilities; do not compare districts on this alone."
    )


def credit(address: str, *collections: str) -> str:
    """Return who must be named under a figure that shows these layers, each once."""
    said = [ask(address, f"collections/{name}")["attribution"] for name in collections]
    names = sorted({part.strip() for text in said for part in text.split(" ; ")}, key=len)
    # "© OpenStreetMap contributors (positions)" is said by "© OpenStreetMap contributors".
    once = [name for number, name in enumerate(names) if not name.startswith(tuple(names[:number]))]
    return "Sources: " + "; ".join(once) + "."


def sheet(
    title: str, note: str, size: tuple[float, float] = (10.5, 7.2), rows: int = 1, columns: int = 1, **kwargs: Any
) -> tuple[Figure, Any]:
    """Return a figure with a title above and a note (sources, warnings) below, and its axes."""
    figure, axes = plt.subplots(rows, columns, figsize=size, dpi=100, layout="constrained", **kwargs)
    figure.get_layout_engine().set(h_pad=0.09)
    figure.suptitle(title, x=0.01, ha="left", fontsize=13, fontweight="bold", color=INK)
    lines = [line for part in note.split("\n") for line in textwrap.wrap(part, int(size[0] * 16))]
    figure.supxlabel("\n".join(lines), x=0.01, ha="left", fontsize=8, color=QUIET)
    return figure, axes


def breaks_of(values: Iterable[float], classes: int = 4) -> list[float]:
    """Return class limits for what is above zero, with about as many values in each class, in two digits."""
    series = pd.Series(list(values), dtype=float)
    series = series[series > 0]
    if series.empty:
        return [0.0, 1.0]
    inner = [_two_digits(float(series.quantile(part / classes)), round) for part in range(1, classes)]
    ends = _two_digits(float(series.min()), math.floor), _two_digits(float(series.max()), math.ceil)
    limits = sorted({*inner, *ends})
    return limits if len(limits) > 1 else [0.0, *limits]


def _two_digits(value: float, how: Callable[[float], float]) -> float:
    step = 10.0 ** (math.floor(math.log10(value)) - 1)
    return round(how(round(value / step, 6)) * step, 10)


def choropleth(
    axes: Axes,
    areas: gpd.GeoDataFrame,
    column: str,
    breaks: Sequence[float],
    unit: str,
    *,
    colours: str = "YlGnBu",
    missing: str = "not known",
    columns: int = 6,
) -> None:
    """Colour areas by class, with a legend below; zero has a class of its own, unknown is grey and hatched.

    ``colours`` is a sequential ColorBrewer ramp without red beside green; its darkest part is left out so that names
    stay readable. ``columns`` is how many entries of the legend stand side by side.
    """
    values, line = areas[column], {"edgecolor": "#7d8790", "linewidth": 0.7}
    steps = len(breaks) - 1
    digits = max(0, *(len(f"{limit:.10f}".rstrip("0").partition(".")[2]) for limit in breaks))
    groups = [(values == 0, "0", {"facecolor": "white"})] if (values == 0).any() else []
    for number, (low, high) in enumerate(itertools.pairwise(breaks)):
        inside = (values > 0) & (values >= low) & ((values <= high) if number == steps - 1 else (values < high))
        colour = plt.get_cmap(colours)(0.08 + 0.57 * number / max(steps - 1, 1))
        groups.append((inside, f"{low:,.{digits}f} – {high:,.{digits}f}", {"facecolor": colour}))
    if values.isna().any():
        groups.append((values.isna(), missing, {"facecolor": "#e9e9e6", "hatch": "////"}))
    for inside, _, style in groups:
        if inside.any():
            areas[inside].plot(ax=axes, **line, **style)
    axes.legend(
        handles=[Patch(label=label, **line, **style) for _, label, style in groups],
        title=unit,
        loc="upper center",
        bbox_to_anchor=(0.5, -0.01),
        ncols=columns,
        frameon=False,
        fontsize=8,
        title_fontsize=8.5,
        handlelength=1.6,
    )
    finish(axes)


def finish(axes: Axes) -> None:
    """Make axes in metres a map: no ticks, a north arrow, a bar of a round length."""
    axes.set_axis_off()
    axes.set_aspect("equal")
    axes.autoscale(False)  # what is written on the map must not move it
    (left, right), (bottom, top) = axes.get_xlim(), axes.get_ylim()
    wide, high = right - left, top - bottom
    length = max(metres for metres in (100, 200, 500, 1000, 2000, 5000, 10_000) if metres <= max(wide / 8, 100))
    x, y = right - 0.03 * wide - length, bottom + 0.03 * high
    axes.add_patch(Rectangle((x, y), length, 0.008 * high, color=INK, linewidth=0, zorder=15))
    said = f"{length} m" if length < 1000 else f"{length // 1000} km"
    style = {"ha": "center", "color": INK, "zorder": 15, "path_effects": HALO}
    axes.text(x + length / 2, y + 0.016 * high, said, va="bottom", fontsize=8, **style)
    x, y = right - 0.03 * wide, top - 0.03 * high
    arrow = {"arrowstyle": "-|>", "color": INK, "shrinkA": 0, "shrinkB": 0}
    axes.annotate("", (x, y), (x, y - 0.06 * high), arrowprops=arrow, zorder=15)
    axes.text(x, y - 0.07 * high, "N", va="top", fontsize=9, **style)


def name_places(
    axes: Axes,
    places: gpd.GeoSeries,
    names: Iterable[str],
    *,
    apart: float = 0,
    avoid: Iterable[Annotation] = (),
    size: float = 7.5,
    **style: Any,
) -> list[Annotation]:
    """Write names at places (in the map's CRS) so that none covers another; a line leads to one that had to move.

    Call it last on a map: the names are placed for the figure as it then is. The largest areas come first.

    Parameters
    ----------
    apart : float
        How far from its place a name stands at least, in points of 1/72 inch.
    avoid : iterable of Annotation
        Names that are there already, as an earlier call returned them.
    """
    figure = axes.figure
    figure.draw_without_rendering()
    map_box, pixels = axes.get_window_extent(), figure.dpi / 72
    taken = [text.get_window_extent().padded(2 * pixels) for text in avoid]
    found = []
    ordered = sorted(zip(places, names, strict=True), key=lambda pair: -pair[0].area)
    for place, name in ordered:
        point = place.representative_point()
        text = axes.annotate(
            name,
            (point.x, point.y),
            (0, 0),
            textcoords="offset points",
            ha="center",
            va="center",
            fontsize=size,
            linespacing=1.15,
            path_effects=HALO,
            **{"color": INK, "zorder": 20, **style},
        )
        text.set_in_layout(False)
        box = text.get_window_extent().padded(2 * pixels)
        dx, dy = _free_place(box, taken, map_box, pixels, apart)
        text.set_position((dx, dy))
        taken.append(box.translated(dx * pixels, dy * pixels))
        if not apart:
            _lead(axes, point, dx, dy, box.width / pixels, box.height / pixels)
        found.append(text)
    return found


def _free_place(box: Bbox, taken: Iterable[Bbox], inside: Bbox, pixels: float, apart: float) -> tuple[float, float]:
    for ring in _RINGS:
        for direction in range(_DIRECTIONS):
            angle = 2 * math.pi * direction / _DIRECTIONS
            dx, dy = (apart + ring) * math.cos(angle), (apart + ring) * math.sin(angle)
            moved = box.translated(dx * pixels, dy * pixels)
            within = inside.x0 <= moved.x0 and moved.x1 <= inside.x1 and inside.y0 <= moved.y0 and moved.y1 <= inside.y1
            if within and not any(moved.overlaps(other) for other in taken):
                return dx, dy
    return apart, 0


def _lead(axes: Axes, point: Point, dx: float, dy: float, width: float, height: float) -> None:
    """Draw a line from the edge of a name's box to its place, unless the box is over it."""
    x, y = max(abs(dx) - width / 2, 0), max(abs(dy) - height / 2, 0)
    if math.hypot(x, y) < 7:
        return
    start = math.copysign(x, dx), math.copysign(y, dy)
    line = {"arrowstyle": "-", "color": INK, "linewidth": 0.7, "shrinkA": 0, "shrinkB": 0}
    leader = axes.annotate("", (point.x, point.y), start, textcoords="offset points", arrowprops=line, zorder=19)
    leader.set_in_layout(False)
    axes.plot(point.x, point.y, "o", color=INK, markersize=2, zorder=19)

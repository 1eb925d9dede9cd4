"""The lines at the foot of a picture: broken where they would be too small to be read."""

from __future__ import annotations

import re
from collections.abc import Sequence

#: Between the parts of a caption.
_DOT = " · "
#: The smallest size of letters that can be read, in pixels, and lines that a caption has before it comes down to that.
SMALLEST, _FEW = 9.0, 2
#: Part of a picture's height that a caption takes at most; below that its letters are as small as they must be.
_MOST = 0.4
#: Height of a line in sizes of its letters, and what is left beside and around the lines, in pixels and such sizes.
STEP, _BESIDE, AROUND = 1.5, 12, 0.25
_ARABIC = re.compile("[\u0600-\u06ff\u0750-\u077f\u08a0-\u08ff\ufb50-\ufdff\ufe70-\ufefc]")
_LETTER = re.compile(r"[^\W\d_]")


def width_of(text: str, size: float) -> float:
    """Return about how wide a text is, in pixels: nothing here can measure it. Marks of direction have no width."""
    seen = (character for character in text if not "\u2066" <= character <= "\u2069")
    return sum(0.5 if character.islower() or character > "\u0600" else 0.62 for character in seen) * size


def isolated(text: str, whole: str) -> str:
    """Return a piece of a text that runs in the direction of the whole text, whatever stands around it."""
    first = _LETTER.search(whole)
    mark = "\u2067" if first and _ARABIC.match(first[0]) else "\u2066"
    return mark + text + "\u2069"


def _lines(parts: Sequence[str], size: float, width: float) -> list[str]:
    """Return the parts in as many lines as it takes; a part is broken only where it is wider than a whole line."""
    lines: list[list[tuple[str, str]]] = [[]]
    for part in parts:
        begun = False
        for word in [part] if width_of(part, size) <= width else part.split():
            line = lines[-1]
            longer = [*line[:-1], (part, f"{line[-1][1]} {word}")] if begun and line else [*line, (part, word)]
            if line and width_of(_DOT.join(text for _, text in longer), size) > width:
                lines.append([(part, word)])
            else:
                lines[-1] = longer
            begun = True
    return [_DOT.join(isolated(text, whole) for whole, text in line) for line in lines]


def caption(parts: Sequence[str], width: float, height: float, scale: float) -> tuple[float, list[str]]:
    """Return the size of letters and the lines of a picture's caption.

    Parameters
    ----------
    parts : sequence of str
        What is said, each part in its own direction; those that are empty are left out.
    width, height : float
        Of the picture, in pixels.
    scale : float
        How much larger than in a usual picture its texts are.

    Returns
    -------
    tuple
        The size in pixels, at least :data:`SMALLEST` unless the caption would then take much of the picture, and the
        lines, none wider than the picture.
    """
    said = [part for part in parts if part]
    if not said:
        return SMALLEST, []
    size, room = max(12 * scale, SMALLEST), width - _BESIDE
    lines = _lines(said, size, room)
    while len(lines) > _FEW and size > SMALLEST:
        size = max(size - 0.5, SMALLEST)
        lines = _lines(said, size, room)
    while (len(lines) * STEP + AROUND) * size > height * _MOST or max(width_of(line, size) for line in lines) > room:
        size *= 0.94
        lines = _lines(said, size, room)
    return size, lines

"""Turns an SVG into a PNG: a process of its own, as the renderer keeps all other Python waiting while it draws.

The picture comes by standard input, with the fonts as arguments, and leaves by standard output.
"""

from __future__ import annotations

import sys

import resvg_py

#: What the fonts call themselves.
FAMILY = "IBM Plex Sans Arabic"


def main() -> None:
    """Draw one picture."""
    svg = sys.stdin.buffer.read().decode()
    png = resvg_py.svg_to_bytes(
        svg_string=svg, skip_system_fonts=True, font_files=sys.argv[1:], font_family=FAMILY, sans_serif_family=FAMILY
    )
    sys.stdout.buffer.write(bytes(png))


if __name__ == "__main__":
    main()

"""Unicode's marks that turn the direction of a text around, and with it whatever stands behind (UAX #9, 2)."""

from __future__ import annotations

import re

#: Embeddings, overrides and isolates, with their ends; marks that are single letters (LRM, RLM, ALM) reach nowhere.
_TURNING = re.compile("[\u202a-\u202e\u2066-\u2069]")


def without_turns(text: str) -> str:
    """Return a text of the data as it may stand within a sentence: none of its marks reaches beyond it."""
    return _TURNING.sub("", text)

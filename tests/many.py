"""How many examples a test draws: few in the ordinary run, many in the thorough one."""

import os

THOROUGH = os.environ.get("CASAMAPS_THOROUGH") == "1"


def examples(count: int) -> int:
    """Return ``count``, or sixteen times as many in the thorough run."""
    return count * 16 if THOROUGH else count

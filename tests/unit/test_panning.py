"""How smoothly a map moved is counted from when its frames were."""

from __future__ import annotations

import pytest

from tests.benchmarks.panning import rates


def test_even_frames_have_one_rate() -> None:
    mean, slowest = rates([frame * 20.0 for frame in range(251)])
    assert mean == pytest.approx(50)
    assert slowest == 50


def test_the_slowest_second_is_found_wherever_it_begins() -> None:
    stamps = [frame * 10.0 for frame in range(150)]
    stamps += [1490 + 100.0 * frame for frame in range(1, 12)]
    stamps += [stamps[-1] + 10.0 * frame for frame in range(1, 200)]
    mean, slowest = rates(stamps)
    assert slowest == 10
    assert 70 < mean < 90


def test_less_than_a_second_is_no_rate() -> None:
    with pytest.raises(ValueError, match="second"):
        rates([0.0, 16.0, 32.0])

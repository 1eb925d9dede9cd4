"""The rules of time zones: the newest at hand, of the machine or of the package."""

import datetime as dt
import subprocess
import sys

import pytest
from tzdata import IANA_VERSION

from layers.hours.clock import machine_rules, rules, zone


def test_the_newest_rules_are_used():
    used, machine = rules()
    assert used == max(machine, IANA_VERSION) >= "2026f"
    casablanca = zone("Africa/Casablanca")
    # An hour ahead since 2018, but around Ramadan; from September 2026 on as before.
    for day, hours in (("2025-12-01", 1), ("2026-03-01", 0), ("2026-07-01", 1), ("2026-11-27", 0), ("2027-06-01", 0)):
        assert dt.datetime.fromisoformat(f"{day}T12:00").replace(tzinfo=casablanca).utcoffset() == dt.timedelta(
            hours=hours
        )


@pytest.mark.parametrize(
    ("written", "rules"),
    [("# version 2031b\n", "2031b"), ("# version 2031b-dirty\n", ""), ("", ""), ("R A 1 2", ""), (None, "")],
)
def test_a_machine_says_which_rules_it_has(tmp_path, written, rules):
    if written is not None:
        (tmp_path / "tzdata.zi").write_text(written, encoding="utf-8")
    assert machine_rules([str(tmp_path / "nowhere"), str(tmp_path)]) == rules


@pytest.mark.parametrize(("version", "known"), [("2099a", True), ("2001a", False)])
def test_a_machine_with_newer_rules_keeps_them(tmp_path, version, known):
    """A machine whose one zone is not among the package's."""
    (tmp_path / "tzdata.zi").write_text(f"# version {version}\n", encoding="utf-8")
    (tmp_path / "Test").mkdir()
    (tmp_path / "Test" / "Clock").write_bytes(
        b"TZif" + bytes(16) + bytes.fromhex("000000000000000000000000000000000000000100000004") + bytes(6) + b"+00\0"
    )
    code = "from layers.hours.clock import rules, zone; print(rules()[0]); zone('Test/Clock')"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env={"PYTHONTZPATH": str(tmp_path)}
    )
    assert (done.returncode == 0) is known
    assert done.stdout.strip() == (version if known else IANA_VERSION)
    assert known or "must be a name of the tz database" in done.stderr

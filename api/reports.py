"""What browsers report of pages that our policy kept from something (Content Security Policy Level 3, 5).

Anybody can send such a report, so nothing of it is believed or repeated as it stands: the log gets a directive, the
origin that was in the way and the path of our page, each only in the form that it must have, and few lines a minute.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from geo.errors import InvalidInput
from layers.definition import ORIGIN

#: Largest body in bytes; a browser's report has some 1,000.
MOST_BYTES = 16_384
#: Reports that one body may bring (the Reporting API sends several at once).
MOST_REPORTS = 20
TYPES = ("application/csp-report", "application/reports+json", "application/json")
_UNKNOWN = "-"
_FORMS = '{"csp-report": {…}}, [{"type": "csp-violation", "body": {…}}]'
_DIRECTIVE = re.compile(r"[a-z]{1,20}(-[a-z]{1,20}){0,4}", re.ASCII)
_PATH = re.compile(r"/[A-Za-z0-9_.~/-]{0,119}", re.ASCII)
_KEYWORDS = frozenset({"inline", "eval", "self", "data", "blob", "wasm-eval"})


@dataclass(frozen=True)
class Report:
    """What the log says of one: directive, origin or keyword that it kept out, path of our page; ``-`` for unknown."""

    directive: str
    blocked: str
    page: str


def _text(report: Mapping[str, object], *names: str) -> str:
    found = next((report[name] for name in names if isinstance(report.get(name), str)), "")
    return str(found)


def _origin(text: str) -> str:
    try:
        parts = urlsplit(text[:2000])
    except ValueError:
        return _UNKNOWN
    origin = f"{parts.scheme}://{parts.netloc}"
    return origin if len(origin) <= 300 and re.fullmatch(ORIGIN, origin, re.ASCII) else _UNKNOWN


def _path(text: str) -> str:
    try:
        path = urlsplit(text[:2000]).path
    except ValueError:
        return _UNKNOWN
    return path if _PATH.fullmatch(path) else _UNKNOWN


def _one(report: Mapping[str, object], referer: str) -> Report:
    directive = _text(report, "effective-directive", "effectiveDirective", "violated-directive").split(" ")[0]
    blocked, page = _text(report, "blocked-uri", "blockedURL"), _text(report, "document-uri", "documentURL")
    where = blocked if blocked in _KEYWORDS else _origin(blocked)
    # Of a page that may not be in a frame, Chromium says that it kept out that page; who framed it is the referrer.
    if where in (_UNKNOWN, _origin(page)):
        where = _origin(_text(report, "referrer") or referer)
    return Report(directive if _DIRECTIVE.fullmatch(directive) else _UNKNOWN, where, _path(page))


def read_reports(body: bytes, referer: str = "") -> list[Report]:
    """Return the reports of a body, of either kind that browsers send; ``referer`` is the request's header.

    Raises
    ------
    InvalidInput
        ``report.invalid`` for what is none.
    """
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        found = None
    listed, member = (found, "body") if isinstance(found, list) else ([found], "csp-report")
    reports = []
    for item in listed:
        inner = item.get(member) if isinstance(item, dict) else None
        if not isinstance(inner, dict) or not isinstance(item.get("type", ""), str):
            raise InvalidInput("report.invalid", allowed=_FORMS)
        if item.get("type", "csp-violation") == "csp-violation":
            reports.append(_one(inner, referer))
    return reports[:MOST_REPORTS]


class Budget:
    """Lets so many lines a minute pass, and counts those that don't.

    Parameters
    ----------
    most : int
    clock : callable
        Seconds; a monotonic clock.
    """

    def __init__(self, most: int = 30, clock: Callable[[], float] = time.monotonic) -> None:
        self._most, self._clock = most, clock
        self._start, self._spent, self._left_out = clock(), 0, 0

    def take(self, reports: Iterable[Report]) -> tuple[list[Report], int]:
        """Return the reports to log now, and how many were left out in the minute that has ended."""
        missed = 0
        if self._clock() - self._start >= 60:
            missed, self._left_out = self._left_out, 0
            self._start, self._spent = self._clock(), 0
        listed = list(reports)
        room = max(0, self._most - self._spent)
        self._spent += len(listed[:room])
        self._left_out += len(listed[room:])
        return listed[:room], missed

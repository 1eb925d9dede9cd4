"""Reports of browsers: what the log says of them, and what it never says."""

from __future__ import annotations

import json

import pytest

from api.reports import Budget, Report, read_reports
from geo.errors import InvalidInput

#: As Chromium 156 sent it for a map in a frame of a page that may not show it.
FRAMED = {
    "csp-report": {
        "document-uri": "https://maps.example/",
        "referrer": "",
        "violated-directive": "frame-ancestors",
        "effective-directive": "frame-ancestors",
        "original-policy": "frame-ancestors 'none'; report-uri /r",
        "disposition": "enforce",
        "blocked-uri": "https://maps.example/",
        "status-code": 200,
        "script-sample": "",
    }
}


def test_who_framed_a_map_is_the_requests_referer() -> None:
    found = read_reports(json.dumps(FRAMED).encode(), "https://portal.example/page?private=1")
    assert found == [Report("frame-ancestors", "https://portal.example", "/")]


def test_both_kinds_are_read_without_queries() -> None:
    body = {
        "documentURL": "https://m.example/a/b?q=1#x",
        "blockedURL": "https://evil.example:81/p?t=2",
        "effectiveDirective": "img-src",
    }
    several = [{"type": "csp-violation", "body": body}, {"type": "deprecation", "body": {}}]
    assert read_reports(json.dumps(several).encode()) == [Report("img-src", "https://evil.example:81", "/a/b")]


@pytest.mark.parametrize(
    "text", ["x\nERROR forged", "\u202e", "<script>", "a b", "https://a.example\r\nX: y", "https://[::", "x" * 5000]
)
def test_nothing_of_a_report_is_repeated_as_it_stands(text: str) -> None:
    body = {"csp-report": dict.fromkeys(("document-uri", "blocked-uri", "effective-directive", "referrer"), text)}
    (found,) = read_reports(json.dumps(body).encode(), text)
    assert text not in (found.directive, found.blocked, found.page)
    assert "\n" not in f"{found.directive}{found.blocked}{found.page}"


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[1]", b"null", b"7", b"[[[[", b"[" * 16000, b"{}", b'{"csp-report": 3}', b"\xff"]
)
def test_what_is_no_report_is_refused(body: bytes) -> None:
    with pytest.raises(InvalidInput):
        read_reports(body)


def test_a_minute_has_so_many_lines_and_the_rest_is_counted() -> None:
    now = [0.0]
    budget = Budget(3, lambda: now[0])
    report = Report("img-src", "-", "/")
    assert budget.take([report] * 2) == ([report] * 2, 0)
    assert budget.take([report] * 5) == ([report], 0)
    now[0] = 61
    assert budget.take([report]) == ([report], 4)
    assert budget.take([report]) == ([report], 0)

"""Which language and representation a request gets."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import Request

from api.negotiation import format_of, language_of, reader_of, wants_html
from geo.errors import InvalidInput

CHROME = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8"


def request(query="", **headers):
    given_ = [(name.replace("_", "-").encode(), value.encode("latin-1")) for name, value in headers.items()]
    return Request({"type": "http", "query_string": query.encode(), "headers": given_, "path": "/"})


@pytest.mark.parametrize(
    ("accept", "wanted"),
    [
        ("*/*", "json"),
        ("", "json"),
        (CHROME, "html"),
        ("text/html", "html"),
        ("TEXT/HTML", "html"),
        ("application/geo+json", "json"),
        ("application/json;q=0.2, text/html;q=0.3", "html"),
        ("application/json, text/html;q=0.9", "json"),
        ("text/html;q=0, */*", "json"),
        ("text/html;q=x, application/json", "json"),
        ("application/xml", "json"),
        ("image/png, text/html;q=0.1", "html"),
        (";;;,,,q=", "json"),
    ],
)
def test_the_best_accepted_type_wins(accept, wanted):
    assert format_of(request(accept=accept), "json", "html") == wanted


def test_f_goes_before_accept():
    assert format_of(request("f=json", accept=CHROME), "json", "html") == "json"
    assert format_of(request("f=html", accept="application/json"), "json", "html") == "html"


@pytest.mark.parametrize("accept", ["*/*", CHROME, "application/vnd.mapbox-vector-tile", "application/json", "x"])
def test_a_tile_is_a_tile_whatever_is_accepted(accept):
    assert format_of(request(accept=accept), "mvt") == "mvt"


def test_a_format_that_is_not_offered_is_refused():
    with pytest.raises(InvalidInput) as caught:
        format_of(request("f=xml"), "json", "html")
    assert caught.value.params == {"parameter": "f", "value": "xml", "allowed": "json, html"}


@pytest.mark.parametrize(
    ("accepted", "lang"),
    [
        ("", "fr"),
        ("ar", "ar"),
        ("ar-MA", "ar"),
        ("AR-ma,fr;q=0.5", "ar"),
        ("en-US,en;q=0.9", "fr"),
        ("en,ar;q=0.8,fr;q=0.9", "fr"),
        ("fr;q=0.1,ar;q=0.2", "ar"),
        ("ar;q=0,fr", "fr"),
        ("*", "fr"),
        ("zh-Hant-TW,ary,ar", "ar"),
        ("ar_MA", "ar"),
        ("é, ar", "ar"),
        ("-", "fr"),
    ],
)
def test_the_best_accepted_language_wins(accepted, lang):
    assert language_of(request(accept_language=accepted)) == lang


def test_lang_goes_before_the_header():
    assert reader_of(request("lang=ar", accept_language="fr")).t.dir == "rtl"


def test_another_language_is_refused_but_never_by_an_error_page():
    with pytest.raises(InvalidInput) as caught:
        reader_of(request("lang=en"))
    assert caught.value.params["allowed"] == "fr, ar"
    assert language_of(request("lang=en", accept_language="ar")) == "ar"


@pytest.mark.parametrize(
    ("query", "accept", "page"),
    [
        ("", "*/*", False),
        ("", CHROME, True),
        ("f=json", CHROME, False),
        ("f=html", "*/*", True),
        ("f=x", CHROME, False),
    ],
)
def test_people_get_errors_as_pages(query, accept, page):
    assert wants_html(request(query, accept=accept)) == page


@given(st.text(st.characters(max_codepoint=255), max_size=60), st.text(st.characters(max_codepoint=255), max_size=60))
def test_no_header_is_too_odd(accept, language):
    asked = request(accept=accept, accept_language=language)
    assert format_of(asked, "json", "html") in ("json", "html")
    assert language_of(asked) in ("fr", "ar")
    assert wants_html(asked) in (True, False)

"""Which language and representation a request gets."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import Request

from api.negotiation import codings, format_of, language_of, reader_of, wants_html
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
        ("text/*", "html"),
        ("Text/*;q=0.5", "html"),
        ("text/*, application/json", "json"),
        ("text/*, application/json;q=0.9", "html"),
        ("application/*", "json"),
        ("application/*;q=0.5, text/*;q=0.6", "html"),
        ("*/*;q=0.1, text/*;q=0.2", "html"),
        ("text/html;q=0.1, text/*, application/json;q=0.5", "json"),
        ("application/json;q=0, */*", "html"),
        ("image/*", "json"),
    ],
)
def test_the_best_accepted_type_wins(accept, wanted):
    assert format_of(request(accept=accept), "json", "html") == wanted


@pytest.mark.parametrize(
    ("accept", "wanted"),
    [
        ("text/*", "html"),
        ("text/*, text/html;q=0", "csv"),
        ("text/*;q=0.9, text/html;q=0.1", "csv"),
        ("text/*, text/csv;q=0.5", "html"),
        ("text/*, text/csv", "csv"),
        ("application/*", "json"),
        ("application/*, application/geo+json;q=0.2", "fgb"),
        ("application/vnd.google-earth.kml+xml, text/*;q=0.9", "kml"),
    ],
)
def test_a_range_takes_the_first_format_that_it_holds(accept, wanted):
    """In the order of the features' own formats; what is named alone has the weight that it is named with."""
    assert format_of(request(accept=accept), "json", "html", "fgb", "csv", "kml") == wanted


@pytest.mark.parametrize(
    ("given_", "wanted"),
    [
        ("GZIP", "gzip"),
        ("Gzip;Q=0.5, br", "br, gzip"),
        ("*", "gzip"),
        ("*;q=0.1", "gzip"),
        ("gzip;q=0, *", ""),
        ("*;q=0", ""),
        ("identity, *;q=0", "identity"),
        ("gzip;q=0", ""),
    ],
)
def test_codings_are_named_for_those_who_look_at_names(given_, wanted):
    assert codings(given_) == wanted


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
        ("", "text/*", True),
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

"""Addresses: every part quoted, so that any id leads to its feature and nowhere else."""

from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.links import Links, link, link_header

words = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20)


@given(st.lists(words, min_size=1, max_size=4))
def test_parts_are_found_again(parts):
    path = urlsplit(Links("http://localhost/maps").url(*parts)).path
    assert [unquote(part) for part in path.split("/")[2:]] == parts


@given(st.dictionaries(words, words, max_size=4))
def test_a_query_is_found_again(query):
    found = parse_qs(urlsplit(Links("").url("items", **query)).query)
    assert found == {name: [value] for name, value in query.items()}


@pytest.mark.parametrize("name", ["self", "parts", "query", "base"])
def test_no_parameter_has_a_name_that_links_can_not_carry(name):
    assert Links("").url("items", **{name: "1"}) == f"/items?{name}=1"


def test_the_root_and_what_is_left_out():
    assert Links("/maps").url() == "/maps/"
    assert Links("").url(f="json", lang=None) == "/?f=json"
    assert link("self", "/x") == {"rel": "self", "href": "/x"}


@given(words)
def test_a_link_header_holds_one_line_of_ascii(word):
    links = Links("http://localhost")
    header = link_header([link("self", links.url(word, q=word), "a/b"), link("next", links.url(word))])
    header.encode("ascii")
    assert "\n" not in header
    assert header.count('rel="') == 2

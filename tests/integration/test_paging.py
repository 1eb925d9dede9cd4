"""Pages of features: every feature once, whatever cuts the page."""

import httpx
import pytest


def following(answer):
    return [item["href"] for item in answer.json()["links"] if item["rel"] == "next"]


def walk(client, path):
    pages = []
    while path:
        answer = client.get(path)
        assert answer.status_code == 200
        pages.append(answer.json())
        path = next(iter(following(answer)), None)
    return pages


def ids(pages):
    return [feature["id"] for page in pages for feature in page["features"]]


def test_walking_all_pages_gives_each_feature_once(client, everything):
    pages = walk(client, "/collections/facilities/items?limit=7")
    assert ids(pages) == [feature["id"] for feature in everything("facilities")]
    assert len(set(ids(pages))) == 450
    assert [page["numberReturned"] for page in pages] == [7] * 64 + [2]
    assert {page["numberMatched"] for page in pages} == {450}


def test_conditions_go_on_with_the_pages(client, everything):
    pages = walk(client, "/collections/facilities/items?limit=10&category=pharmacy&bbox=-7.7,33.5,-7.5,33.65&lang=ar")
    expected = client.get(
        "/collections/facilities/items?limit=10000&category=pharmacy&bbox=-7.7,33.5,-7.5,33.65"
    ).json()
    assert len(pages) > 1
    assert ids(pages) == [feature["id"] for feature in expected["features"]]


@pytest.mark.parametrize(("limit", "more"), [(150, True), (151, False), (152, False)])
def test_the_last_page_has_no_next(client, limit, more):
    answer = client.get(f"/collections/transport-stops/items?limit={limit}")
    assert bool(following(answer)) == more
    assert ('rel="next"' in answer.headers["link"]) == more


def test_a_page_beyond_the_end_is_empty(client):
    last = walk(client, "/collections/transport-lines/items?limit=2")
    cursor = following(client.get("/collections/transport-lines/items?limit=2"))[0]
    assert len(last) == 3
    assert "cursor=" in cursor
    far = client.get("/collections/transport-lines/items?cursor=OTIyMzM3MjAzNjg1NDc3NTgwNw").json()
    assert (far["features"], far["numberReturned"], far["numberMatched"]) == ([], 0, 6)
    assert not [item for item in far["links"] if item["rel"] == "next"]


def test_more_than_the_largest_page_is_the_largest_page(client):
    body = client.get("/collections/facilities/items?limit=999999").json()
    assert body["numberReturned"] == 450


def test_a_page_is_cut_at_the_byte_limit_and_goes_on(database_url, serve, everything):
    with httpx.Client(base_url=serve(database_url, max_bytes=10_000)) as client:
        pages = walk(client, "/collections/districts/items?limit=10000")
    assert ids(pages) == [feature["id"] for feature in everything("districts")]
    assert 1 < len(pages) <= 17
    assert {page["numberMatched"] for page in pages} == {17}


def test_the_self_link_is_the_page_itself(client):
    answer = client.get("/collections/facilities/items?limit=3&category=school&f=json")
    (self,) = [item["href"] for item in answer.json()["links"] if item["rel"] == "self"]
    assert [f["id"] for f in client.get(self).json()["features"]] == [f["id"] for f in answer.json()["features"]]

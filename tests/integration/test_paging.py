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


def test_texts_of_any_length_are_sorted_with_short_cursors(workshop, serve):
    beginnings = ["م" * 200, "é" * 5000, "long " * 4000, ""]
    workshop.ingest(workshop.csv("l0,premier,س,-7.5,33.5"))
    for number, text in enumerate(beginnings * 3, 1):
        workshop.sql(
            "INSERT INTO features.libraries (id, name_fr, name_ar, geom) "
            f"VALUES ('l{number}', '{text}{number % 2}', 'س', ST_SetSRID(ST_MakePoint(-7.5, 33.5), 4326))"
        )
    with httpx.Client(base_url=serve(workshop.url)) as client:
        for sort in ("name_fr", "-name_fr"):
            pages = walk(client, f"/collections/libraries/items?sortby={sort}&limit=1&properties=name_ar")
            whole = client.get(f"/collections/libraries/items?sortby={sort}").json()
            assert ids(pages) == [feature["id"] for feature in whole["features"]]
            assert len(set(ids(pages))) == 13
            assert max(len(item["href"]) for page in pages for item in page["links"]) < 2000


@pytest.mark.parametrize("blank", ["+", "%20"])
def test_a_plus_is_one_where_blanks_are_written_otherwise(client, everything, blank):
    plus = "%2B" if blank == "+" else "+"
    answer = client.get(f"/collections/facilities/items?filter=phone{blank}LIKE{blank}'{plus}212%25'&limit=1000").json()
    wanted = [item["id"] for item in everything("facilities") if (item["properties"]["phone"] or "").startswith("+212")]
    assert wanted
    assert [item["id"] for item in answer["features"]] == wanted
    (itself,) = [item["href"] for item in answer["links"] if item["rel"] == "self"]
    assert [item["id"] for item in client.get(itself).json()["features"]] == wanted


def test_what_is_no_utf8_is_refused(client):
    answer = client.get("/collections/facilities/items?name_fr=%ff")
    assert answer.status_code == 400
    assert answer.json()["parameter"] == "name_fr"


@pytest.mark.parametrize(
    "interval",
    [
        "0001-01-01T00:00:00Z/..",
        "0000-01-01/9999-12-31T23:59:59Z",
        "0000-01-01T00:00:00Z/9999-12-31T23:59:59-12:00",
        "0001-01-01T00:00:00+14:00/9999-12-31",
    ],
)
def test_the_ends_of_the_calendar_are_no_limits(client, everything, interval):
    answer = client.get("/collections/worksites/items", params={"datetime": interval, "limit": 1000}).json()
    assert [item["id"] for item in answer["features"]] == [item["id"] for item in everything("worksites")]


ORDERS = [None, "name_fr", "-name_fr", "name_ar", "name_fr,category", "category,name_fr", "-id"]


@pytest.mark.parametrize("one", ORDERS)
@pytest.mark.parametrize("other", ORDERS)
def test_a_cursor_goes_on_in_its_own_order_only(client, one, other):
    path = "/collections/facilities/items"
    first = client.get(path, params={"limit": 3} | ({"sortby": one} if one else {}))
    (following_one,) = following(first)
    cursor = httpx.URL(following_one).params["cursor"]
    answer = client.get(path, params={"limit": 3, "cursor": cursor} | ({"sortby": other} if other else {}))
    if one == other:
        assert answer.status_code == 200
        assert not set(ids([first.json()])) & set(ids([answer.json()]))
        return
    problem = answer.json()
    assert (answer.status_code, problem["type"]) == (400, "urn:problem-type:casamaps:cursor.order")
    assert (problem["parameter"], problem["value"], problem["allowed"]) == ("cursor", one or "–", other or "–")


def test_a_sign_that_says_nothing_changes_no_order(client):
    path = "/collections/facilities/items"
    (after,) = following(client.get(path, params={"limit": 3, "sortby": "+name_fr"}))
    cursor = httpx.URL(after).params["cursor"]
    assert client.get(path, params={"limit": 3, "sortby": "name_fr", "cursor": cursor}).status_code == 200


def test_a_list_in_the_other_language_begins_anew(client):
    path = "/directory"
    page = client.get(path, params={"f": "html", "lang": "fr"}).text
    cursor = page.split("cursor=")[1].split("&")[0].split('"')[0]
    second = client.get(path, params={"f": "html", "lang": "fr", "cursor": cursor})
    assert second.status_code == 200
    assert second.text != page
    turned = client.get(path, params={"f": "html", "lang": "ar", "cursor": cursor})
    assert turned.status_code == 200
    first = client.get(path, params={"f": "html", "lang": "ar"}).text
    assert turned.text.split("<main")[1] == first.split("<main")[1]

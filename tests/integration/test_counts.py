"""How many features match: exact where that is cheap, and called an estimate where it is one."""

import httpx
import pytest


@pytest.fixture
def many(workshop, serve):
    """A layer of 12,000 features, half of them of one kind, and a long text in one."""
    workshop.add("kind")
    workshop.ingest(workshop.csv("a,Un,واحد,-7.6,33.5,odd", header="kind"))
    workshop.sql(
        "INSERT INTO features.libraries (id, name_fr, name_ar, kind, geom) "
        "SELECT 'n' || n, 'Nom ' || n, 'اسم', CASE n % 2 WHEN 0 THEN 'even' ELSE 'odd' END, "
        "ST_SetSRID(ST_MakePoint(-7.7 + n * 0.00001, 33.5), 4326) FROM generate_series(1, 11999) n"
    )
    workshop.sql("ANALYZE features.libraries")
    workshop.sql("UPDATE catalogue.layers SET row_count = 12000, west = -7.7, east = -7.58, version = version + 1")
    with httpx.Client(base_url=serve(workshop.url), timeout=30) as client:
        yield client


def page(client, **params):
    answer = client.get("/collections/libraries/items", params=params)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_what_can_be_counted_is_exact(many):
    for params, count in (
        ({"kind": "even"}, 5999),
        ({"filter": "kind = 'even'"}, 5999),
        ({"bbox": "-7.7,33.4,-7.650005,33.6"}, 4999),
        ({"kind": "none"}, 0),
    ):
        body = page(many, **params, limit=10)
        assert body["numberMatched"] == count
        assert "numberMatchedEstimate" not in body


@pytest.mark.parametrize("params", [{}, {"bbox": "-8,33,-7,34"}, {"filter": "name_ar = 'اسم'"}])
def test_what_can_not_is_an_estimate_under_another_name(many, params):
    body = page(many, **params, limit=10)
    assert "numberMatched" not in body
    assert body["numberMatchedEstimate"] == pytest.approx(12000, rel=0.2)
    (following,) = [item["href"] for item in body["links"] if item["rel"] == "next"]
    second = many.get(following).json()
    assert "numberMatched" not in second
    assert "numberMatchedEstimate" not in second


def test_a_page_that_holds_all_has_counted_them(many):
    body = page(many, kind="even", limit=10000)
    assert body["numberMatched"] == body["numberReturned"] == 5999


@pytest.mark.parametrize(("lang", "words"), [("fr", "sur environ 12"), ("ar", "تقريبا")])
def test_the_page_says_about(many, lang, words):
    assert words in many.get(f"/collections/libraries/items?f=html&lang={lang}").text


def test_other_formats_have_the_exact_number_in_a_header(many):
    assert many.get("/collections/libraries/items?f=csv&kind=even&limit=5").headers["ogc-numbermatched"] == "5999"
    assert "ogc-numbermatched" not in many.get("/collections/libraries/items?f=csv&limit=5").headers


def test_a_page_that_turns_out_too_long_is_cut_and_goes_on(workshop, serve):
    rows = [f"r{number},Nom,اسم,-7.6,33.5" for number in range(300)]
    workshop.ingest(workshop.csv(*rows))
    workshop.sql("UPDATE features.libraries SET name_fr = repeat('x', 30000) WHERE id IN ('r7', 'r8')")
    seen = []
    with httpx.Client(base_url=serve(workshop.url, max_bytes=40_000), timeout=30) as client:
        address = "/collections/libraries/items?limit=50"
        while address:
            answer = client.get(address)
            body = answer.json()
            assert body["numberMatched"] == 300
            assert len(answer.content) < 45_000
            seen += [feature["id"] for feature in body["features"]]
            address = next((item["href"] for item in body["links"] if item["rel"] == "next"), None)
    assert sorted(seen) == sorted(f"r{number}" for number in range(300))
    assert len(seen) == 300

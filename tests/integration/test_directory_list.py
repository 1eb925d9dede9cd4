"""The annuaire as a list and as a collection: one set of entries, however it is asked."""

import json
import re
import unicodedata

import geopandas as gpd
import httpx
import pytest

from tests.integration.test_linked_places import FACTS


def folded(text):
    return "".join(c for c in unicodedata.normalize("NFD", text.lower()) if not unicodedata.combining(c))


def keys(answer):
    assert answer.status_code == 200, answer.text
    return [feature["id"] for feature in answer.json()["features"]]


def test_the_list_is_the_collection(client):
    whole = client.get("/collections/directory/items?limit=10000").json()
    assert {feature["id"] for feature in whole["features"]} == set(FACTS)
    assert client.get("/directory?limit=10000").json()["features"] == whole["features"]
    assert client.get("/collections/directory").json()["itemCount"] == len(FACTS)


def test_an_item_is_its_entry(client):
    for key in ("oncf", "gare-routiere-ctm-casablanca"):
        item = client.get(f"/collections/directory/items/{key}").json()
        entry = client.get(f"/directory/{key}").json()
        for member in ("id", "geometry", "properties"):
            assert item[member] == entry[member]
        canonical = [link["href"] for link in item["links"] if link["rel"] == "canonical"]
        assert canonical == [link["href"] for link in entry["links"] if link["rel"] == "canonical"]


@pytest.mark.parametrize(
    ("query", "fits"),
    [
        ({"category": "pharmacy"}, lambda row: row["category"] == "pharmacy"),
        ({"district_code": "06.141.01.07"}, lambda row: row["district_code"] == "06.141.01.07"),
        ({"wheelchair": "yes"}, lambda row: row["wheelchair"] == "yes"),
        (
            {"category": "town_hall", "district_code": "06.141.01.03", "wheelchair": "", "q": ""},
            lambda row: (row["category"], row["district_code"]) == ("town_hall", "06.141.01.03"),
        ),
        ({"filter": "category IN ('court','police')"}, lambda row: row["category"] in ("court", "police")),
        ({"filter": "within_district('06.141.01.21')"}, lambda row: row["district_code"] == "06.141.01.21"),
        # Some are called schools in English.
        (
            {"q": "ECOLE"},
            lambda row: any(word in folded(row["name_fr"] + " " + row["address_fr"]) for word in ("ecole", "school")),
        ),
        (
            {"q": "badr annexe", "category": "town_hall"},
            lambda row: row["category"] == "town_hall" and {"badr", "annexe"} <= set(folded(row["name_fr"]).split()),
        ),
        ({"q": "الملحقة"}, lambda row: "الملحقة" in row["name_ar"]),
        ({"q": "100%"}, lambda row: False),
        ({"q": "_"}, lambda row: False),
        ({"q": "'; DROP TABLE x; --"}, lambda row: False),
    ],
)
def test_filters_choose_what_the_facts_say(client, query, fits):
    expected = {key for key, row in FACTS.items() if fits(row)}
    answer = client.get("/directory", params={**query, "limit": 1000})
    assert set(keys(answer)) == expected
    assert answer.json()["numberMatched"] == len(expected)


def test_pages_follow_each_other_at_the_address_of_the_list(client, server_url):
    found, address = [], f"{server_url}/directory?category=school&limit=50"
    while address:
        assert address.startswith(f"{server_url}/directory?")
        body = client.get(address).json()
        found += [feature["id"] for feature in body["features"]]
        address = next((item["href"] for item in body["links"] if item["rel"] == "next"), None)
    assert sorted(found) == sorted(key for key, row in FACTS.items() if row["category"] == "school")


@pytest.mark.parametrize(
    ("lang", "text"),
    [
        ("cql2-text", "category = 'town_hall' OR category = 'court'"),
        ("cql-text", "category = 'town_hall' OR category = 'court'"),
        ("cql2-json", '{"op": "in", "args": [{"property": "category"}, ["town_hall", "court"]]}'),
    ],
)
def test_a_text_and_a_filter_hold_both(client, lang, text):
    answer = client.get("/directory", params={"q": "annexe", "filter": text, "filter-lang": lang, "limit": 1000})
    expected = {
        key
        for key, row in FACTS.items()
        if row["category"] in ("town_hall", "court") and "annexe" in folded(row["name_fr"] + " " + row["address_fr"])
    }
    assert set(keys(answer)) == expected
    assert expected
    # Each condition is its own: neither can close the other's bracket.
    answer = client.get("/directory", params={"q": "annexe", "filter": "1=1) OR (1=1"})
    assert answer.status_code == 400


@pytest.mark.parametrize("text", ["x" * 201, "x" * 10_000])
def test_long_texts_are_refused(client, text):
    assert client.get("/directory", params={"q": text}).status_code == 400


@pytest.mark.parametrize("text", ["\u200f", "\\", "%", "\ud7ff", "ﷺ", "a" * 200, " ".join("ab" * 40), "'\"--", "{}[]"])
def test_any_text_has_an_answer(client, text):
    for form in ("json", "html"):
        assert client.get("/directory", params={"q": text, "f": form}).status_code == 200


def test_a_nul_is_refused(client):
    assert client.get("/directory?q=a%00b").status_code == 400


@pytest.mark.parametrize(("lang", "first"), [("fr", "name_fr"), ("ar", "name_ar")])
def test_the_page_lists_names_in_the_readers_language(client, lang, first):
    page = client.get("/directory", params={"f": "html", "lang": lang, "category": "cinema"}).text
    for key, row in FACTS.items():
        if row["category"] == "cinema":
            assert f"/directory/{key}?f=html&amp;lang={lang}" in page
            assert row[first] in page


@pytest.mark.parametrize("form", ["csv", "fgb", "gpkg", "parquet", "shp", "kml"])
def test_entries_without_a_place_are_in_every_file(client, tmp_path, form):
    path = tmp_path / f"directory.{'zip' if form == 'shp' else form}"
    path.write_bytes(client.get("/collections/directory/export", params={"f": form}).content)
    if form == "csv":
        import pandas as pd

        table = pd.read_csv(path)
        assert set(table["id"]) == set(FACTS)
        assert set(table["id"][table["geometry"].isna()]) == {key for key, row in FACTS.items() if not row["lon"]}
        return
    frame = gpd.read_parquet(path) if form == "parquet" else gpd.read_file(path)
    key = next(name for name in ("feature_id", "id") if name in frame.columns)
    assert set(frame[key]) == set(FACTS)
    alone = set(frame[key][frame.geometry.isna() | frame.geometry.is_empty])
    assert alone == {key for key, row in FACTS.items() if not row["lon"]}
    for name, place in zip(frame[key], frame.geometry, strict=True):
        if name not in alone:
            assert (place.x, place.y) == pytest.approx((float(FACTS[name]["lon"]), float(FACTS[name]["lat"])))


def test_it_has_tiles_and_counts_but_is_not_on_the_map_twice(client):
    assert client.get("/collections/directory/tiles/WebMercatorQuad/10/410/490").status_code == 200
    counted = client.get("/collections/directory/aggregate?by=category&lang=ar").json()
    assert sum(group["count"] for group in counted["results"]) == len(FACTS)
    assert "صيدلية" in json.dumps(counted, ensure_ascii=False)
    near = client.get("/nearest?lon=-7.61111&lat=33.59621&limit=50").json()
    assert "directory" not in {feature["collection"] for feature in near["features"]}
    asked = client.get("/nearest?lon=-7.61111&lat=33.59621&limit=1&collections=directory").json()
    assert [feature["id"] for feature in asked["features"]] == ["gare-routiere-ctm-casablanca"]
    assert "collections/directory/items" not in client.get("/maps/city.js").text


def test_internal_entries_are_nobodys(workshop, serve):
    from layers.definition import load_definition
    from layers.shipped import load_shipped
    from tests.conftest import DATA, quiet

    definition = load_definition(DATA / "layers" / "directory.yaml")
    folder = workshop.folder / "data"
    (folder / "layers").mkdir(parents=True)
    (folder / "layers" / "directory.yaml").write_text((DATA / "layers" / "directory.yaml").read_text("utf-8"), "utf-8")
    for name in ("directory.csv", "directory.yaml"):
        (folder / name).write_text((DATA / name).read_text("utf-8"), "utf-8")
    load_shipped(workshop.url, folder, quiet)
    workshop.raw["directory"] = {"role": "place"}
    workshop.ingest(workshop.csv("a,Un,واحد,-7.6,33.5"))
    base = serve(workshop.url)
    assert "a" in keys(httpx.get(f"{base}/directory"))
    assert workshop.sql("SELECT row_count FROM catalogue.layers WHERE id = %s", definition.id) == [(6,)]
    workshop.raw["visibility"] = "internal"
    workshop.ingest(workshop.csv("a,Un,واحد,-7.6,33.5"))
    assert "a" not in keys(httpx.get(f"{base}/directory"))
    assert httpx.get(f"{base}/directory/a").status_code == 404
    assert workshop.sql("SELECT row_count FROM catalogue.layers WHERE id = %s", definition.id) == [(5,)]


def test_the_layer_shows_all_that_an_entry_has():
    from layers.definition import load_definition
    from layers.models import INNER, Entry
    from tests.conftest import DATA

    definition = load_definition(DATA / "layers" / "directory.yaml")
    columns = {column.name for column in Entry.__mapper__.columns} - {"id", "geom", *INNER}
    assert {field.name for field in definition.fields} == columns


@pytest.mark.parametrize("text", ["صيدليه", "صـيدلية", "صَيدلِيّة"])
def test_arabic_is_found_however_it_is_written(client, text):
    wanted = client.get("/directory", params={"q": "صيدلية", "f": "json", "limit": 1000}).json()
    assert wanted["numberMatched"] > 10
    found = client.get("/directory", params={"q": text, "f": "json", "limit": 1000}).json()
    assert [item["id"] for item in found["features"]] == [item["id"] for item in wanted["features"]]


def named(row, *words):
    """Tell whether all words stand in the French name or address, or the Arabic ones, without accents."""
    texts = [folded(f"{row['name_fr']} {row['address_fr']}"), folded(row["name_ar"])]
    return any(all(word in text for word in words) for text in texts)


@pytest.mark.parametrize(
    ("texts", "words"),
    [
        # Without accents, mistyped, with Latin letters and digits, in Arabic and its variants, in any order.
        (["Aïn Chock", "ain chock", "ain chok", "chock ain", "3in cho9", "عين الشق", "الشق عين"], ("ain", "chock")),
        (["hôpital du 20 août", "hopital 20 aout", "aout 20 hopital", "20 aou hopi", "hopitl 20 aout"], ("hopital", "20 aout")),
        (["محكمة", "المحكمه", "مَحْكَمة", "محكـمة", "mahkama"], ("محكمة",)),
        (["boulevard abdelmoumen", "bd Abdelmoumen", "Abdelmoumen BLVD"], ("boulevard", "abdelmoumen")),
        (["préfecture", "prefecture", "l'prefecture", "preffecture", "prefecure"], ("prefecture",)),
    ],
)  # fmt: skip
def test_words_mean_what_the_search_takes_them_for(client, texts, words):
    expected = {key for key, row in FACTS.items() if named(row, *words)}
    assert expected
    for text in texts:
        answer = client.get("/directory", params={"q": text, "limit": 1000})
        assert set(keys(answer)) == expected, text
        assert answer.json()["numberMatched"] == len(expected)


def test_what_no_name_has_is_found_by_its_category_and_district(client):
    """Somebody looks for the annexes of a district, none of which has its name."""
    for text, beginning, category, district in (
        ("annexe hay hassani", "annexe", "town_hall", "06.141.01.31"),
        ("pharmacie maarif", "", "pharmacy", "06.141.01.03"),
    ):
        expected = {
            key
            for key, row in FACTS.items()
            if (row["category"], row["district_code"]) == (category, district)
            and folded(row["name_fr"]).startswith(beginning)
        }
        assert expected
        assert set(keys(client.get("/directory", params={"q": text, "limit": 100}))) >= expected


def test_words_hold_beside_filters_pages_and_files(client, server_url):
    asked = {"q": "pharmasie", "district_code": "06.141.01.03"}
    expected = {key for key, row in FACTS.items() if named(row, "pharmacie") and row["district_code"] == "06.141.01.03"}
    assert len(expected) > 2
    assert set(keys(client.get("/directory", params=asked))) == expected
    found, address = [], f"{server_url}/directory?q=pharmasie&district_code=06.141.01.03&limit=2&sortby=-name_fr"
    while address:
        body = client.get(address).json()
        assert len(body["features"]) <= 2
        found += body["features"]
        address = next((item["href"] for item in body["links"] if item["rel"] == "next"), None)
    assert {feature["id"] for feature in found} == expected
    assert len(found) == len(expected)
    page = client.get("/directory", params={**asked, "f": "html", "lang": "ar"}).text
    assert all(f"/directory/{key}?" in page for key in expected)
    assert client.get("/directory", params={**asked, "limit": 1, "lang": "ar"}).json()["numberMatched"] == len(expected)


@pytest.mark.parametrize(
    "text", ["zzqxw", "zzqxw pharmacie", "%", "_", "%%%", "''", '"', "\\", "$$", "{}", "--", "٪", "\u200f\u200e"]
)
def test_hopeless_words_find_nothing(client, text):
    body = client.get("/directory", params={"q": text}).json()
    assert (body["features"], body["numberMatched"]) == ([], 0)


def test_long_texts_are_told_what_is_allowed(client):
    for lang, word in (("fr", "200"), ("ar", "200")):
        answer = client.get("/directory", params={"q": "é" * 10_000, "lang": lang})
        assert answer.status_code == 400
        assert word in answer.text
        assert len(answer.content) < 2000


def test_numbers_are_no_parts_of_others(client):
    found = keys(client.get("/directory", params={"q": "20", "limit": 1000}))
    texts = [" ".join(FACTS[key][name] for name in ("name_fr", "name_ar", "address_fr")) for key in found]
    assert found
    assert all(re.search(r"(?<!\d)20(?!\d)", text) for text in texts)


def test_nobodys_filter_can_ask_for_words(client):
    for text in ('{"op": "words", "args": ["{}"]}', '{"op": "words", "args": ["{}", "facilities"]}'):
        answer = client.get("/directory", params={"filter": text, "filter-lang": "cql2-json"})
        assert answer.status_code == 400
        assert "words" in answer.text


def test_entries_that_somebody_adds_by_sql_are_found_at_once(workshop, serve):
    from layers.shipped import load_shipped
    from tests.conftest import DATA, quiet

    load_shipped(workshop.url, DATA, quiet, only="directory")
    base = serve(workshop.url)
    workshop.sql(
        "INSERT INTO directory.entries (id, category, name_fr, name_ar, address_fr, source) "
        "VALUES ('new', 'library', 'Médiathèque Zénata', 'خزانة زناتة', '12, rue d''Été', 'x')"
    )
    for text in ("mediatheque", "MEDIATHEQUE zenata", "ete zenata", "زناته", "12 ete"):
        assert keys(httpx.get(f"{base}/directory", params={"q": text})) == ["new"], text
    workshop.sql("UPDATE directory.entries SET name_fr = 'Archives' WHERE id = 'new'")
    assert keys(httpx.get(f"{base}/directory", params={"q": "mediatheque zenata"})) == []


@pytest.mark.parametrize(
    ("name", "value", "allowed"),
    [("category", "nope", "town_hall"), ("category", "Pharmacy", "pharmacy"), ("district_code", "06.141", "06.141.01.31")],
)  # fmt: skip
@pytest.mark.parametrize(("lang", "said"), [("fr", "n'est pas une valeur admise"), ("ar", "القيم المقبولة")])
def test_values_that_there_are_not_are_refused_with_those_that_there_are(client, name, value, allowed, lang, said):
    answer = client.get("/directory", params={name: value, "lang": lang})
    assert answer.status_code == 400
    problem = answer.json()
    assert (problem["parameter"], problem["value"]) == (name, value)
    assert allowed in problem["allowed"].split(", ")
    assert said in problem["detail"]
    page = client.get("/directory", params={name: value, "lang": lang, "f": "html"})
    assert page.status_code == 400
    assert allowed in page.text


def test_a_category_of_somebodys_own_is_one_too(workshop, serve):
    from layers.shipped import load_shipped
    from tests.conftest import DATA, quiet

    load_shipped(workshop.url, DATA, quiet, only="directory")
    workshop.raw["directory"] = {"role": "place"}
    workshop.ingest(workshop.csv("a,Un,واحد,-7.6,33.5"))
    base = serve(workshop.url)
    assert keys(httpx.get(f"{base}/directory?category=libraries")) == ["a"]
    assert httpx.get(f"{base}/directory?category=nope").status_code == 400
    # Without districts, no code is wrong.
    assert keys(httpx.get(f"{base}/directory?district_code=nope")) == []

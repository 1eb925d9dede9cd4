"""The search: what it finds of the recall set, in which order, and what it says to nonsense."""

from collections import Counter
from urllib.parse import quote

import httpx
import hypothesis
import psycopg
import pytest
from hypothesis import strategies as st

from layers.shipped import load_shipped, refresh_search
from tests.conftest import DATA, quiet
from tests.integration.searching import found
from tests.many import examples
from tests.recall import FOLDER, SHOWN, evaluate, keys, read_set


@pytest.mark.parametrize(
    ("file", "least", "cases"),
    [
        ("recall.csv", 200, 15),
        ("recall_second.csv", 120, 18),
        ("recall_third.csv", 60, 15),
        ("recall_fourth.csv", 460, 16),
    ],
)
def test_recall(client, file, least, cases):
    """Where two things are equally right, the file has both."""
    rows = read_set(FOLDER / file)
    assert len(rows) >= least
    assert len({row["case"] for row in rows}) >= cases
    recall = evaluate(FOLDER / file, lambda q: found(client, q, limit=SHOWN))
    assert recall.count == len(rows)
    assert recall.holds, (recall.shares, recall.wrong)


def test_every_name_finds_its_thing(client, everything):
    """Names that several things have may fill the list; each of the others finds its own within five."""
    wrong = []
    for layer in ("districts", "transport-stops", "transport-lines", "facilities"):
        for feature in everything(layer)[::6]:
            for name in (feature["properties"]["name_fr"], feature["properties"]["name_ar"]):
                features = found(client, name, limit=5)
                if feature["id"] not in {one["id"] for one in features}:
                    same = {name in (one["properties"]["name_fr"], one["properties"]["name_ar"]) for one in features}
                    wrong += [] if same == {True} else [(name, feature["id"], keys(features))]
    assert not wrong


def test_a_result_stands_for_one_thing(client):
    for q in ("ain chock", "عين الشق", "casa port", "hassan", "pharmacie", "a", "م"):
        features = found(client, q, limit=50)
        assert max(Counter(keys(features)).values()) == 1
        assert len(features) > 1


def test_nothing_of_an_index_is_left_to_be_sorted_in(database_url):
    """Such rests are read whole by every question."""
    with psycopg.connect(database_url) as connection:
        (count,) = connection.execute(
            "SELECT sum(gin_clean_pending_list(c.oid)) FROM pg_class c JOIN pg_am a ON a.oid = c.relam "
            "WHERE c.relnamespace = 'search'::regnamespace AND c.relkind = 'i' AND a.amname = 'gin'"
        ).fetchone()
    assert count == 0


def test_entries_of_the_annuaire_are_places_of_layers_too(client, everything):
    entries = {one["id"] for one in everything("directory")}
    plain, features = (found(client, "pharmacie", limit=50, **more) for more in ({}, {"layers": "directory"}))
    assert keys(features)[0] == "category/pharmacy"
    assert keys(features) == [key for key in keys(plain) if not key.startswith("station/")]
    assert len(features) > 20
    for one in features:
        assert one["properties"]["collection"] == "directory"
        assert one["properties"]["kind"] == "category" or one["id"] in entries
        assert "/directory" in one["properties"]["url"]
    both = found(client, "pharmacie", limit=50, layers="facilities,directory")
    assert {one["properties"]["collection"] for one in both} == {"facilities"}
    assert keys(both) == keys(features)
    assert found(client, "ali yata", layers="directory") == []
    assert "Pharmacie" in client.get("/search?q=pharmacie&layers=directory&f=html&lang=fr").text


def test_every_address_leads_somewhere(client):
    kinds = set()
    for q in ("pharmacie", "anfa", "t1", "ali yata", "oncf", "maintenance", "33.59,-7.61"):
        for one in found(client, q):
            assert one["links"][0]["href"] == one["properties"]["url"]
            assert client.get(one["properties"]["url"]).status_code == 200
            kinds.add(one["properties"]["kind"])
    assert kinds == {"category", "district", "line", "station", "facility", "entry", "feature", "coordinates"}


@pytest.mark.parametrize(("lang", "name"), [("fr", "Aïn Chock"), ("ar", "عين الشق")])
def test_names_are_in_the_readers_language(client, lang, name):
    assert found(client, "ain chock", lang=lang)[0]["properties"]["name"] == name


NOTHING = ["", " ", "%", "_", "'", '"', "\\", "\u202e", "qsdfghjklm", "zzz qqq", "ببببب", "' or 1=1 --"]


NOT_HERE = [
    "paris",
    "ikea",
    "tokyo",
    "rabat",
    "lydec",
    "qwerty",
    "zara",
    "bank",
    "grtgr",
    "london",
    "madrid",
    "tanger",
    "inwi",
    "glovo",
    "hello",
    "essaouira",
    "اكادير",
    "برشلونة",
    "باريس",
    "طوكيو",
    "سيارة",
    "وجدة",
    "ميسي",
    "merci",
    "bateau",
    "soupe",
    "كرة",
    "iphone",
    "nouaceur",
    "iam",
    "morocco mall",
    "royal air maroc",
    "1x",
    "1e400,1e400",
]


#: Codes and numbers that nothing has, beside others that differ by a digit.
#: Words of the city with one that nothing here has.
NO_SUCH = [
    "consulat iran", "consulat cuba", "consulat xyz", "pharmacie fes", "pharmacie qqq", "hopital zzz", "bernoussi xyz",
    "صيدلية فاس", "مستشفى كلب",
]  # fmt: skip
NO_CODES = ["T9", "T12", "BW7", "BW22", "tram 9", "B5", "195", "lycee ibn tofail"]


@pytest.mark.parametrize("q", [*NOTHING, *NOT_HERE, *NO_SUCH, *NO_CODES])
def test_empty_and_hopeless_texts_find_nothing(client, q):
    assert found(client, q) == []


@pytest.mark.parametrize("lang", ["fr", "ar"])
def test_the_page_works_without_a_script(client, lang):
    page = client.get("/search", params={"q": "3in cho9 <b>", "f": "html", "lang": lang, "lon": -7.6, "lat": 33.6})
    assert page.status_code == 200
    assert "&lt;b&gt;" in page.text
    assert "<b>" not in page.text
    assert 'role="search"' in page.text
    assert 'name="lon" value="-7.6"' in page.text
    page = client.get("/search", params={"q": "3in cho9", "f": "html", "lang": lang})
    assert "<mark>3in</mark> <mark>Cho9</mark>" in page.text
    assert (
        client.get("/search/reverse", params={"lon": -7.6, "lat": 33.6, "f": "html", "lang": lang}).status_code == 200
    )


@pytest.mark.parametrize(
    ("asked", "parameter"),
    [
        ("q=" + "x" * 10_000, "q"),
        ("q=a%00b", "q"),
        ("q=a&q=b", "q"),
        ("q=a&lon=-7.6", "lat"),
        ("q=a&lon=500&lat=3", "lon"),
        ("q=a&layers=nothing", "layers"),
        ("q=a&bbox=1,2", "bbox"),
        ("q=a&limit=0", "limit"),
        ("q=a&lang=es", "lang"),
        ("q=a&filter=x", "filter"),
    ],
)
def test_mistakes_are_named(client, asked, parameter):
    answer = client.get(f"/search?{asked}")
    assert answer.status_code == 400
    assert answer.json()["parameter"] == parameter


@hypothesis.settings(max_examples=examples(60))
@hypothesis.given(st.text(max_size=220))
def test_any_text_has_an_answer_or_a_clear_refusal(client, text):
    answer = client.get(f"/search?q={quote(text)}&lon=-7.6&lat=33.6")
    assert answer.status_code in (200, 400)
    if answer.status_code == 400:
        assert answer.json()["parameter"] == "q"
        assert "\0" in text or len(text) > 200


def things(workshop):
    return dict(workshop.sql("SELECT id, names[1] || xmin::text FROM search.things WHERE layer = 'libraries'"))


def uses(workshop):
    return dict(workshop.sql("SELECT form, uses FROM search.words WHERE uses > 0"))


def test_the_index_follows_the_rows_and_leaves_the_others(workshop):
    one, two = "a,Bibliothèque du Phare,خزانة المنارة,-7.6,33.5", "b,Bibliothèque Verte,الخزانة الخضراء,-7.6,33.5"
    workshop.ingest(workshop.csv(one, two))
    before = things(workshop)
    assert set(before) == {"a", "b"}
    assert uses(workshop)["bibliotheque"] == 2
    workshop.ingest(workshop.csv(one, "c,Salle Bleue,القاعة الزرقاء,-7.6,33.5"))
    after = things(workshop)
    assert set(after) == {"a", "c"}
    assert after["a"] == before["a"], "what has not changed is not written again"
    assert uses(workshop)["bibliotheque"] == 1
    assert "verte" not in uses(workshop)


def test_rows_added_by_sql_are_found_after_the_next_refresh(workshop, serve):
    folder = workshop.folder / "data"
    (folder / "layers").mkdir(parents=True)
    for name in ("layers/directory.yaml", "directory.yaml", "directory.csv"):
        (folder / name).write_bytes((DATA / name).read_bytes())
    load_shipped(workshop.url, folder, quiet)
    workshop.ingest(workshop.csv("a,Bibliothèque du Phare,خزانة المنارة,-7.6,33.5"))
    workshop.sql(
        "INSERT INTO features.libraries (id, name_fr, name_ar, geom) VALUES "
        "('z', 'Kiosque Zitoun', 'كشك الزيتون', ST_SetSRID(ST_MakePoint(-7.5, 33.5), 4326))"
    )
    workshop.sql("UPDATE features.libraries SET name_fr = 'Médiathèque du Phare' WHERE id = 'a'")
    workshop.sql(
        "INSERT INTO directory.entries (id, category, name_fr, name_ar, source) "
        "VALUES ('office', 'utility', 'Office des bassins', 'مكتب الأحواض', 'x')"
    )
    refresh_search(workshop.url, DATA)
    address = serve(workshop.url)
    for q, key in (("zitoun", "z"), ("زيتون", "z"), ("mediatheque", "a"), ("bassins", "office")):
        assert [one["id"] for one in httpx.get(f"{address}/search", params={"q": q}).json()["features"]] == [key]
    workshop.sql("DELETE FROM features.libraries WHERE id = 'z'")
    refresh_search(workshop.url, DATA)
    assert httpx.get(f"{address}/search", params={"q": "zitoun"}).json()["features"] == []


def test_internal_layers_are_not_found(workshop):
    workshop.raw["visibility"] = "internal"
    workshop.ingest(workshop.csv("a,Bibliothèque du Phare,خزانة المنارة,-7.6,33.5"))
    assert things(workshop) == {}


def test_the_stored_index_is_what_the_names_make(database_url):
    """Words, owners and places of every thing belong together."""
    with psycopg.connect(database_url) as connection:
        rows = connection.execute(
            "SELECT names, sizes, owners, starts, ends, (SELECT json_agg(form ORDER BY n) FROM unnest(words) "
            "WITH ORDINALITY AS u(id, n) JOIN search.words w USING (id)) FROM search.things"
        ).fetchall()
        counted = connection.execute(
            "SELECT bool_and(uses = n) FROM search.words w JOIN (SELECT word, count(DISTINCT (layer, kind, t.id)) AS n "
            "FROM search.things t, unnest(words) AS word GROUP BY word) c ON c.word = w.id"
        ).fetchone()
    assert len(rows) > 600
    assert counted == (True,)
    for names, sizes, owners, starts, ends, forms in rows:
        assert len(names) == len(sizes)
        assert Counter(owners) == {owner: size for owner, size in enumerate(sizes, 1) if size}
        assert len(forms) == len(starts) == len(ends) == len(owners)
        assert all(
            0 <= start < end <= len(names[owner - 1]) for start, end, owner in zip(starts, ends, owners, strict=True)
        )


def test_a_short_plus_code_of_another_town_is_none(client):
    assert found(client, "H9QC+XX Ouagadougou") == []

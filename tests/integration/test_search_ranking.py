"""Which result goes first: exact before begun before alike, own names before others, the nearest of many."""

import csv
import re

import geopandas as gpd
import httpx
import pytest
import shapely

from layers.search.normal import fold, is_arabic
from tests.conftest import DATA
from tests.integration.searching import found
from tests.recall import SHOWN, keys


@pytest.mark.parametrize(
    ("q", "key"),
    [
        ("centre de anté", "category/health_centre"),
        ("الضمان الاجماعي", "category/social_services"),
        ("Derb El abir", "district/06.141.01.11"),
        ("erb sultan", "station/tram-derb-sultan"),
    ],
)
def test_a_name_with_a_typo_goes_before_a_category_or_district_with_one(client, q, key):
    (first, *_) = found(client, q, limit=SHOWN)
    assert keys([first]) == [key]
    parts = [first["properties"]["matched"][start:end] for start, end in first["properties"]["highlight"]]
    assert len("".join(parts)) >= len(q) - 3


def test_exact_goes_before_prefix_before_alike(client):
    exact, beginning, alike = (keys(found(client, q)) for q in ("anfa", "anf", "anva"))
    assert exact[0] == beginning[0] == alike[0] == "district/06.141.01.01"
    hassan = keys(found(client, "sidi m", limit=50))
    assert hassan[0].startswith("district/")


@pytest.mark.parametrize(
    ("q", "key"),
    [
        ("C.I.L", "station/busway-cil"),
        ("C.I.L.", "station/busway-cil"),
        ("Les Hôpitaux", "station/tram-les-hopitaux"),
        ("المستشفيات", "station/tram-les-hopitaux"),
        ("الكليات", "station/tram-facultes"),
        ("المدارس", "station/busway-les-ecoles"),
        ("LES ECOLES", "station/busway-les-ecoles"),
        ("Gare de l'Oasis", "facility/gare-casa-oasis"),
        ("gare oasis", "station/tram-gare-oasis"),
        ("hôpitaux", "category/hospital"),
        ("facultés", "category/university"),
        ("مدارس", "category/school"),
        # No place is a museum.
        ("musees", "station/busway-les-musees"),
        ("متاحف", "station/busway-les-musees"),
    ],
)
def test_a_name_with_its_article_goes_first_and_a_bare_plural_is_a_category(client, q, key):
    assert keys(found(client, q, limit=SHOWN))[0] == key


@pytest.mark.parametrize(
    ("q", "key"),
    [
        ("station lissasfa", "station/tram-lissasfa"),
        ("station hay hassani", "station/tram-hay-hassani"),
        ("station el fida", "station/tram-el-fida"),
        ("محطة الفداء", "station/tram-el-fida"),
        ("محطة الحي الحسني", "station/tram-hay-hassani"),
        ("quartier hay hassani", "district/06.141.01.31"),
        ("محطة القطار الدار البيضاء المسافرين", "facility/gare-casa-voyageurs"),
    ],
)
def test_what_is_of_the_kind_that_was_named_goes_first(client, q, key):
    assert keys(found(client, q, limit=SHOWN))[0] == key


def test_own_names_go_before_other_names(client):
    got = found(client, "ain", limit=3)
    assert {one["properties"]["name_fr"] for one in got[:2]} == {"Aïn Sebaâ", "Aïn Chock"}
    assert got[2]["properties"]["matched"] == "Ain Diab"


def test_a_short_name_within_a_long_one_goes_before_what_sounds_alike(client):
    assert keys(found(client, "encg"))[0] == "facility/encg-casablanca"


def test_categories_go_before_their_places_and_the_nearest_of_these_first(client, everything):
    lon, lat = -7.66, 33.575
    features = found(client, "pharmacie", lon=lon, lat=lat, limit=50)
    assert keys(features)[0] == "category/pharmacy"
    assert features[0]["geometry"] is None
    got = [one for one in features if one["id"].startswith("pharmacie-")]
    distances = [one["properties"]["distance"] for one in got]
    assert len(got) > 10
    assert distances == sorted(distances)
    frame = gpd.GeoSeries([shapely.Point(one["geometry"]["coordinates"]) for one in got], crs=4326).to_crs(32629)
    truth = frame.distance(gpd.GeoSeries([shapely.Point(lon, lat)], crs=4326).to_crs(32629).iloc[0])
    assert distances == pytest.approx(list(truth), rel=1e-3)


def test_a_district_or_a_category_may_be_named_beside(client):
    got = keys(found(client, "tram hay hassani"))
    assert got[0] == "station/tram-hay-hassani"
    clinics = found(client, "clinique maarif", limit=20)
    assert {one["properties"]["collection"] for one in clinics} == {"facilities"}
    assert len(clinics) >= 3


def test_a_category_in_a_district_goes_before_names_that_have_its_word(client):
    for q, lang in (("pharmacie maarif", "fr"), ("pharmac maari", "fr"), ("صيدلية المعاريف", "ar")):
        features = found(client, q, lang=lang, limit=20)
        told = [(one["properties"]["category"], one["properties"]["district"]) for one in features]
        first = {"fr": ("Pharmacie", "Maârif"), "ar": ("صيدلية", "المعاريف")}[lang]
        count = told.count(first)
        assert count >= 4
        assert told[:count] == [first] * count
        assert "facility/faculte-de-medecine-et-de-pharmacie" in keys(features)[count:]


def test_a_category_is_found_in_a_district_although_its_names_have_another_word(client, everything):
    schools = {
        one["id"]
        for one in everything("facilities")
        if one["properties"]["category"] == "school" and one["properties"]["district_code"] == "06.141.01.03"
    }
    got = found(client, "ecole maarif", limit=50)
    assert schools
    assert schools <= {one["id"] for one in got}


@pytest.mark.parametrize(("lang", "districts"), [("fr", {"Al Fida", "Sbata"}), ("ar", {"الفداء", "سباتة"})])
def test_things_of_one_name_are_told_apart(client, lang, districts):
    features = found(client, "taha hussein", lang=lang)
    assert {one["properties"]["name_fr"] for one in features} == {"Lycée Taha Hussein"}
    assert {one["properties"]["district"] for one in features} == districts
    page = client.get("/search", params={"q": "taha hussein", "f": "html", "lang": lang}).text
    assert all(name in page for name in districts)


def test_names_with_both_beginnings_go_before_places_of_a_category_or_district(client, everything):
    wrong, tried = [], 0
    for feature in everything("facilities")[::3]:
        typed = [word for word in fold(feature["properties"]["name_fr"]).split() if word.isalpha()]
        if len(typed) < 2 or len(typed[0]) < 4 or len(typed[-1]) < 5:
            continue
        tried += 1
        begun = (typed[0], typed[-1][:4])
        first = found(client, " ".join(begun), limit=10)[0]["properties"]
        names = re.findall(r"\w+", fold(" ".join((first["matched"], first["name_fr"]))))
        wrong += [] if all(any(word.startswith(one) for word in names) for one in begun) else [(begun, names)]
    assert tried > 50
    assert not wrong


def test_frequent_words_are_found_in_the_order_of_rank(workshop, serve):
    """Where thousands of names have the word, those of rank come first, and the nearest."""
    lines = [f"k{n},Kiosque {n},كشك {n},{-7.9 + n / 10000:.4f},33.5" for n in range(6000)]
    workshop.ingest(workshop.csv(*lines, "k,Kiosque,كشك,-7.1,33.9"))
    address = serve(workshop.url)

    def ask(**given):
        body = httpx.get(f"{address}/search", params={"q": "kiosque", **given}, timeout=30).json()
        return [one["id"] for one in body["features"]]

    assert ask()[0] == "k"
    near = ask(lon=-7.5, lat=33.5, limit=5)
    assert near == ["k", "k4000", *near[2:]]
    assert set(near[2:]) <= {"k3999", "k4001", "k3998", "k4002"}
    (first,) = ask(q="kiosque 4711", limit=1)
    assert first == "k4711"
    # What is stored last is not found last.
    workshop.ingest(workshop.csv(*lines, "k,Kiosque,كشك,-7.1,33.9", "late,Kiosque,كشك,-7.2,33.9"))
    assert set(ask()[:2]) == {"k", "late"}


@pytest.mark.parametrize("word", ["quartier ", "hay ", "حي ", "الحي "])
def test_a_word_for_quarter_beside_leaves_every_district_first(client, everything, word):
    arabic = word.strip() in {"حي", "الحي"}
    with (DATA / "aliases.csv").open(encoding="utf-8", newline="") as lines:
        names = {(row["alias"], row["target"]) for row in csv.DictReader(lines) if row["kind"] == "district"}
    for feature in everything("districts"):
        names |= {(feature["properties"][name], feature["id"]) for name in ("name_fr", "name_ar")}
    # Where it is a part of the name, other things have it too.
    own = re.compile(r"\b(hay|quartier|derb|cit)|حي", re.IGNORECASE)
    asked = [(name, key) for name, key in names if is_arabic(name) == arabic and not own.search(fold(name))]
    wrong = [name for name, key in asked if keys(found(client, word + name, limit=1)) != [f"district/{key}"]]
    assert len(asked) > 40
    assert not wrong


def test_a_word_for_quarter_that_a_name_has_is_a_part_of_it(client):
    assert keys(found(client, "hay hassani"))[0] == "district/06.141.01.31"
    assert keys(found(client, "hay el wahda"))[0] == "station/tram-hay-el-wahda"
    assert found(client, "hay xyzzy") == []


@pytest.mark.parametrize(
    "q",
    [
        "pharmacie sbata", "صيدلية سباتة", "centre de santé Sbata", "gare sbata", "faculte sbata", "سوق عين السبع",
        "مصحة عين السبع", "مسرح عين السبع", "cinema maarif", "سينما المعاريف", "centre de sante al fida", "مركز صحي الفداء",
        "faculte hay mohammadi", "كلية الحي المحمدي", "محطة القطار أنفا",
    ],
)  # fmt: skip
def test_a_district_that_was_typed_exactly_is_not_taken_for_another_one(client, q):
    """What is in another district, or only has a name that looks like this one, is not what was asked for."""
    districts = {"sbata": "Sbata", "سبا": "Sbata", "السبع": "Aïn Sebaâ", "maarif": "Maârif", "المعاريف": "Maârif", "fida": "Al Fida",
                 "الفدا": "Al Fida", "mohammadi": "Hay Mohammadi", "المحمدي": "Hay Mohammadi", "أنفا": "Anfa"}  # fmt: skip
    (meant,) = {name for part, name in districts.items() if part in q.lower()}
    wrong = [one["properties"] for one in found(client, q, lang="fr") if one["properties"]["district"] != meant]
    assert not [(one["name_fr"], one["district"]) for one in wrong if fold(meant) not in fold(one["name_fr"])]


@pytest.mark.parametrize(
    ("q", "key"),
    [
        ("marche ain chok", "facility/marche-ain-chock"),
        ("bibliotheque hay hasani", "facility/bibliotheque-hay-hassani"),
        ("cinema rif", "facility/cinema-rif"),
        ("سينما الريف", "facility/cinema-rif"),
        ("مركز صحي بوسيت", "facility/centre-de-sante-beau-site"),
    ],
)
def test_the_name_of_a_place_is_met_beside_a_district_and_its_other_spellings(client, q, key):
    assert keys(found(client, q))[0] == key


def test_a_district_with_a_typo_is_the_nearest_one(client):
    got = found(client, "بريد المعارف", lang="fr")
    assert keys(got)[0] == "facility/la-poste-oasis"
    assert {one["properties"]["district"] for one in got} == {"Maârif"}


@pytest.mark.parametrize("word", ["boulevard", "bd", "avenue", "av", "rue", "شارع"])
def test_what_is_named_like_a_street_is_found_by_it(client, word):
    name = "أنوال" if is_arabic(word) else "anoual"
    assert keys(found(client, f"{word} {name}"))[0] == "station/tram-anoual"
    assert found(client, f"{word} xyzzy") == []


@pytest.mark.parametrize(
    ("q", "key"),
    [
        ("pharmacie ouverte", "category/pharmacy"),
        ("صيدلية مفتوحة", "category/pharmacy"),
        ("pharmacie de nuit", "category/pharmacy"),
        ("pharmacie de garde", "category/pharmacy"),
        ("pharmacie la plus proche", "category/pharmacy"),
        ("pharmacy near me", "category/pharmacy"),
        ("اقرب صيدلية", "category/pharmacy"),
        ("أقرب مستشفى", "category/hospital"),
        ("hopital de proximite", "facility/hopital-de-proximite-de-sidi-moumen"),
    ],
)
def test_words_that_no_place_is_called_by_leave_what_was_asked_for(client, q, key):
    assert keys(found(client, q))[0] == key


def test_an_open_place_of_a_category_in_a_district_is_one_of_these(client):
    assert keys(found(client, "pharmacie ouverte maarif")) == keys(found(client, "pharmacie maarif"))
    assert found(client, "xyzzy ouvert") == found(client, "ouvert") == []


@pytest.mark.parametrize(
    ("q", "key"),
    [
        ("mairie sidi moumen", "district/06.141.01.53"),
        ("commune de sidi moumen", "district/06.141.01.53"),
        ("annexe sidi momen", "district/06.141.01.53"),
        ("ملحقة سيدي مومن", "district/06.141.01.53"),
        ("جماعة سباتة", "district/06.141.01.63"),
        # Where there are some, they are meant.
        ("mairie anfa", "facility/arrondissement-d-anfa"),
    ],
)
def test_a_district_is_found_where_nothing_that_governs_it_is_known(client, q, key):
    assert keys(found(client, q))[0] == key


def test_a_district_governed_from_elsewhere_is_no_answer_for_other_layers(client):
    assert found(client, "mairie sidi moumen", layers="facilities") == []
    assert found(client, "mairie xyzzy") == found(client, "mairie paris") == []


@pytest.mark.parametrize(
    ("q", "key"),
    [
        # A digit that is a letter of its own tells it from what has the other consonants only.
        ("qri3a", "facility/souk-el-korea"),
        ("kri3a", "facility/souk-el-korea"),
        ("9ri3a", "facility/souk-el-korea"),
        ("hopital enfants ajial", "facility/hopital-pediatrique-ajial"),
    ],
)
def test_the_nearest_sound_and_the_same_meaning_go_first(client, q, key):
    assert keys(found(client, q))[0] == key


def test_another_spelling_of_a_category_is_that_category(client):
    got = found(client, "farmacie maarif", lang="fr")
    assert (got[0]["properties"]["category"], got[0]["properties"]["district"]) == ("Pharmacie", "Maârif")
    assert keys(found(client, "مرش السلطان"))[0] == "district/06.141.01.13"

"""The search: what it finds of the recall set, in which order, and what it says to nonsense."""

import random
import re
from collections import Counter
from urllib.parse import quote

import geopandas as gpd
import httpx
import hypothesis
import psycopg
import pytest
import shapely
from hypothesis import strategies as st

from layers.search.normal import fold
from layers.shipped import load_shipped, refresh_search
from tests.conftest import DATA, quiet
from tests.many import examples
from tests.recall import FOLDER, SHOWN, evaluate, keys, read_set


def found(client, q, **more):
    answer = client.get("/search", params={"q": q, **more})
    assert answer.status_code == 200, answer.text
    return answer.json()["features"]


@pytest.mark.parametrize(
    ("file", "least", "cases"),
    [("recall.csv", 200, 15), ("recall_second.csv", 120, 18), ("recall_third.csv", 60, 15)],
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


def _lost_on_the_way(client, name, right):
    """Return the beginnings of a name that find nothing, although a shorter one has found what is right."""
    lost, met = [], False
    for length in range(1, len(name) + 1):
        got = {one["id"] for one in found(client, name[:length], limit=SHOWN)}
        lost += [name[:length]] if met and not got else []
        met = met or bool(got & right)
    return lost if met else [name]


#: Names with an article, a number or a short form that was nothing while it was typed.
AWKWARD = [
    "Administration des douanes et impôts indirects", "Collège Fatima El Fihria", "Parc Sidi El Khadir",
    "Centre hospitalier préfectoral de Ben M'Sick", "Gendarmerie royale – Deux Mars", "Lycée Moulay Idriss Ier",
    "Tribunal de première instance d'Aïn Sebaâ", "Université Mohammed VI des sciences de la santé",
    "Remplacement d'un poste de transformation près de la station Mohamed Erradi",
    "Casablanca American School", "الثانوية التأهيلية مولاي إدريس الأول", "المعهد المتخصص في مهن الجلد",
]  # fmt: skip


def test_what_is_found_does_not_vanish_while_its_name_is_typed(client, everything):
    """A name's last word may be the beginning of an article, of a number or of a short form."""
    names: dict[str, set[str]] = {}
    for layer in ("districts", "transport-stops", "transport-lines", "facilities", "worksites", "directory"):
        for feature in everything(layer):
            for name in (feature["properties"]["name_fr"], feature["properties"]["name_ar"]):
                names.setdefault(name, set()).add(feature["id"])
    drawn = random.Random(2026).sample(sorted(names), min(len(names), examples(120)))
    lost = [beginning for name in {*drawn, *AWKWARD} for beginning in _lost_on_the_way(client, name, names[name])]
    assert not lost


@pytest.mark.parametrize(("name", "least"), [("name_fr", 0.90), ("name_ar", 0.88)])
def test_a_name_of_which_a_letter_is_missing_is_found_first(client, everything, name, least):
    names: dict[str, set[str]] = {}
    for layer in ("districts", "transport-stops", "facilities"):
        for feature in everything(layer):
            names.setdefault(feature["properties"][name], set()).add(feature["id"])
    drawn = random.Random(2026)
    met = []
    for text in drawn.sample(sorted(names), min(len(names), examples(200))):
        at = drawn.choice([at for at, letter in enumerate(text) if letter.isalpha()])
        first = found(client, text[:at] + text[at + 1 :], limit=1)
        met.append(bool(first) and first[0]["id"] in names[text])
    assert sum(met) / len(met) >= least


@pytest.mark.parametrize(
    ("q", "key"),
    [
        ("مسحد", "category/place_of_worship"),
        ("لقدس", "station/busway-al-qods"),
        ("مستشفى يدي عثمان", "facility/hopital-sidi-othmane"),
        ("مدرسة السجد الابتدائية", "facility/ecole-primaire-al-masjid"),
        ("ycee taha hussein", "facility/lycee-taha-hussein-al-fida"),
        ("consulat ds pays-bas", "facility/consulat-des-pays-bas"),
        ("كلية الطب والصيدلة بالدر البيضاء", "facility/faculte-de-medecine-et-de-pharmacie"),
        ("mosquee hassan deu", "facility/mosquee-hassan-ii"),
        ("mosquee hassan deuxiem", "facility/mosquee-hassan-ii"),
        ("مسجد الحسن الثا", "facility/mosquee-hassan-ii"),
        ("avenue hassan deuxiem", "station/tram-avenue-hassan-ii"),
        ("tribunal de prmiere instance", "facility/tribunal-de-premiere-instance-d-ain-sebaa"),
        ("premire instance", "facility/tribunal-de-premiere-instance-d-ain-sebaa"),
        ("libra", "category/library"),
        ("american consulate", "facility/consulat-general-des-etats-unis"),
        ("french consulate", "facility/consulat-general-de-france"),
        ("pharmacie de garde", "category/pharmacy"),
        ("صيدلية الحراسة", "category/pharmacy"),
        ("ben sick", "district/06.141.01.61"),
        ("hospitl", "category/hospital"),
    ],
)
def test_words_are_begun_and_misspelt_in_each_of_their_spellings(client, q, key):
    assert keys(found(client, q, limit=SHOWN))[0] == key


def test_short_spellings_are_no_other_ones(client):
    """Ten is a letter from six."""
    matched = {one["properties"]["matched"] for one in found(client, "six", limit=50)}
    assert matched
    assert not [name for name in matched if "10" in name]


@pytest.mark.parametrize(
    ("q", "key"),
    [
        ("fi", "district/06.141.01.11"),
        ("al fi", "district/06.141.01.11"),
        ("el fi", "district/06.141.01.11"),
        ("tha", "station/busway-moulay-thami"),
        ("tal", "facility/jardin-chaibia-talal"),
        ("kh", "station/busway-omar-el-khayyam"),
        ("on", "entry/oncf"),
        ("deu", "line/BW2"),
    ],
)
def test_a_word_of_a_name_is_begun_rather_than_another_spelling(client, q, key):
    assert keys(found(client, q, limit=SHOWN))[0] == key


def test_only_the_last_word_begins_another_spelling(client):
    """That of two, ``thani``, is no first name."""
    taha = {"facility/lycee-taha-hussein-al-fida", "facility/lycee-taha-hussein-sbata"}
    assert set(keys(found(client, "Lycée Tha Hussein", limit=2))) == taha
    # A letter of a short one may be missing.
    assert keys(found(client, "École Sidi Mohamed Be Youssef"))[0] == "facility/ecole-sidi-mohamed-ben-youssef"
    assert keys(found(client, "عقبة ب نافع"))[0] == "station/tram-okba-ibn-nafii"
    assert keys(found(client, "Lycée Othmane bn Affane"))[0] == "facility/lycee-othmane-ibn-affane"


@pytest.mark.parametrize(
    ("q", "key"),
    [
        ("bureau de poste", "category/post_office"),
        ("bureau e poste", "category/post_office"),
        ("salle e sport", "category/sports_centre"),
        ("salle d sport", "category/sports_centre"),
    ],
)
def test_a_name_lacks_nothing_for_a_mistyped_article(client, q, key):
    assert keys(found(client, q, limit=SHOWN))[0] == key


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


def test_a_result_stands_for_one_thing(client):
    for q in ("ain chock", "عين الشق", "casa port", "hassan", "pharmacie", "a", "م"):
        features = found(client, q, limit=50)
        assert max(Counter(keys(features)).values()) == 1
        assert len(features) > 1


def test_what_fits_is_highlighted(client):
    (first, *_) = found(client, "3in cho9")
    assert first["properties"]["matched"] == "3in Cho9"
    assert first["properties"]["highlight"] == [[0, 3], [4, 8]]
    (first, *_) = found(client, "hopital 20 aout")
    assert first["properties"]["name"] == "Hôpital du 20 Août 1953"
    matched = first["properties"]["matched"]
    assert [matched[start:end] for start, end in first["properties"]["highlight"]] == ["Hôpital", "20", "Août"]


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


def test_nothing_of_an_index_is_left_to_be_sorted_in(database_url):
    """Such rests are read whole by every question."""
    with psycopg.connect(database_url) as connection:
        (count,) = connection.execute(
            "SELECT sum(gin_clean_pending_list(c.oid)) FROM pg_class c JOIN pg_am a ON a.oid = c.relam "
            "WHERE c.relnamespace = 'search'::regnamespace AND c.relkind = 'i' AND a.amname = 'gin'"
        ).fetchone()
    assert count == 0


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


def test_articles_that_were_typed_are_highlighted(client):
    def parts(q):
        (first, *_) = found(client, q)
        shown = first["properties"]
        return [shown["matched"][start:end] for start, end in shown["highlight"]]

    assert parts("Clinique Al Amal") == ["Clinique Al Amal"]
    assert parts("clinique al ama") == ["Clinique Al Ama"]
    assert parts("al amal clinique") == ["Clinique", "Al Amal"]
    assert parts("clinique amal") == ["Clinique", "Amal"]


@pytest.mark.parametrize(
    ("q", "parts"),
    [
        ("hay mo", ["Hay", "Mo"]),
        ("hay mohammadi", ["Hay", "Mohammadi"]),
        ("haymoh", ["Hay Moh"]),
        ("l'herm", ["L'Herm"]),
        ("hermi", ["L'Hermi"]),
        ("ain seb", ["Aïn", "Seb"]),
        ("الحي الح", ["الحي", "الح"]),
        ("06.141.01.3", ["06.141.01.3"]),
        ("m sick", ["M'Sick"]),
        ("hopital 20 aout 19", ["Hôpital", "20", "Août", "19"]),
    ],
)
def test_of_a_word_that_is_begun_its_beginning_is_highlighted(client, q, parts):
    (first, *_) = found(client, q)
    shown = first["properties"]
    assert [shown["matched"][start:end] for start, end in shown["highlight"]] == parts


def test_every_arabic_name_is_found_at_its_articles_next_letter(client, everything):
    wrong, tried = [], 0
    for layer in ("districts", "transport-stops", "facilities"):
        for feature in everything(layer)[::4]:
            name = feature["properties"]["name_ar"]
            before, _, last = name.rpartition(" ")
            if before and last.startswith("ال") and len(last) > 3:
                tried += 1
                wrong += [] if found(client, f"{before} {last[:3]}", limit=1) else [name]
    assert tried > 50
    assert not wrong


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


def test_names_are_found_without_their_apostrophes_and_hyphens(client, everything):
    wrong, tried = [], 0
    for layer in ("districts", "transport-stops", "facilities"):
        for feature in everything(layer):
            name = feature["properties"]["name_fr"]
            for other in ("", " "):
                typed = re.sub("['’-]", other, name)
                if typed != name:
                    tried += 1
                    wrong += [] if found(client, typed, limit=1) else [typed]
    assert tried > 100
    assert not wrong


def test_two_words_of_a_question_are_two_of_a_name(client):
    """``h`` begins ``hay``, which is met already."""
    assert keys(found(client, "hay h"))[:2] == ["district/06.141.01.31", "station/tram-hay-hassani"]


def test_a_last_number_may_be_begun_and_a_whole_one_is_no_other(client):
    assert keys(found(client, "6 novembre 19"))[0] == "station/tram-6-novembre-1975"
    assert found(client, "19 novembre 6") == []
    assert found(client, "19 aout") == []


def test_districts_are_as_far_as_their_border(client, everything):
    (area,) = (one for one in everything("districts") if one["id"] == "06.141.01.03")
    shape = shapely.geometry.shape(area["geometry"])
    inside = shape.representative_point()
    (first, *_) = found(client, "maarif", lon=inside.x, lat=inside.y)
    assert (first["properties"]["kind"], first["properties"]["distance"]) == ("district", 0)
    lon, lat = -7.5, 33.6
    (first, *_) = found(client, "maarif", lon=lon, lat=lat)
    truth = (
        gpd.GeoSeries([shape], crs=4326)
        .to_crs(32629)
        .distance(gpd.GeoSeries([shapely.Point(lon, lat)], crs=4326).to_crs(32629))
    )
    assert first["properties"]["distance"] == pytest.approx(truth[0], rel=1e-3)
    for one in found(client, "pharmacie", lon=lon, lat=lat)[1:]:
        assert one["properties"]["distance"] == round(one["properties"]["distance"], 1)


def test_only_in_a_box_and_in_layers(client):
    box = (-7.65, 33.55, -7.6, 33.6)
    features = found(client, "mosquee", bbox=",".join(map(str, box)), limit=50)
    places = [one for one in features if one["properties"]["kind"] != "category"]
    assert places
    assert all(shapely.box(*box).intersects(shapely.Point(one["geometry"]["coordinates"])) for one in places)
    assert len(found(client, "mosquee", limit=50)) > len(features)
    assert set(keys(found(client, "hay hassani", layers="transport-stops"))) == {"station/tram-hay-hassani"}
    assert keys(found(client, "oncf", layers="directory"))[0] == "entry/oncf"
    assert found(client, "oncf", layers="districts") == []


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


def test_a_box_may_lie_over_the_antimeridian(client):
    """From far in the east to the middle of the city: its west, and nothing of its east."""
    east, south, north = -7.62, 33.4, 33.7
    features = found(client, "mosquee", bbox=f"170,{south},{east},{north}", limit=50)
    plain = found(client, "mosquee", bbox=f"-180,{south},{east},{north}", limit=50)
    assert len(features) > 3
    assert keys(features) == keys(plain)
    assert keys(found(client, "mosquee", bbox=f"170,{south},-170,{north}")) == ["category/place_of_worship"]


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
NO_CODES = ["T9", "T12", "BW7", "BW22", "tram 9", "B5", "195", "lycee ibn tofail"]


@pytest.mark.parametrize("q", [*NOTHING, *NOT_HERE, *NO_CODES])
def test_empty_and_hopeless_texts_find_nothing(client, q):
    assert found(client, q) == []


def test_the_nearest_name_of_a_position(client, everything):
    stops = [*everything("transport-stops"), *everything("facilities")]
    frame = gpd.GeoDataFrame(
        {"id": [one["id"] for one in stops]},
        geometry=[shapely.Point(one["geometry"]["coordinates"]) for one in stops],
        crs=4326,
    ).to_crs(32629)
    for lon, lat in ((-7.6176, 33.5935), (-7.66, 33.56), (-7.5, 33.6), (-7.58, 33.57)):
        body = client.get("/search/reverse", params={"lon": lon, "lat": lat}).json()
        distances = frame.distance(gpd.GeoSeries([shapely.Point(lon, lat)], crs=4326).to_crs(32629).iloc[0])
        (nearest,) = body["features"]
        assert nearest["properties"]["distance"] == pytest.approx(distances.min(), rel=1e-3, abs=0.1)
        assert nearest["id"] in set(frame.id[distances <= distances.min() + 0.5])
        assert nearest["properties"]["name"] in body["label"]
        if body["district"]:
            assert body["district"]["name"] in body["label"]


def test_far_from_everything_the_label_says_so(client):
    body = client.get("/search/reverse", params={"lon": 0, "lat": 0, "lang": "fr"}).json()
    assert body["district"] is None
    assert body["label"] == "Hors des arrondissements"
    (nearest,) = body["features"]
    assert nearest["properties"]["distance"] > 3_000_000


@pytest.mark.parametrize(("lang", "label"), [("fr", "À {} km de {}"), ("ar", "على بعد {} كلم من {}")])
def test_a_label_says_how_far_the_nearest_name_is(client, lang, label):
    """In the fields south-east of the city nothing is near."""
    body = client.get("/search/reverse", params={"lon": -7.512, "lat": 33.537, "lang": lang}).json()
    (nearest,) = body["features"]
    distance = nearest["properties"]["distance"]
    assert 2000 < distance < 10_000
    written = f"{round(distance / 1000, 1):g}".replace(".", ",")
    assert body["label"] == label.format(written, nearest["properties"]["name"])
    page = client.get(f"/search/reverse?lon=-7.512&lat=33.537&f=html&lang={lang}").text
    assert nearest["properties"]["name"] in page


@pytest.mark.parametrize(
    ("given", "parameter"), [("", "lat"), ("?lat=33.5", "lon"), ("?lon=-7.5", "lat"), ("?lon=-7.5&lat=", "lat")]
)
def test_a_position_that_is_missing_is_named(client, given, parameter):
    answer = client.get(f"/search/reverse{given}")
    assert (answer.status_code, answer.json()["parameter"]) == (400, parameter)


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


@pytest.mark.parametrize(
    ("q", "more"),
    [
        ("8C5JH9QC+XX", {}), ("8c5jh9qc+xx", {}), ("H9QC+XX", {}), ("H9QC+XX Casablanca", {}),
        ("H9QC+XX, Casablanca, Maroc", {}), ("H9QC+XX الدار البيضاء", {}), ("H9QC+XX Maârif", {}),
        ("H9QC+XX", {"lon": -7.2, "lat": 33.9}), ("5JH9QC+XX", {}),
    ],
)  # fmt: skip
def test_plus_codes_are_positions(client, q, more):
    (one,) = found(client, q, **more)
    assert one["properties"]["kind"] == "coordinates"
    assert one["geometry"]["coordinates"] == pytest.approx([-7.6275625, 33.5899375], abs=1e-6)


def test_a_short_plus_code_of_another_town_is_none(client):
    assert found(client, "H9QC+XX Ouagadougou") == []


def test_metres_are_positions(client):
    for q in ("29N 628982 3717563", "X=294794 Y=334615", "X 294794 Y 334615"):
        (one,) = found(client, q)
        assert one["properties"]["kind"] == "coordinates"
        assert one["geometry"]["coordinates"] == pytest.approx([-7.61, 33.59], abs=1e-4)

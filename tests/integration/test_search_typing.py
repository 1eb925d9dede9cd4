"""What is found while a name is typed, with letters missing or wrong, in each of its spellings."""

import random
import re

import pytest

from tests.integration.searching import found
from tests.many import examples
from tests.recall import SHOWN, keys


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
        ("bureau ed poste", "category/post_office"),
        ("hopital ud 20 aout", "facility/hopital-du-20-aout-1953"),
        ("املعاريف", "district/06.141.01.03"),
        ("لامعاريف", "district/06.141.01.03"),
    ],
)
def test_a_name_lacks_nothing_for_a_mistyped_article(client, q, key):
    assert keys(found(client, q, limit=SHOWN))[0] == key


@pytest.mark.parametrize(
    ("q", "key"),
    [
        # A wrong letter in a short word beside right ones.
        ("مدرصة ابن باديس", "facility/ecole-ibn-badis"),
        ("ساحة السرافنة", "station/tram-place-sraghna"),
        ("القصر المبكي", "facility/palais-royal-de-casablanca"),
        # One too many, or a wrong one, in the article.
        ("االقدس", "station/busway-al-qods"),
        ("االمعاريف", "district/06.141.01.03"),
        ("سوق اضعنق", "facility/marche-el-hank"),
        ("مسجد احلسن الثاني", "facility/mosquee-hassan-ii"),
        ("بريد المغرب الدار ابيضاء المحطة", "facility/la-poste-casablanca-gare"),
        ("سيدي مومم", "district/06.141.01.53"),
    ],
)
def test_an_arabic_letter_may_be_wrong(client, q, key):
    assert key in keys(found(client, q, limit=SHOWN))


@pytest.mark.parametrize(
    ("q", "key"),
    [
        ("derb chofa", "station/tram-derb-chorfa"),
        ("la pote ain diab", "facility/la-poste-ain-diab"),
        ("الدار البيضاء المياء", "station/tram-casa-port"),
    ],
)
def test_a_typo_is_not_hidden_by_what_sounds_alike(client, q, key):
    assert keys(found(client, q))[0] == key


@pytest.mark.parametrize(
    ("q", "key"),
    [
        ("consulat usa", "facility/consulat-general-des-etats-unis"),
        ("us consulate", "facility/consulat-general-des-etats-unis"),
        ("قنصلية امريكا", "facility/consulat-general-des-etats-unis"),
        ("consulat espagnol", "facility/consulat-d-espagne"),
        ("ibnou sina", "facility/college-ibn-sina"),
        ("jardins publics", "facility/jardin-abdelmoumen"),
    ],
)
def test_words_that_stand_for_others(client, q, key):
    assert key in keys(found(client, q, limit=SHOWN))


@pytest.mark.parametrize(
    ("q", "key"), [("bus way 2", "line/BW2"), ("tram way t1", "line/T1"), ("باص واي 1", "line/BW1")]
)
def test_words_that_are_one_may_be_written_apart(client, q, key):
    first, *_ = found(client, q)
    assert keys([first]) == [key]
    assert first["properties"]["highlight"]


def test_what_fits_is_highlighted(client):
    (first, *_) = found(client, "3in cho9")
    assert first["properties"]["matched"] == "3in Cho9"
    assert first["properties"]["highlight"] == [[0, 3], [4, 8]]
    (first, *_) = found(client, "hopital 20 aout")
    assert first["properties"]["name"] == "Hôpital du 20 Août 1953"
    matched = first["properties"]["matched"]
    assert [matched[start:end] for start, end in first["properties"]["highlight"]] == ["Hôpital", "20", "Août"]


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

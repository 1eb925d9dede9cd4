"""ACCENTI takes diacritics away and leaves all else; the lists' words go on finding what they found."""

import unicodedata

import httpx
import psycopg
import pytest
from alembic import command

from layers.database import admin_engine
from layers.migrate import _config, upgrade

STROKES = str.maketrans("øØłŁđĐħĦŧŦ", "oOlLdDhHtT", "ـ")


def bare(text):
    letters = unicodedata.normalize("NFD", text)
    kept = "".join(letter for letter in letters if unicodedata.category(letter) != "Mn")
    return unicodedata.normalize("NFC", kept).translate(STROKES)


def test_every_character_of_the_first_plane_is_as_unicode_has_it(database_url):
    letters = [chr(code) for code in range(1, 0x10000) if unicodedata.category(chr(code)) not in ("Cn", "Co", "Cs")]
    with psycopg.connect(database_url) as connection:
        asked = "SELECT letter, catalogue.accenti(letter) FROM unnest(%s::text[]) letter"
        found = dict(connection.execute(asked, (letters,)).fetchall())
    assert len(found) == len(letters) > 50_000
    assert {letter: text for letter, text in found.items() if text != bare(letter)} == {}


LABELS = [
    "Café – centre", "« Nº 5 » © … ½ ’", "cœur, Lætitia", "Straße", "Łódź", "Đà Nẵng", "a\u2216", "b\uff3c", "c\\",
    "مَدْرَسَة", "한글", "Ħal Għaxaq", "ŧest",
]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("ACCENTI(label) LIKE '%–%'", ["Café – centre"]),
        ("ACCENTI(label) LIKE '%½ ’'", ["« Nº 5 » © … ½ ’"]),
        ("ACCENTI(label) = ACCENTI('Cafe – centre')", ["Café – centre"]),
        ("ACCENTI(label) = 'Cafe - centre'", []),
        ("ACCENTI(label) LIKE '%œ%æ%'", ["cœur, Lætitia"]),
        ("ACCENTI(label) LIKE '%coeur%'", []),
        ("ACCENTI(label) = 'Straße'", ["Straße"]),
        ("ACCENTI(label) = 'Lodz'", ["Łódź"]),
        ("ACCENTI(label) LIKE 'Da Nang'", ["Đà Nẵng"]),
        ("ACCENTI(label) IN ('Hal Ghaxaq', 'test')", ["Ħal Għaxaq", "ŧest"]),
        ("ACCENTI(label) LIKE ACCENTI('a\u2216')", ["a\u2216"]),
        ("ACCENTI(label) LIKE ACCENTI('%\uff3c')", ["b\uff3c"]),
        ("ACCENTI(label) LIKE ACCENTI('%\\\\')", ["c\\"]),
        ("ACCENTI(label) = 'مدرسة'", ["مَدْرَسَة"]),
        ("ACCENTI(label) LIKE '__'", ["a\u2216", "b\uff3c", "c\\", "한글"]),
    ],
)
def test_filters(accents, text, wanted):
    answer = accents.get("/collections/libraries/items", params={"filter": text})
    assert answer.status_code == 200, answer.text
    assert sorted(item["properties"]["label"] for item in answer.json()["features"]) == sorted(wanted)


def test_a_backslash_before_nothing_but_accents_is_refused_by_name(accents):
    for pattern in ("a\\\u0301", "a\\\u0640\u064b"):
        text = f"ACCENTI(label) LIKE CASEI(ACCENTI('{pattern}'))"
        answer = accents.get("/collections/libraries/items", params={"filter": text})
        assert answer.status_code == 400
        assert answer.json()["type"].endswith(":filter.value")
        text = f"label LIKE '{pattern}'"
        assert accents.get("/collections/libraries/items", params={"filter": text}).status_code == 200


@pytest.fixture
def accents(workshop, serve):
    workshop.add("label")
    features = ({"id": str(number), "label": label} for number, label in enumerate(LABELS))
    workshop.ingest(workshop.geojson(*features))
    with httpx.Client(base_url=serve(workshop.url)) as client:
        yield client


def test_names_stored_before_are_folded_anew_as_they_were(empty_url):
    with psycopg.connect(empty_url, autocommit=True) as connection:
        connection.execute("DROP SCHEMA features, directory, catalogue, search CASCADE")
    with admin_engine(empty_url).begin() as connection:
        connection.exec_driver_sql("CREATE SCHEMA catalogue")
        config = _config()
        config.attributes["connection"] = connection
        command.upgrade(config, "0013")
    names = ["Cœur – Lætitia « Straße »", "Łódź n° 3, Café", "مَدْرَسَةُ ٱلحيّ"]
    asked = "SELECT id, plain FROM directory.entries ORDER BY id"
    with psycopg.connect(empty_url, autocommit=True) as connection:
        for number, name in enumerate(names):
            connection.execute(
                "INSERT INTO directory.entries (id, name_fr, name_ar, category, source) VALUES (%s, %s, %s, 'other', '')",
                (str(number), name, "اسم"),
            )
        before = connection.execute(asked).fetchall()
        assert before[0][1].startswith("coeur - laetitia << strasse >>")
        upgrade(empty_url)
        assert connection.execute(asked).fetchall() == before
        [(index,)] = connection.execute("SELECT to_regclass('directory.entries_plain_idx') IS NOT NULL").fetchall()
        assert index

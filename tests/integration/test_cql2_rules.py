"""The rules of CQL2 (OGC 21-065r2) that random filters hardly meet, each with what it gives; they read as its documentation."""

import datetime as dt
import json
import re
import unicodedata

import psycopg
import pytest
import shapely
import sqlalchemy
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely.geometry import LineString
from sqlalchemy.dialects import postgresql

from geo.crs import DEFAULT_CRS
from geo.errors import InvalidInput
from layers.database import Database
from layers.definition import load_definition
from layers.filters.compile import Compiler
from layers.filters.geometry import fit_for
from layers.filters.parse import parse_filter
from layers.filters.resolve import resolve
from tests.conftest import DATA
from tests.many import examples

DAY = dt.date(2026, 1, 9)
MIDNIGHT = dt.datetime(2026, 1, 9, tzinfo=dt.UTC)


def ids(town, text, layer="works", **more):
    answer = town.client.get(
        f"/collections/{layer}/items", params={"filter": text, "limit": 10_000, "skipGeometry": "true", **more}
    )
    assert answer.status_code == 200, (text, answer.text)
    return {feature["id"] for feature in answer.json()["features"]}


def refused(town, text, lang="cql2-text", **more):
    answer = town.client.get("/collections/works/items", params={"filter": text, "filter-lang": lang, **more})
    assert answer.status_code == 400, (text, answer.status_code, answer.text)
    body = answer.json()
    return body["type"].rsplit(":", 1)[1]


def bare(text):
    letters = unicodedata.normalize("NFD", text).replace("ـ", "").replace("ø", "o")
    return "".join(letter for letter in letters if not unicodedata.combining(letter))


#: What a filter says -> the same of a feature's properties; null is None, which no comparison holds for.
RULES = {
    # Nulls: a comparison with one is neither true nor false, and NOT of it no more (6.2, table 1).
    "amount > 0": lambda p: p["amount"] is not None and p["amount"] > 0,
    "NOT amount > 0": lambda p: p["amount"] is not None and p["amount"] <= 0,
    "NOT (NOT (amount > 0))": lambda p: p["amount"] is not None and p["amount"] > 0,
    "amount > 0 OR TRUE": lambda p: True,
    "amount > 0 AND FALSE": lambda p: False,
    "(amount > 0) IS NULL": lambda p: p["amount"] is None,
    "(amount > 0 OR amount <= 0) IS NULL": lambda p: p["amount"] is None,
    "amount = amount": lambda p: p["amount"] is not None,
    "amount <> amount": lambda p: False,
    "amount + 1 IS NULL": lambda p: p["amount"] is None,
    "casei(label) IS NULL": lambda p: p["label"] is None,
    # Booleans: alone, compared, in a list.
    "open": lambda p: p["open"] is True,
    "NOT open": lambda p: p["open"] is False,
    "(NOT open) IS NULL": lambda p: p["open"] is None,
    "open = TRUE": lambda p: p["open"] is True,
    "open <> true": lambda p: p["open"] is False,
    "open IN (true)": lambda p: p["open"] is True,
    "open = (amount > 0)": lambda p: None not in (p["open"], p["amount"]) and p["open"] == (p["amount"] > 0),
    # IN with one member, NOT IN, members that are expressions; a null is in no list and outside of none.
    "kind IN ('a')": lambda p: p["kind"] == "a",
    "kind NOT IN ('a')": lambda p: p["kind"] not in ("a", None),
    "NOT kind IN ('a', 'b')": lambda p: p["kind"] == "c",
    "amount IN (1 + 1, 3, 2 * 2)": lambda p: p["amount"] in (2, 3, 4),
    "CASEI(kind) IN (kind, 'x', CASEI('B'))": lambda p: p["kind"] is not None,
    "CASEI(kind) NOT IN (CASEI('A'), label)": lambda p: None not in (p["kind"], p["label"]) and p["kind"] not in ("a", p["label"]),
    "amount + 0 IN (score, 1, amount)": lambda p: p["amount"] is not None,
    "NOT amount + 0 IN (score, 1)": lambda p: None not in (p["amount"], p["score"]) and p["amount"] not in (1, p["score"]),
    "(amount > 0) IN (open, FALSE)": lambda p: p["amount"] is not None and (p["amount"] <= 0 or p["open"] is True),
    "kind IN (kind)": lambda p: p["kind"] is not None,
    # BETWEEN has its ends, and none when they are the wrong way round.
    "amount BETWEEN -5 AND 5": lambda p: p["amount"] is not None and -5 <= p["amount"] <= 5,
    "amount NOT BETWEEN -5 AND 5": lambda p: p["amount"] is not None and not -5 <= p["amount"] <= 5,
    "amount BETWEEN 5 AND -5": lambda p: False,
    "0 BETWEEN amount AND score": lambda p: None not in (p["amount"], p["score"]) and p["amount"] <= 0 <= p["score"],
    # LIKE: any characters, one character, and the backslash before what stands for itself (/req/…/like-predicate).
    "label LIKE '%'": lambda p: p["label"] is not None,
    "label LIKE ''": lambda p: p["label"] == "",
    "label LIKE '_'": lambda p: p["label"] is not None and len(p["label"]) == 1,
    "label LIKE '100%'": lambda p: p["label"] in ("100", "100%"),
    "label LIKE '100\\%'": lambda p: p["label"] == "100%",
    "label LIKE 'a_b'": lambda p: p["label"] in ("a_b", "aXb", "a%b", "a\\b", "a,b", "(a)b"),
    "label LIKE 'a\\_b'": lambda p: p["label"] == "a_b",
    "label LIKE 'a\\\\b'": lambda p: p["label"] == "a\\b",
    "label NOT LIKE 'a%'": lambda p: p["label"] is not None and not p["label"].startswith("a"),
    "label LIKE '%''%'": lambda p: p["label"] is not None and "'" in p["label"],
    "label LIKE 'AB'": lambda p: False,
    # Texts: a quote is written twice or behind a backslash, which also writes control characters (/req/cql2-text/escaping).
    "label = 'l''Hermitage'": lambda p: p["label"] == "l'Hermitage",
    r"label = 'l\'Hermitage'": lambda p: p["label"] == "l'Hermitage",
    r"label = 'tab\there'": lambda p: p["label"] == "tab\there",
    r"label = 'a\\b'": lambda p: p["label"] == "a\\b",
    "label = ''": lambda p: p["label"] == "",
    "label = ' '": lambda p: p["label"] == " ",
    "label = 'مدرسة'": lambda p: p["label"] == "مدرسة",
    "label < 'a'": lambda p: p["label"] is not None and p["label"] < "a",
    # CASEI folds case fully, as Unicode has it; ACCENTI takes what is above and below letters away.
    "CASEI(label) = CASEI('AÏN chock')": lambda p: p["label"] in ("Aïn Chock", "AÏN CHOCK"),
    "CASEI(label) = CASEI('STRASSE')": lambda p: p["label"] in ("Straße", "STRASSE", "strasse"),
    "CASEI(label) = CASEI('STRAẞE')": lambda p: p["label"] in ("Straße", "STRASSE", "strasse"),
    "CASEI(label) = CASEI('οδοσ')": lambda p: p["label"] in ("Οδος", "ΟΔΟΣ"),
    "ACCENTI(label) = ACCENTI('ete')": lambda p: p["label"] is not None and bare(p["label"]) == "ete",
    "ACCENTI(label) = ACCENTI('مدرسة')": lambda p: p["label"] in ("مدرسة", "مَدْرَسَة", "مـدرسة"),
    "ACCENTI(label) = ACCENTI('Kobenhavn')": lambda p: p["label"] == "København",
    "ACCENTI(CASEI(label)) = ACCENTI(CASEI('AIN CHOCK'))": lambda p: p["label"] is not None
    and bare(p["label"].casefold()) == "ain chock",
    "CASEI(ACCENTI(label)) LIKE CASEI(ACCENTI('ÉT_'))": lambda p: p["label"] is not None
    and len(bare(p["label"])) == 3 and bare(p["label"]).casefold().startswith("et"),
    "CASEI(label) IN (CASEI('AB'), CASEI('axb'))": lambda p: p["label"] in ("ab", "aXb"),
    "CASEI(label) NOT LIKE CASEI('A%')": lambda p: p["label"] is not None and not p["label"].casefold().startswith("a"),
    # Numbers in all their forms; -0 is 0.
    "amount = 1e1": lambda p: p["amount"] == 10,
    "amount = 1E+1": lambda p: p["amount"] == 10,
    "amount = -0": lambda p: p["amount"] == 0,
    "amount = +7": lambda p: p["amount"] == 7,
    "amount = 7.": lambda p: p["amount"] == 7,
    "amount = 7.0": lambda p: p["amount"] == 7,
    "score > .5": lambda p: p["score"] is not None and p["score"] > 0.5,
    "score < -.5e-1": lambda p: p["score"] is not None and p["score"] < -0.05,
    "amount < 1e300": lambda p: p["amount"] is not None,
    # Arithmetic: from the left, powers before products before sums; what has no result is null.
    "amount - 1 - 1 = 0": lambda p: p["amount"] == 2,
    "amount - (1 - 1) = 2": lambda p: p["amount"] == 2,
    "2 + amount * 2 ^ 2 = 14": lambda p: p["amount"] == 3,
    "-amount = 3": lambda p: p["amount"] == -3,
    "amount / 2 = 1.5": lambda p: p["amount"] == 3,
    "amount div 2 = 1": lambda p: p["amount"] in (2, 3),
    "amount div 2 = -1": lambda p: p["amount"] in (-2, -3),
    "amount % 2 = -1": lambda p: p["amount"] is not None and p["amount"] < 0 and p["amount"] % 2 == 1,
    "(amount / 0) IS NULL": lambda p: True,
    "amount % 0 = 0": lambda p: False,
    "amount ^ 0.5 > 2": lambda p: p["amount"] is not None and p["amount"] > 4,
    "0 ^ amount = 1": lambda p: p["amount"] == 0,
    # In a row, a result that is beyond double precision is null as well, and one that is too small is 0.
    "amount * 1e308 * 1e308 > 1": lambda p: False,
    "(amount * 1e308 * 1e308) IS NULL": lambda p: p["amount"] != 0,
    "NOT amount * 1e308 > 1": lambda p: p["amount"] in (-1, 0),
    "2147483647 * 2147483647 * amount > 0": lambda p: p["amount"] is not None and p["amount"] > 0,
    "amount ^ 1000 > 1": lambda p: p["amount"] in (2, -2),
    "(1 / amount) IS NULL": lambda p: p["amount"] in (None, 0),
    "amount ^ -1000 = 0": lambda p: p["amount"] is not None and abs(p["amount"]) > 2,
    "amount * 1e-200 * 1e-200 = 0": lambda p: p["amount"] is not None,
    "(amount % 1e-320) IS NULL": lambda p: p["amount"] is None,
    "1e308 + amount * 1e307 > 0": lambda p: p["amount"] is not None and -10 < p["amount"] < 8,
    # What is made of constants alone is calculated once.
    "amount = 10 / 4 * 2": lambda p: p["amount"] == 5,
    "amount IN (7 div 2, -7 % 4, 2 ^ 3 ^ 1)": lambda p: p["amount"] in (3, -3, 8),
    "amount BETWEEN 1 - 2 AND 2 - 1": lambda p: p["amount"] in (-1, 0, 1),
    # A date is its midnight, UTC, where it meets a timestamp; a text is read as what it meets.
    "day = DATE('2026-01-09')": lambda p: p["day"] == DAY,
    "day = '2026-01-09'": lambda p: p["day"] == DAY,
    "day = TIMESTAMP('2026-01-09T00:00:00Z')": lambda p: p["day"] == DAY,
    "day = TIMESTAMP('2026-01-09T00:00:01Z')": lambda p: False,
    "begin = DATE('2026-01-09')": lambda p: p["begin"] == MIDNIGHT,
    "begin = TIMESTAMP('2026-01-09T01:00:00+01:00')": lambda p: p["begin"] == MIDNIGHT,
    "begin >= DATE('2026-01-09')": lambda p: p["begin"] is not None and p["begin"] >= MIDNIGHT,
    "DATE('2026-01-09') > day": lambda p: p["day"] is not None and p["day"] < DAY,
    "day NOT IN (DATE('2026-01-09'), TIMESTAMP('2026-01-10T00:00:00Z'))": lambda p: p["day"] not in (
        None, DAY, DAY + dt.timedelta(days=1)),
    # Intervals have their ends (7.7); one whose ends are equal is an instant; an open end is never met.
    "T_EQUALS(day, INTERVAL('2026-01-09', '2026-01-09'))": lambda p: p["day"] == DAY,
    "T_INTERSECTS(day, INTERVAL('2026-01-09', '2026-01-10'))": lambda p: p["day"] in (DAY, DAY + dt.timedelta(days=1)),
    "T_AFTER(day, INTERVAL('..', '2026-01-09'))": lambda p: p["day"] is not None and p["day"] > DAY,
    "T_AFTER(day, INTERVAL('2026-01-09', '..'))": lambda p: False,
    "T_INTERSECTS(day, INTERVAL('..', '..'))": lambda p: p["day"] is not None,
    "T_MEETS(INTERVAL(begin, finish), INTERVAL('2026-01-09', '..'))": lambda p: p["finish"] == MIDNIGHT,
    "T_STARTEDBY(INTERVAL(begin, finish), INTERVAL('2026-01-09', '2026-01-09'))": lambda p: None not in (
        p["begin"], p["finish"]) and p["begin"] == MIDNIGHT < p["finish"],
    "T_DURING(INTERVAL(begin, finish), INTERVAL('..', '..'))": lambda p: None not in (p["begin"], p["finish"]),
    # Arrays are sets (7.8): neither order nor repetition counts.
    "A_EQUALS(tags, ('y', 'x', 'y'))": lambda p: p["tags"] is not None and set(p["tags"]) == {"x", "y"},
    "A_CONTAINS(tags, ('x'))": lambda p: p["tags"] is not None and "x" in p["tags"],
    "A_CONTAINS(tags, ())": lambda p: p["tags"] is not None,
    "A_CONTAINEDBY(tags, ('x', 'y'))": lambda p: p["tags"] is not None and set(p["tags"]) <= {"x", "y"},
    "A_OVERLAPS(tags, ('z', 'q'))": lambda p: p["tags"] is not None and "z" in p["tags"],
    "NOT A_OVERLAPS(tags, ('z'))": lambda p: p["tags"] is not None and "z" not in p["tags"],
    "A_CONTAINS(('a', 'b'), (kind))": lambda p: p["kind"] in ("a", "b"),
    "A_EQUALS((1, amount), (amount, 1))": lambda p: p["amount"] is not None,
    # A null may be any element: whether it is among others is unknown, unless the others decide.
    "NOT A_CONTAINS(('a', 'b'), (kind))": lambda p: p["kind"] == "c",
    "(A_CONTAINS(('a', 'b'), (kind))) IS NULL": lambda p: p["kind"] is None,
    "NOT A_CONTAINS((1, 2, 3), (amount))": lambda p: p["amount"] not in (None, 1, 2, 3),
    "NOT A_CONTAINS((1, 2), (amount, 4))": lambda p: True,
    "A_CONTAINS((kind, 'a'), ('a'))": lambda p: True,
    "NOT A_CONTAINS((kind), ('a'))": lambda p: p["kind"] in ("b", "c"),
    "NOT A_CONTAINS((), (kind))": lambda p: True,
    "A_CONTAINS((kind), ())": lambda p: True,
    "NOT A_CONTAINEDBY((kind), ('a', 'b'))": lambda p: p["kind"] == "c",
    "NOT A_CONTAINEDBY((kind), (kind))": lambda p: False,
    "NOT A_EQUALS((kind), ('a'))": lambda p: p["kind"] in ("b", "c"),
    "NOT A_EQUALS((kind, 'z'), ('a'))": lambda p: True,
    "(A_EQUALS((kind), (kind))) IS NULL": lambda p: p["kind"] is None,
    "NOT A_OVERLAPS((kind, 'z'), ('a'))": lambda p: p["kind"] in ("b", "c"),
    "A_OVERLAPS((kind, 'a'), ('a'))": lambda p: True,
    "NOT A_OVERLAPS((kind), ())": lambda p: True,
    "(A_OVERLAPS(tags, ())) IS NULL": lambda p: p["tags"] is None,
    "NOT A_CONTAINS((), tags)": lambda p: p["tags"] is not None,
    "NOT A_CONTAINS(tags, (kind))": lambda p: None not in (p["tags"], p["kind"]),
    "(A_CONTAINS(tags, (kind)) AND A_CONTAINS(tags, ('q'))) IS NULL": lambda p: p["tags"] is None,
    # Keywords and names of functions in any case; names of properties as they are, quoted or not.
    "\"amount\" = 3 aNd NoT \"open\"": lambda p: p["amount"] == 3 and p["open"] is False,
    "cAsEi(label) LiKe casei('AB')": lambda p: p["label"] == "ab",
    "kind Is NoT nUlL": lambda p: p["kind"] is not None,
    # NOT binds more than AND, AND more than OR.
    "NOT open AND amount > 0": lambda p: p["open"] is False and p["amount"] is not None and p["amount"] > 0,
    "open OR amount > 0 AND amount < 5": lambda p: p["open"] is True or (p["amount"] is not None and 0 < p["amount"] < 5),
}  # fmt: skip


@pytest.mark.parametrize("text", [text for text, rule in RULES.items() if rule])
def test_a_rule_of_the_standard(town, text):
    expected = {thing.id for thing in town.layers["works"] if RULES[text](thing.properties)}
    assert ids(town, text) == expected


NESTED = {step: f"({'amount ' + f'{step} ' * (40 if step.count(' ') == 1 else 18)}) IS NULL OR TRUE" for step in (
    "^ 1", "% 1000", "* score", "+ score", "- 1e308 + 1e308", "/ 0.5 * 0.5", "div 1",
)} | {
    "in": "(" * 40 + "open" + " IN (open, FALSE))" * 40 + " OR TRUE",
    "between": "(" * 40 + "(amount BETWEEN 1 AND score)" + " = open)" * 40 + " OR TRUE",
    "null": "(" * 40 + "open" + " IS NULL)" * 40 + " OR TRUE",
    "array": "A_EQUALS((" * 20 + "open" + "), (open))" * 20 + " OR TRUE",
}  # fmt: skip


@pytest.mark.parametrize("text", NESTED.values(), ids=NESTED)
def test_operands_within_operands_are_written_once(town, text):
    """Or a filter of forty operators would be SQL of some terabytes."""
    resolved = resolve(parse_filter(text, "cql2-text"), town.definitions["works"], DEFAULT_CRS)
    columns = (sqlalchemy.Column(name) for name in ("amount", "score", "open", "geom", "entry_id"))
    table = sqlalchemy.Table("works", sqlalchemy.MetaData(), *columns)
    condition = Compiler(table, 4326, sqlalchemy.table("districts")).condition(resolved.node)
    assert len(str(condition.compile(dialect=postgresql.dialect()))) < 60_000
    assert len(ids(town, text)) == len(town.layers["works"])


def test_elements_of_the_data_that_are_null(town):
    """Ingest leaves them out; whoever writes the table by SQL may not."""
    with psycopg.connect(town.url, autocommit=True) as connection:
        kept = connection.execute("SELECT tags FROM features.works WHERE id = 'works-0003'").fetchone()[0]
        connection.execute("UPDATE features.works SET tags = ARRAY['x', NULL] WHERE id = 'works-0003'")
        try:
            for text, found in (
                ("A_CONTAINS(tags, ('x'))", True), ("NOT A_CONTAINS(tags, ('x'))", False),
                ("A_CONTAINS(tags, ('q'))", False), ("NOT A_CONTAINS(tags, ('q'))", False),
                ("(A_CONTAINS(tags, ('q'))) IS NULL", True), ("NOT A_CONTAINEDBY(tags, ('y'))", True),
                ("NOT A_CONTAINEDBY(tags, ('x'))", False), ("A_OVERLAPS(tags, ('x'))", True),
                ("NOT A_OVERLAPS(tags, ('q'))", False), ("(A_EQUALS(tags, ('x', 'y'))) IS NULL", True),
            ):  # fmt: skip
                assert ("works-0003" in ids(town, text)) is found, text
        finally:
            connection.execute("UPDATE features.works SET tags = %s WHERE id = 'works-0003'", (kept,))


def test_numbers_of_the_data_where_doubles_end(town):
    """No row ends the query of all others."""
    with psycopg.connect(town.url, autocommit=True) as connection:
        row = "FROM features.works WHERE id = 'works-0003'"
        kept = connection.execute(f"SELECT score {row}").fetchone()[0]
        try:
            for value, nothing in (
                (1.7976931348623157e308, ("score * 2", "score + score", "score ^ 2", "score / 0.5", "0 - score - score", "score div 0.1")),
                (5e-324, ("1 / score", "score ^ -1", "1e300 div score")),
            ):  # fmt: skip
                connection.execute("UPDATE features.works SET score = %s WHERE id = 'works-0003'", (value,))
                for text in nothing:
                    assert "works-0003" in ids(town, f"({text}) IS NULL"), text
            for text in ("score * 0.1", "score ^ 2", "score / 9", "score div 9", "score * score", "score * 1e-300"):
                assert "works-0003" in ids(town, f"{text} = 0"), text
            for text in ("score", "-score", "score + 1", "score - 1", "score * 1e300", "score % 3", "2 % score"):
                assert "works-0003" in ids(town, f"({text}) IS NOT NULL"), text
        finally:
            connection.execute("UPDATE features.works SET score = %s WHERE id = 'works-0003'", (kept,))


REFUSED = {
    "nothing = 1": "filter.property", "AMOUNT = 1": "filter.property",
    "version() = 'x'": "filter.function", "pg_sleep(9)": "filter.function", "lo_import('/etc/passwd') = 1": "filter.function",
    "pg_read_file('/etc/passwd') = 'x'": "filter.function", "current_setting('x') = 'x'": "filter.function",
    "set_config('a', 'b', true) = 'x'": "filter.function", "pg_terminate_backend(1)": "filter.function",
    "dblink('x') = 'x'": "filter.function", "ST_Buffer(geom, 1) IS NULL": "filter.function", "lower(label) = 'x'": "filter.function",
    "query_to_xml('SELECT 1', true, true, '') = 'x'": "filter.function", "array(1) = 1": "filter.function",
    "amount = 'x'": "filter.type", "label = 1": "filter.type", "open = 1": "filter.type", "day = 1": "filter.type",
    "day = 'soon'": "filter.type", "geom = geom": "filter.type", "tags = tags": "filter.type", "amount": "filter.type",
    "label BETWEEN 'a' AND 'b'": "filter.type", "amount IN (1, 'x')": "filter.type", "amount LIKE '1%'": "filter.type",
    "label + 1 = 2": "filter.type", "S_INTERSECTS(geom, label)": "filter.type", "T_AFTER(label, day)": "filter.type",
    "A_CONTAINS(tags, (1))": "filter.type", "A_CONTAINS(tags, ('x', 1))": "filter.type",
    "NOT amount": "filter.type", "amount AND open": "filter.type", "CASEI(amount) = 'x'": "filter.type",
    # Relations of intervals only: with an instant a client's error (7.7, table 8).
    "T_DURING(day, INTERVAL('2026-01-01', '2026-01-09'))": "filter.type", "T_MEETS(begin, finish)": "filter.type",
    "INTERVAL(begin, finish) IS NULL": "filter.type", "T_AFTER(INTERVAL(label, '..'), day)": "filter.type",
    "label LIKE kind": "filter.value", "amount = 1e400": "filter.value", "day = DATE('2026-02-30')": "filter.value",
     "within_district('x')": "filter.value",
    "within_district(label)": "filter.value", "day = DATE('20260109')": "filter.value", "amount = 9007199254740993": "filter.number", "amount = " + "9" * 5000: "filter.number",
    "T_AFTER(day, INTERVAL('2026-01-01', 'x'))": "filter.value",
    "S_INTERSECTS(geom, POLYGON((0 0, 1 1, 1 0, 0 1, 0 0)))": "filter.geometry-crossing", "S_INTERSECTS(geom, POINT(90 180))": "filter.geometry-range",
    "S_INTERSECTS(geom, POLYGON EMPTY)": "filter.geometry-empty", "S_INTERSECTS(geom, GEOMETRYCOLLECTION EMPTY)": "filter.geometry-empty",
    "S_INTERSECTS(geom, POINT EMPTY)": "filter.form", "S_INTERSECTS(geom, BBOX(0, 5, 1, 4))": "filter.geometry-box",
    "S_INTERSECTS(geom, BBOX(0, 5, 1))": "filter.geometry-box", "S_INTERSECTS(geom, LINESTRING(0 0))": "filter.geometry-short",
    "S_INTERSECTS(geom, POLYGON((0 0, 1 1)))": "filter.geometry-short", "S_INTERSECTS(geom, LINESTRING(0 0, 0 0))": "filter.geometry-short",
    "S_INTERSECTS(geom, POLYGON((0 0, 1 0, 1 1, 0 1)))": "filter.geometry-open",
    "S_INTERSECTS(geom, MULTIPOLYGON(((0 0, 1 0, 1 1, 0 0)), ((5 5, 6 5, 6 6, 5 6))))": "filter.geometry-open",
    "S_INTERSECTS(geom, POLYGON((0 0, 1 0, 1 1, 0 0), (5 5, 6 5, 6 6, 5 5)))": "filter.geometry",
    # Constants without a result; moments that are in no year of four digits in UTC.
    "1 / 0 = 1": "filter.arithmetic", "amount > 1 % 0": "filter.arithmetic", "1 div 0 = amount": "filter.arithmetic",
    "1e308 * 10 > 1": "filter.arithmetic", "1e308 % -0.0 = 1": "filter.arithmetic", "amount + 1e308 * 10 > 1": "filter.arithmetic", "0 ^ -1 = 1": "filter.arithmetic",
    "amount IN (1, (0 - 8) ^ 0.5)": "filter.arithmetic", "amount BETWEEN 1 AND 10 ^ 400": "filter.arithmetic",
    "begin < TIMESTAMP('9999-12-31T23:59:59-12:00')": "filter.value", "begin > TIMESTAMP('0001-01-01T00:00:00+12:00')": "filter.value",
    "T_AFTER(begin, INTERVAL('0001-01-01T00:00:00+12:00', '..'))": "filter.value", "day > DATE('0000-12-31')": "filter.value",
    "day > DATE('10000-01-01')": "filter.value", "begin IN (TIMESTAMP('9999-12-31T23:59:59-00:01'))": "filter.value",
    "distance(geom)": "filter.arguments", "area(geom, geom) > 1": "filter.arguments", "": "filter.syntax", "amount =": "filter.syntax",
    "amount = 1; DROP TABLE x": "filter.syntax", "label = 'x": "filter.syntax", "amount == 1": "filter.syntax", "amount IN ()": "filter.syntax",
    "NOT " * 65 + "open": "filter.nested", "(" * 65 + "open" + ")" * 65: "filter.nested",
    "casei(" * 65 + "label" + ")" * 65 + " = 'x'": "filter.nested",
}  # fmt: skip


#: Filters in CQL2-JSON, and what is said of them: the code, the place in the text, and the value.
SAID = [
    ('{"op":"=","args":[{"property":"amount"},\n 1}', "filter.syntax", "2:3", None),
    ('{"op":', "filter.syntax", "1:7", None),
    ('{"op":"=","args":[{"property":"amount"},NaN]}', "filter.syntax", "1:41", None),
    ('{"op":"foo"}', "filter.form", None, None),
    ('{"op":"s_intersects","args":[{"property":"geom"},{"type":"Point","coordinates":["x",2]}]}', "filter.form", None, None),
    ('{"op":">","args":[{"property":"amount"}, {"op":"/","args":[1,0]}]}', "filter.arithmetic", ..., None),
    ('{"op":"=","args":[{"property":"begin"}, {"timestamp":"9999-12-31T23:59:59-12:00"}]}', "filter.value", ..., "9999-12-31T23:59:59-12:00"),
    ('{"op":"s_intersects","args":[{"property":"geom"},{"bbox":["x",0,1,1]}]}', "filter.geometry-number", ..., "x"),
    ('{"op":"s_intersects","args":[{"property":"geom"},{"bbox":[0,5,1,4]}]}', "filter.geometry-box", ..., "[0, 5, 1, 4]"),
    ('{"op":"s_intersects","args":[{"property":"geom"},{"type":"Polygon","coordinates":[[[0,0],[1,1],[1,0],[0,1],[0,0]]]}]}', "filter.geometry-crossing", ..., "0.5 0.5"),
    ('{"op":"s_intersects","args":[{"property":"geom"},{"type":"LineString","coordinates":[[0,0],[200,9]]}]}', "filter.geometry-range", ..., "0, 0, 200, 9"),
]  # fmt: skip


@pytest.mark.parametrize("lang", ["fr", "ar"])
@pytest.mark.parametrize(("text", "code", "at", "value"), SAID)
def test_what_is_wrong_is_said_in_the_readers_language(town, text, code, at, value, lang):
    asked = {"filter": text, "filter-lang": "cql2-json", "lang": lang}
    body = town.client.get("/collections/works/items", params=asked).json()
    assert body["type"].rsplit(":", 1)[1] == code
    part = json.dumps(json.loads(text)["args"][1]) if at is ... else at
    assert body.get("at") == part
    assert value is None or body["value"] == value
    detail = body["detail"]
    for quoted in (part, value, "cql2-json"):
        detail = detail.replace(quoted or "", "")
    assert not re.search("[A-Za-z]{3}" if lang == "ar" else r"[\u0600-\u06ff]", detail.replace("filter-crs", ""))
    assert "1:1" not in detail


@pytest.mark.parametrize(
    "geometry",
    [
        "POINT(1 91)", "LINESTRING(0 0)", "LINESTRING(0 0, 0 0)", "POLYGON((0 0, 1 1, 1 0, 0 1, 0 0))", "POLYGON EMPTY",
        "POLYGON((0 0, 1 0, 1 1))", "POLYGON((0 0, 1 0, 1 1, 0 1))", "BBOX(0, 5, 1)", "BBOX(0, 5, 1, 4)",
        "POLYGON((0 0, 1 0, 1 1, 0 0), (5 5, 6 5, 6 6, 5 5))",
    ],
)  # fmt: skip
def test_no_words_of_the_libraries_are_among_ours(town, geometry):
    asked = {"filter": f"S_INTERSECTS(geom, {geometry})", "lang": "ar"}
    body = town.client.get("/collections/works/items", params=asked).json()
    detail = body["detail"].replace(body["at"], "").replace("filter-crs", "")
    assert not re.search("[A-Za-z]", detail)


@pytest.mark.parametrize("text", REFUSED, ids=lambda text: text[:50])
def test_what_is_refused(town, text):
    assert refused(town, text) == REFUSED[text]


@pytest.mark.parametrize(
    "tree",
    [
        None, [], {}, "x", 1, {"op": "and", "args": []}, {"op": "and", "args": [True]}, {"op": "not", "args": []},
        {"op": "=", "args": [{"property": "amount"}, None]}, {"op": "like", "args": [{"property": "label"}, "a\\"]},
        {"op": "in", "args": [{"property": "amount"}, []]}, {"op": "within_district", "args": [["x"]]},
        {"op": "s_intersects", "args": [{"property": "geom"}, {"type": "Blob", "coordinates": [1, 2]}]},
        {"op": "s_intersects", "args": [{"property": "geom"}, {"type": "Point", "coordinates": ["1", 2]}]},
        {"op": "s_intersects", "args": [{"property": "geom"}, {"bbox": [1, 2, 3, None]}]},
        {"op": "t_after", "args": [{"property": "day"}, {"interval": ["2026-01-01"]}]},
        {"op": "=", "args": [{"property": ["day"]}, 1]}, {"op": "pg_sleep", "args": [1]},
        {"op": "=", "args": [{"property": "label"}, "\u0000"]}, {"date": "2026-01-01"},
    ],
    ids=str,
)  # fmt: skip
def test_json_that_is_refused(town, tree):
    assert refused(town, json.dumps(tree), "cql2-json").startswith("filter.")


def test_json_texts_that_are_not_unicode_are_refused(town):
    assert refused(town, '{"op":"=","args":[{"property":"label"},"\\ud800"]}', "cql2-json") == "filter.syntax"


def test_nesting_up_to_its_limit(town):
    opened = ids(town, "open")
    assert ids(town, "NOT " * 64 + "open") == opened
    assert ids(town, "(" * 64 + "open" + ")" * 64) == opened
    assert ids(town, "NOT " * 63 + "open") == ids(town, "NOT open")


def test_long_lists(town):
    amounts = {thing.id for thing in town.layers["works"] if thing.properties["amount"] is not None}
    assert ids(town, "amount IN (" + ",".join(map(str, range(-50, 5000))) + ")") == amounts
    vertices = ",".join(f"{n % 90} {n % 7}" for n in range(6000))
    assert ids(town, f"S_DISJOINT(geom, LINESTRING({vertices}))")


def test_more_vertices_than_the_limit_are_refused():
    with pytest.raises(InvalidInput) as caught:
        parse_filter("S_INTERSECTS(geom, MULTIPOINT(" + ",".join(["1 2"] * 20_001) + "))", "cql2-text")
    assert caught.value.code == "filter.long"
    with pytest.raises(InvalidInput) as caught:
        parse_filter("amount IN (" + ",".join("1" * 20_002) + ")", "cql2-text")
    assert caught.value.code == "filter.items"


def test_no_function_of_postgresql_reaches_it(town, monkeypatch):
    seen: list[str] = []
    original = Database.row

    async def row(self, statement, **values):
        seen.append(statement.sql)
        return await original(self, statement, **values)

    monkeypatch.setattr(Database, "row", row)
    for text, code in REFUSED.items():
        if code == "filter.function":
            refused(town, text)
    text = "label = '''; SELECT pg_sleep(9) --'"
    for written in (text, f"CASEI({text[:5]}) = 'x' AND {text}"):
        ids(town, written)
    asked = [sql for sql in seen if "features.works" in sql]
    assert len(asked) == 2, "only what was not refused is asked"
    assert not [
        sql for sql in seen for word in ("pg_sleep", "version(", "lo_import", "read_file", "dblink") if word in sql
    ]


def test_boxes_of_all_kinds(town):
    world = town.layers["world"]

    def within(west, south, east, north):
        area = shapely.box(west, south, east, north)
        return {thing.id for thing in world if area.intersects(thing.geometry)}

    across = within(170, -90, 180, 90) | within(-180, -90, -170, 90)
    assert ids(town, "S_INTERSECTS(geom, BBOX(170, -90, -170, 90))", "world") == across
    assert ids(town, "S_INTERSECTS(geom, BBOX(170, -90, 0, -170, 90, 9))", "world") == across
    # Without width it is a line, and at the antimeridian both of its sides are one.
    assert ids(town, "S_INTERSECTS(geom, BBOX(180, -90, -180, 90))", "world") == {
        thing.id for thing in world if abs(thing.geometry.x) == 180
    }
    centre = {thing.id for thing in town.layers["twins"] if thing.geometry.x == -7.6}
    assert ids(town, "S_INTERSECTS(geom, BBOX(-7.6, 33.57, -7.6, 33.57))", "twins") == centre
    assert ids(town, "S_INTERSECTS(geom, POINT Z(-7.6 33.57 12))", "twins") == centre
    assert ids(town, "S_EQUALS(geom, POINT(-76e-1 3357.E-2))", "twins") == centre
    whole = {thing.id for thing in town.layers["plots"]}
    assert ids(town, "S_WITHIN(geom, BBOX(-180, -90, 180, 90))", "plots") == whole
    assert ids(town, "S_DISJOINT(geom, BBOX(10, 50, 20, 60))", "plots") == whole


def test_collections_of_geometries(town):
    twins = town.layers["twins"]
    text = "GEOMETRYCOLLECTION(POINT(-7.6 33.57), LINESTRING(-7.5 33, -7.5 34))"
    assert ids(town, f"S_WITHIN(geom, {text})", "twins") == {thing.id for thing in twins}
    assert ids(town, f"S_DISJOINT(geom, {text})", "twins") == set()


@pytest.mark.parametrize(
    "text",
    ["'\\\\'" * 20_000, "'" + "\\'" * 30_001, "1" * 60_000 + "a", "(" + " " * 60_000 + "(", "1." + "1" * 60_000 + "a"],
)
def test_texts_that_are_long_to_read_are_refused(text):
    """Nothing in them is read more than once; a reading that tries again from every sign would take minutes."""
    with pytest.raises(InvalidInput):
        parse_filter(text, "cql2-text")


@settings(max_examples=examples(100))
@given(st.lists(st.tuples(*[st.floats(-90, 90).map(lambda x: round(x, 16))] * 2), min_size=2, max_size=5))
def test_coordinates_are_read_to_the_last_digit(points):
    text = "S_EQUALS(geom, LINESTRING(" + ", ".join(f"{x!r} {y!r}" for x, y in points) + "))"
    read = parse_filter(text, "cql2-text")["args"][1]["coordinates"]
    assert read == [[x, y] for x, y in points]


ROWS = {
    "=": "1" + "=1" * 6000,
    "+": "lon=1" + "+1" * 20000,
    "^": "lon=2" + "^2" * 20000,
    "*-": "lon=1" + "*-1" * 15000,
    "like": "id" + " LIKE 'b'" * 5000,
    "not in": "id" + " NOT IN ('b')" * 4500,
    "in": "id" + " IN ('b')" * 6000,
    "div": "lon=1" + " div 1" * 9000,
    "between": "lon" + " BETWEEN 1 AND 1" * 3500,
    "is null": "id" + " IS NULL" * 7000,
}


@pytest.mark.parametrize("row", ROWS)
def test_rows_of_operators_are_counted_before_the_parser_sees_them(row):
    # Its tree grows deeper with each of them, until it ends the process.
    assert len(ROWS[row]) < 65_536
    with pytest.raises(InvalidInput) as caught:
        parse_filter(ROWS[row], "cql2-text")
    assert caught.value.code == "filter.nested"


def test_rows_that_people_write_are_read(client):
    for text in (
        "area_km2 > 1" + " + 1" * 60,
        " AND ".join(["area_km2 BETWEEN -8 AND 700"] * 150),
        " OR ".join(["area_km2 = -7.6"] * 200),
    ):
        answer = client.get("/collections/districts/items", params={"filter": text, "limit": 1})
        assert answer.status_code == 200, answer.text


@pytest.mark.parametrize("number", ["1e999999999999999999999", "1e-99999999999999999999999", ".5e99999999999999999999"])
def test_numbers_that_nobody_can_hold_are_refused(client, number):
    answer = client.get("/collections/facilities/items", params={"filter": f"1 = {number}"})
    assert answer.status_code == 400, answer.text


@pytest.mark.parametrize(
    "text",
    [
        f"A_EQUALS(({','.join(['1'] * 15_000)}),(1))",
        f"id IN ({','.join(['id'] * 10_000)})",
        " OR ".join(["category = 'school'"] * 400),
    ],
)
def test_filters_of_too_many_parts_are_refused_before_they_are_compiled(text):
    with pytest.raises(InvalidInput) as caught:
        resolve(parse_filter(text, "cql2-text"), load_definition(DATA / "layers" / "facilities.yaml"), DEFAULT_CRS)
    assert caught.value.code == "filter.size"


def test_long_edges_do_not_grow_without_limit():
    zigzag = LineString([(-15e5 + (n % 2) * 12e5, 35e5 + n * 300) for n in range(3000)])
    fitted = fit_for(zigzag, 3857, 4326)
    assert shapely.get_num_coordinates(fitted) < 3000 + 25_000

"""What is open, in the annuaire's list and in filters: compared with the spans that Python works out."""

import asyncio
import datetime as dt
import io
import random
import re
import time
from urllib.parse import parse_qs, urlsplit

import httpx
import pandas as pd
import psycopg
import pytest
from sqlalchemy import DateTime, bindparam, func, select

from api import state
from api.cli.assets import WEB
from api.i18n import messages
from api.opening import opening_rows
from api.settings import Settings
from layers.database import compile_statement
from layers.definition import load_definition
from layers.hours.calendar import ZONE, load_calendar
from layers.hours.conditions import known_at, open_at
from layers.hours.spans import open_hours
from layers.hours.store import AHEAD
from layers.shipped import load_shipped
from layers.tables import layer_table
from tests.conftest import DATA, quiet
from tests.evaluator import read_values
from tests.integration.test_linked_places import FACTS

DAY = dt.timedelta(days=1)


def stamp(moment):
    return f"{moment.astimezone(dt.UTC):%Y-%m-%dT%H:%M:%SZ}"


def ids(answer):
    assert answer.status_code == 200, answer.text
    return {feature["id"] for feature in answer.json()["features"]}


class Truth:
    """Spans of entries, as Python has them; what an entry is at a moment: true, false or None."""

    def __init__(self, hours, start, end):
        self.ends = tuple(dt.datetime.combine(day, dt.time(), ZONE) for day in (start, end))
        calendar = load_calendar(DATA)
        self.found = {key: open_hours(*values, calendar, start, end) for key, values in hours.items()}

    def at(self, key, moment):
        if key not in self.found or not self.found[key].known or not self.ends[0] <= moment < self.ends[1]:
            return None
        now = next((span for span in self.found[key].spans if span.start <= moment < span.end), None)
        return False if now is None else True if now.certain else None

    def moments(self, count, seed):
        """Moments within the horizon, some of them at the very edge of a span."""
        draw = random.Random(seed)
        edges = sorted(
            {edge for hours in self.found.values() for span in hours.spans for edge in (span.start, span.end)}
        )
        edges = [edge for edge in edges if self.ends[0] <= edge < self.ends[1]]
        whole = (self.ends[1] - self.ends[0]).total_seconds()
        free = [self.ends[0] + dt.timedelta(seconds=draw.randrange(int(whole))) for _ in range(count)]
        return [*free, *draw.sample(edges, count // 2)]


@pytest.fixture(scope="module")
def facts(database_url):
    """The annuaire of the shipped data: its categories, and its hours."""
    with psycopg.connect(database_url) as connection:
        rows = connection.execute("SELECT id, opening_hours, opening_hours_ramadan FROM directory.entries").fetchall()
        covered = connection.execute("SELECT DISTINCT covered FROM directory.schedules WHERE covered IS NOT NULL").fetchall()  # fmt: skip
    assert len(covered) == 1
    start, end = (edge.astimezone(ZONE).date() for edge in (covered[0][0].lower, covered[0][0].upper))
    return Truth({key: values for key, *values in rows if any(values)}, start, end)


def test_the_list_has_what_is_open_and_says_of_how_many_it_is_not_known(client, facts):
    for number, moment in enumerate(facts.moments(20, 1)):
        expected = {key for key in FACTS if facts.at(key, moment)}
        unknown = {key for key in FACTS if facts.at(key, moment) is None}
        answer = client.get("/directory", params={"open": stamp(moment), "limit": 1000})
        assert ids(answer) == expected
        assert answer.json()["numberMatched"] == len(expected)
        assert answer.json()["numberUnknown"] == len(unknown)
        assert ids(client.get("/directory", params={"unknown": stamp(moment), "limit": 1000})) == unknown
        category = ("pharmacy", "town_hall", "railway_station", "cinema")[number % 4]
        some = {key for key, row in FACTS.items() if row["category"] == category}
        answer = client.get("/directory", params={"open": stamp(moment), "category": category, "limit": 1000})
        assert (ids(answer), answer.json()["numberUnknown"]) == (expected & some, len(unknown & some))
        answer = client.get("/directory", params={"open": stamp(moment), "filter": f"category <> '{category}'", "limit": 1000})  # fmt: skip
        assert (ids(answer), answer.json()["numberUnknown"]) == (expected - some, len(unknown - some))


@pytest.mark.parametrize("form", ["csv", "jsonseq", "kml", "gpkg", "parquet"])
def test_other_formats_tell_it_in_a_header(client, facts, form):
    moment = facts.moments(2, 2)[0]
    answer = client.get("/directory", params={"open": stamp(moment), "f": form, "limit": 1000})
    unknown = sum(facts.at(key, moment) is None for key in FACTS)
    assert answer.headers["casamaps-numberunknown"] == str(unknown)
    if form == "csv":
        assert set(pd.read_csv(io.BytesIO(answer.content))["id"]) == {key for key in FACTS if facts.at(key, moment)}
    assert "casamaps-numberunknown" not in client.get("/directory", params={"f": form}).headers


def test_a_moment_is_written_in_many_ways(client, facts):
    local = dt.datetime.combine(facts.ends[0].date() + 3 * DAY, dt.time(10, 30), ZONE)
    same = [
        stamp(local), local.isoformat(), f"{local:%Y-%m-%dT%H:%M}", f"{local:%Y-%m-%dT%H:%M:%S}", stamp(local).lower(),
        local.isoformat().replace("+", " "), f"{local.astimezone(dt.UTC):%Y-%m-%dT%H:%M:%S.123456789}Z",
    ]  # fmt: skip
    expected = {key for key in FACTS if facts.at(key, local)}
    assert expected
    for text in same:
        assert ids(client.get("/directory", params={"open": text, "limit": 1000})) == expected, text
    # What the page's form sends.
    for more in ({}, {"q": "", "category": "", "unknown": ""}):
        asked = {"open": "at", "at": f"{local:%Y-%m-%dT%H:%M}", "limit": 1000, **more}
        assert ids(client.get("/directory", params=asked)) == expected
    assert ids(client.get("/directory", params={"open": "", "at": f"{local:%Y-%m-%dT%H:%M}", "limit": 1000})) == set(FACTS)  # fmt: skip


@pytest.mark.parametrize("name", ["open", "unknown", "at"])
@pytest.mark.parametrize(
    "text",
    [
        "demain", "NOW", "2026-11-24", "10:00", "2026-02-30T10:00", "2026-11-24T25:00", "2026-11-24T10:00Z", "٢٠٢٦-١١-٢٤T١٠:٠٠",
        "2026-11-24T10:00:00+99:00", "\u200f", "' OR 1=1 --", "%", "x" * 10_000, "0000-01-01T00:00", "2026-11-24T10:00:00 Z",
    ],
)  # fmt: skip
def test_what_is_no_moment_is_refused(client, name, text):
    for form in ("json", "html"):
        answer = client.get("/directory", params={name: text, "f": form})
        assert answer.status_code == 400
        assert f"{name}" in answer.text
        assert "2026-11-23T09:00" in answer.text


def test_programs_are_told_of_an_empty_moment(client):
    """A form sends its empty fields along with its moment."""
    for name in ("open", "unknown"):
        answer = client.get("/directory", params={name: "", "limit": 1})
        assert (answer.status_code, answer.json().get("parameter")) == (400, name)
        assert client.get("/directory", params={name: "", "f": "html"}).status_code == 200
    assert client.get("/directory?q=&limit=1").json()["numberMatched"] == len(FACTS)


@pytest.mark.parametrize(
    "text", ["9999-12-31T23:59:59Z", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59", "2026-11-24T10:00:00.5Z"]
)
def test_links_have_the_moment_that_was_asked_for(client, text):
    for name in ("open", "unknown"):
        for link in client.get("/directory", params={name: text, "limit": 3}).json()["links"]:
            if link["rel"] in ("self", "alternate", "next"):
                assert parse_qs(urlsplit(link["href"]).query)[name] == [text]


def test_a_form_without_its_moment_is_told_so(client):
    answer = client.get("/directory", params={"open": "at", "at": "", "lang": "fr"})
    assert answer.status_code == 400
    assert "jour et l'heure" in answer.json()["detail"]


@pytest.mark.parametrize("name", ["open", "unknown"])
@pytest.mark.parametrize("text", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "9999-12-31T23:59", "2099-01-01T00:00:00Z", "1999-01-01T00:00"])  # fmt: skip
def test_beyond_the_horizon_nothing_is_known(client, name, text):
    body = client.get("/directory", params={name: text, "limit": 1000}).json()
    if name == "open":
        assert (body["features"], body["numberUnknown"]) == ([], len(FACTS))
    else:
        assert len(body["features"]) == len(FACTS)
    for lang, said in (("fr", "hors de la période"), ("ar", "خارج الفترة")):
        page = client.get("/directory", params={name: text, "f": "html", "lang": lang})
        assert page.status_code == 200
        assert said in page.text


def test_pages_keep_the_moment_of_the_first(client, server_url, facts):
    before = dt.datetime.now(dt.UTC).replace(microsecond=0)
    moments, found = set(), []
    address = f"{server_url}/directory?open=now&limit=3"
    while address:
        body = client.get(address).json()
        found += [feature["id"] for feature in body["features"]]
        address = next((item["href"] for item in body["links"] if item["rel"] == "next"), None)
        if address:
            (moment,) = parse_qs(urlsplit(address).query)["open"]
            moments.add(moment)
    (moment,) = moments or {stamp(before)}
    moment = dt.datetime.fromisoformat(moment)
    assert before <= moment <= dt.datetime.now(dt.UTC)
    assert sorted(found) == sorted(key for key in FACTS if facts.at(key, moment))
    page = client.get("/directory?unknown=now&f=html&lang=fr").text
    (following,) = re.findall(r'rel="next" href="([^"]+)"', page)
    (moment,) = parse_qs(urlsplit(following.replace("&amp;", "&")).query)["unknown"]
    assert dt.datetime.fromisoformat(moment) >= before


@pytest.mark.parametrize("lang", ["fr", "ar"])
def test_the_page_says_what_each_place_is_and_what_is_not_known(client, server_url, facts, lang):
    # A Wednesday at eleven, some two weeks ahead.
    day = facts.ends[0].date() + 14 * DAY
    moment = dt.datetime.combine(day + (2 - day.weekday()) % 7 * DAY, dt.time(11), ZONE)
    page = client.get("/directory", params={"open": stamp(moment), "f": "html", "lang": lang}).text
    opened = [key for key in FACTS if facts.at(key, moment)]
    assert re.findall(r'class="state" data-state="(\w+)"', page) == ["open"] * min(len(opened), 30)
    unknown = sum(facts.at(key, moment) is None for key in FACTS)
    assert str(unknown) in page
    address = next(found for found in re.findall(r'href="([^"]+)"', page) if "unknown=" in found).replace("&amp;", "&")
    listed = client.get(f"{server_url}{address}").text
    assert set(re.findall(r'class="state" data-state="(\w+)"', listed)) <= {"unknown", "condition"}
    shown = re.search(r'role="status">([^<]+)<', listed)
    assert str(unknown) in shown[1]
    # The choice stays in the form.
    assert re.search(r'<option value="at" selected>', page)
    assert f'value="{moment:%Y-%m-%dT%H:%M}"' in page
    now = client.get("/directory", params={"open": "now", "f": "html", "lang": lang}).text
    assert re.search(r'<option value="now" selected>', now)


def test_filters_agree_with_the_spans_whatever_they_are_made_of(workshop, serve):
    """Every written value, with and without hours of its own in Ramadan; a bare place and things of no entry at all."""
    values = read_values("moroccan.txt")
    hours = {f"p{n}": [value, values[n * 7 % len(values)] if n % 3 == 0 else None] for n, value in enumerate(values)}
    workshop.add("opening_hours", format="opening-hours")
    workshop.add("ramadan")
    workshop.add("kind")
    columns = {"opening_hours": "opening_hours", "opening_hours_ramadan": "ramadan"}
    workshop.raw["directory"] = {"role": "place", "columns": columns}
    kinds = {key: ("a", "b", None)[number % 3] for number, key in enumerate([*hours, "bare"])}
    rows = [
        {"id": key, "opening_hours": usual, "ramadan": ramadan, "kind": kinds[key]}
        for key, (usual, ramadan) in {**hours, "bare": [None, None]}.items()
    ]
    workshop.ingest(workshop.geojson(*rows))
    today = dt.datetime.now(ZONE).date()
    truth = Truth(hours, today - DAY, today + AHEAD * DAY)
    everything = set(kinds)
    base = serve(workshop.url)

    def asked(text):
        return ids(httpx.get(f"{base}/collections/libraries/items", params={"filter": text, "limit": 1000}))

    def neither(answer):
        return None if answer is None else not answer

    for moment in [*truth.moments(24, 3), truth.ends[1] + DAY, truth.ends[0] - DAY]:
        is_a = {key: None if kind is None else kind == "a" for key, kind in kinds.items()}
        at = {key: truth.at(key, moment) for key in everything}
        later = {key: truth.at(key, moment + dt.timedelta(hours=5)) for key in everything}
        call, after = (f"is_open(TIMESTAMP('{stamp(m)}'))" for m in (moment, moment + dt.timedelta(hours=5)))
        expected = {
            call: {key for key in everything if at[key]},
            f"NOT {call}": {key for key in everything if at[key] is False},
            f"NOT (NOT {call})": {key for key in everything if at[key]},
            f"{call} IS NULL": {key for key in everything if at[key] is None},
            f"{call} IS NOT NULL": {key for key in everything if at[key] is not None},
            f"NOT ({call} IS NOT NULL)": {key for key in everything if at[key] is None},
            f"{call} AND kind = 'a'": {key for key in everything if at[key] and is_a[key]},
            f"{call} OR kind = 'a'": {key for key in everything if at[key] or is_a[key]},
            f"NOT ({call} OR kind = 'a')": {k for k in everything if neither(at[k]) and neither(is_a[k])},
            f"NOT ({call} AND kind = 'a')": {k for k in everything if neither(at[k]) or neither(is_a[k])},
            f"{call} AND NOT {after}": {key for key in everything if at[key] and later[key] is False},
            f"{call} IS NULL OR {after}": {key for key in everything if at[key] is None or later[key]},
            f"{call} = true": {key for key in everything if at[key]},
            f"{call} = {after}": {k for k in everything if None not in (at[k], later[k]) and at[k] == later[k]},
            f"({call} IS NULL) = false": {key for key in everything if at[key] is not None},
        }
        for text, keys in expected.items():
            assert asked(text) == keys, text


def test_what_belongs_to_no_entry_is_never_known(workshop, serve):
    workshop.raw["directory"] = {"role": "body"}
    workshop.sql("INSERT INTO directory.entries (id, category, name_fr, name_ar, source, opening_hours) VALUES ('z', 'x', 'Z', 'ز', 's', '24/7')")  # fmt: skip
    report = workshop.ingest(workshop.geojson({"id": "a", "entry_id": "z"}, {"id": "b", "entry_id": None}))
    assert report.rejected == [], report
    base = serve(workshop.url)
    call = f"is_open(TIMESTAMP('{stamp(dt.datetime.now(dt.UTC) + DAY)}'))"
    answers = {}
    for text in (call, f"NOT {call}", f"{call} IS NULL", f"{call} IS NOT NULL"):
        answers[text] = ids(httpx.get(f"{base}/collections/libraries/items", params={"filter": text}))
    assert list(answers.values()) == [{"a"}, set(), {"b"}, {"a"}]


def test_indexes_answer(workshop):
    """The plans of the list's conditions: by index of time, or one probe a place; never all the spans one by one."""
    table = layer_table(load_definition(DATA / "layers" / "directory.yaml"))
    workshop.sql("INSERT INTO directory.entries (id, category, name_fr, name_ar, source, opening_hours) SELECT 'p' || n, 'x', 'Z', 'ز', 's', '08:00-12:00' FROM generate_series(1, 2000) n")  # fmt: skip
    workshop.sql("INSERT INTO directory.schedules (entry_id, state, covered, calendar, due) SELECT id, 'parsed', '[2026-01-01,2026-03-01)', 'x', now() FROM directory.entries")  # fmt: skip
    workshop.sql("INSERT INTO directory.open_spans SELECT entry_id, 'usual', tstzrange(d + i * interval '13 s', d + i * interval '13 s' + interval '20 min'), true FROM (SELECT entry_id, row_number() OVER () i FROM directory.schedules) s, generate_series('2026-01-01 08:00+00'::timestamptz, '2026-02-28 08:00+00', '1 day') d")  # fmt: skip
    workshop.sql("ANALYZE")
    at = bindparam("at", type_=DateTime(timezone=True))
    plans = {}
    for name, condition in (("open", open_at), ("known", known_at)):
        asked = compile_statement(select(func.count()).select_from(table).where(condition(table.c.entry_id, at)))
        text = asked.sql.replace("$1", "'2026-02-03 09:00+00'")
        (whole,) = workshop.sql(f"EXPLAIN (FORMAT JSON) {text}")[0][0]
        plans[name] = [(node["Node Type"], node.get("Relation Name"), node.get("Index Name")) for node in nodes(whole)]
    for plan in plans.values():
        assert any(index == "open_spans_span_idx" for _, _, index in plan)
        assert ("Seq Scan", "open_spans", None) not in plan


def nodes(plan):
    """Yield all nodes of a plan."""
    plan = plan.get("Plan", plan)
    yield plan
    for part in plan.get("Plans", []):
        yield from nodes(part)


def test_a_running_service_brings_the_horizon_on_by_itself(workshop, serve, monkeypatch):
    monkeypatch.setattr(state, "ROLL", 0.2)
    workshop.add("opening_hours", format="opening-hours")
    workshop.raw["directory"] = {"role": "place", "columns": {"opening_hours": "opening_hours"}}
    workshop.ingest(workshop.geojson({"id": "a", "opening_hours": "24/7"}))
    base = serve(workshop.url)
    call = f"is_open(TIMESTAMP('{stamp(dt.datetime.now(dt.UTC) + 60 * DAY)}'))"
    address = f"{base}/collections/libraries/items?filter={call}"
    for _ in range(2):  # at its start, and whenever it is due
        workshop.sql(  # at once: what is brought on in between must not lose its spans
            "WITH gone AS (DELETE FROM directory.open_spans) "
            "UPDATE directory.schedules SET due = '2000-01-01', covered = '[2000-01-01,2000-01-02)'"
        )
        for _ in range(200):
            if ids(httpx.get(address)) == {"a"}:
                break
            time.sleep(0.1)
        assert ids(httpx.get(address)) == {"a"}


def test_what_is_not_understood_is_shown_as_it_is(workshop, serve):
    odd = "selon le <b>gardien</b>"
    workshop.add("opening_hours", format="opening-hours")
    workshop.raw["directory"] = {"role": "place", "columns": {"opening_hours": "opening_hours"}}
    report = workshop.ingest(workshop.geojson({"id": "a", "opening_hours": odd}, {"id": "b", "opening_hours": None}))
    assert [code for code, _ in report.notes] == ["ingest.hours-not-understood"]
    load_shipped(workshop.url, DATA, quiet, only="directory")
    base = serve(workshop.url)
    entry = httpx.get(f"{base}/directory/a").json()
    assert entry["properties"]["opening_hours"] == odd
    for lang, unknown, none in (
        ("fr", "Ouverture non connue", "Horaires non renseignés"),
        ("ar", "لا يُعرف هل هو مفتوح", "أوقات العمل غير متوفرة"),
    ):
        page = httpx.get(f"{base}/directory/a?f=html&lang={lang}").text
        assert "selon le &lt;b&gt;gardien&lt;/b&gt;" in page
        assert unknown in page
        listed = httpx.get(f"{base}/directory?unknown=now&f=html&lang={lang}").text
        assert "selon le &lt;b&gt;gardien&lt;/b&gt;" in listed
        assert unknown in listed
        assert none in listed
    assert "a" not in ids(httpx.get(f"{base}/directory?open=now"))


@pytest.mark.parametrize(("lang", "said", "announced"), [("fr", "date estimée", "Aïd annoncé"), ("ar", "تاريخ تقديري", "العيد المعلن")])  # fmt: skip
def test_a_lunar_day_is_estimated_until_data_says_otherwise(workshop, lang, said, announced):
    day = dt.date(2027, 3, 10)
    workshop.add("opening_hours", format="opening-hours")
    workshop.raw["directory"] = {"role": "place", "columns": {"opening_hours": "opening_hours"}}
    workshop.ingest(workshop.geojson({"id": "a", "opening_hours": "24/7"}))
    folder = workshop.folder / "data"
    folder.mkdir()
    (folder / "directory.yaml").write_text((DATA / "directory.yaml").read_text("utf-8"), "utf-8")

    def holiday():
        async def rows():
            found = state.State(Settings(), workshop.url, WEB, folder)
            try:
                return await opening_rows(found, "a", messages(lang), dt.datetime.combine(day, dt.time(10), ZONE))
            finally:
                await found.database.close()

        return asyncio.run(rows())[1]["value"]

    assert said in holiday()
    text = f"added:\n  {day}: {{fr: Aïd annoncé, ar: العيد المعلن}}\nremoved: []\nramadan: []\n"
    (folder / "holidays.yaml").write_text(text, "utf-8")
    assert holiday() == announced

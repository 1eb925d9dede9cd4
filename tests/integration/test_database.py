"""The pool of public connections: read-only, bounded in time, silent about its inside."""

import asyncio

import httpx
import pytest
from starlette.requests import Request

from api.errors import problem, status_of
from geo.errors import CasaMapsError, InvalidInput, Unavailable
from layers.database import Database, Statement


def ask(url, sql, names=(), timeout=5.0, size=1, **values):
    async def run():
        database = Database(url, statement_timeout=timeout, pool_size=size)
        try:
            return await database.row(Statement(sql, names), **values)
        finally:
            await database.close()

    return asyncio.run(run())


def test_a_slow_statement_is_stopped(database_url):
    with pytest.raises(Unavailable) as caught:
        ask(database_url, "SELECT pg_sleep(30)", timeout=0.2)
    assert caught.value.code == "database.timeout"
    assert caught.value.params == {"seconds": 0.2}
    assert status_of(caught.value) == 503


def test_the_connection_is_good_again_after_a_stopped_statement(database_url):
    async def run():
        database = Database(database_url, statement_timeout=0.2, pool_size=1)
        try:
            with pytest.raises(Unavailable):
                await database.row(Statement("SELECT pg_sleep(30)", ()))
            return await database.row(Statement("SELECT 1", ()))
        finally:
            await database.close()

    assert asyncio.run(run())[0] == 1


def test_more_requests_than_connections_wait_or_are_told(database_url):
    async def run():
        database = Database(database_url, statement_timeout=0.5, pool_size=1)
        slow = Statement("SELECT pg_sleep(0.4)", ())
        try:
            return await asyncio.gather(*(database.row(slow) for _ in range(6)), return_exceptions=True)
        finally:
            await database.close()

    answers = asyncio.run(run())
    refused = [answer for answer in answers if isinstance(answer, Exception)]
    assert len(refused) < len(answers)
    assert refused
    assert {answer.code for answer in refused} == {"database.busy"}


@pytest.mark.parametrize(
    "sql",
    [
        "DELETE FROM features.facilities",
        "CREATE TABLE public.x ()",
        "UPDATE catalogue.layers SET version = 0",
        "TRUNCATE features.districts",
    ],
)
def test_nothing_can_be_written(database_url, sql):
    with pytest.raises(CasaMapsError) as caught:
        ask(database_url, sql)
    assert "read-only" in caught.value.log


def test_a_mistake_of_ours_is_no_outage(database_url):
    with pytest.raises(CasaMapsError) as caught:
        ask(database_url, "SELECT nowhere FROM catalogue.layers")
    assert status_of(caught.value) == 500
    assert "nowhere" in caught.value.log


def test_an_impossible_value_is_the_callers_mistake(database_url):
    with pytest.raises(InvalidInput):
        ask(database_url, "SELECT $1::integer", ("n",), n="many")


def test_a_database_that_is_not_there_is_away(tmp_path):
    with pytest.raises(Unavailable) as caught:
        ask(f"postgresql://u@/d?host={tmp_path}", "SELECT 1")
    assert caught.value.code == "database.away"


@pytest.mark.parametrize(("lang", "words"), [("fr", "La recherche"), ("ar", "استغرق البحث")])
def test_the_answer_shows_no_sql(server_url, lang, words):
    from api.app import create_app
    from api.settings import Settings

    app = create_app(Settings(), "postgresql://nobody@localhost/nothing")
    scope = {
        "type": "http",
        "method": "GET",
        "path": "/x",
        "query_string": f"lang={lang}".encode(),
        "headers": [],
        "app": app,
    }
    error = Unavailable("database.timeout", seconds=5.0, log="SELECT secret")
    answer = problem(Request(scope), status_of(error), error.code, error.params)
    assert answer.status_code == 503
    assert answer.headers["retry-after"]
    assert words in answer.body.decode()
    assert "SELECT" not in answer.body.decode()


def test_a_statement_timeout_reaches_the_client(workshop, serve):
    workshop.ingest(workshop.csv("a,Un,واحد,-7.6,33.5"))
    address = serve(workshop.url, statement_timeout=0.3)
    path = address + "/collections/libraries/items"
    assert httpx.get(path).status_code == 200
    workshop.sql("ALTER TABLE features.libraries RENAME TO books")
    workshop.sql(
        "CREATE VIEW features.libraries AS SELECT b.* FROM features.books b, LATERAL (SELECT pg_sleep(9), b.fid) slow"
    )
    answer = httpx.get(path, timeout=30)
    assert answer.status_code == 503
    assert answer.json()["type"].endswith("database.timeout")
    assert "pg_sleep" not in answer.text

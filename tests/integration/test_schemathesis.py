"""Schemathesis asks everything that the OpenAPI document describes, as it should be asked and as it should not.

Whatever comes, there is no 5xx, and no status, media type, header or body but what the document says. The ordinary run
draws the same few cases every time; ``CASAMAPS_THOROUGH`` draws many others.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import hypothesis
import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase
from schemathesis import GenerationMode
from schemathesis.checks import CHECKS, load_all_checks
from schemathesis.config import SchemathesisConfig

from tests.openapi import closed

THOROUGH = bool(os.environ.get("CASAMAPS_THOROUGH"))
LAYERS = ["districts", "transport-lines", "worksites", "transport-stops", "facilities"]
#: Parameters whose values have a grammar of their own, of which OpenAPI only says that they are texts or numbers.
GRAMMARS = {
    "filter",
    "cursor",
    "datetime",
    "bbox",
    "feature",
    "point",
    "point-crs",
    "open",
    "unknown",
    "at",
    "view",
    "pin",
    "time",
}

pytestmark = [pytest.mark.timeout(1500 if THOROUGH else 300)]
load_all_checks()
schemathesis.serializer.alias(["application/csp-report", "application/reports+json"], "application/json")
CHECK = CHECKS.get_one


def number(ordinary: int, thorough: int) -> int:
    return thorough if THOROUGH else ordinary


@pytest.fixture(scope="module")
def schema(client: Any) -> Any:
    return schemathesis.openapi.from_dict(closed(client.get("/api?f=json").json()), config=SchemathesisConfig())


@pytest.fixture(scope="module")
def ask(server_url: str) -> Iterator[Callable[[Any], Any]]:
    """Ask a case over one connection."""
    with requests.Session() as session:

        def call(case: Any) -> Any:
            return case.call(base_url=server_url, session=session)

        call.server = server_url  # type: ignore[attr-defined]
        yield call


@pytest.fixture(scope="module")
def real(client: Any) -> Callable[[str], dict[str, Any]]:
    """What stands in a path, so that something is found there."""

    def of(path: str) -> dict[str, Any]:
        names: dict[str, Any] = {"tileMatrix": 12, "tileRow": 1643, "tileCol": 1961, "mapId": "city"}
        names |= {"districtCode": "06.141.01.03", "version": "1.0.0"}
        if "{entryId}" in path:
            return {"entryId": client.get("/collections/facilities/items?limit=1").json()["features"][0]["id"]}
        if "{featureId}" in path:
            page = client.get(path.split("/{")[0], params={"limit": 1}).json()
            return {"featureId": page["features"][0]["id"]}
        return {name: value for name, value in names.items() if f"{{{name}}}" in path}

    return of


def drive(strategy: Any, check: Callable[[Any], None], examples: int) -> None:
    """Draw cases and check each; the ordinary run draws the same ones every time."""

    @hypothesis.settings(
        max_examples=examples,
        derandomize=not THOROUGH,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate],
    )
    @hypothesis.given(strategy)
    def run(case: Any) -> None:
        check(case)

    run()


def chosen(schema: Any, tag: str) -> list[Any]:
    found = [result.ok() for result in schema.get_all_operations()]
    return [operation for operation in found if operation.tags == [tag]]


def tolerated(case: Any) -> list[Any]:
    """Return the check of refusal where it does not hold.

    More than the largest page is no mistake (OGC API - Features Part 1, ``/req/core/fc-limit-response-1``), and an empty
    text is also how an empty list is written; an object without members is not written at all.
    """
    asked = case.query or {}
    limit = str(asked.get("limit", ""))
    # A form sends its empty fields along.
    fields = asked if case.operation.path == "/directory" else ("properties", "open", "unknown", "sortby")
    empty = any(asked.get(name) in ("", [""]) for name in fields)
    held = (limit.isdigit() and limit != "0") or empty or {} in asked.values()
    found = [CHECK("negative_data_rejection")] if held else []
    # Another format than JSON is to be answered with 501 (oEmbed 1.0, 2.3.1).
    if case.operation.path == "/oembed" and asked.get("format", "json") != "json":
        found.append(CHECK("not_a_server_error"))
    return found


@pytest.mark.parametrize("tag", ["service", *LAYERS, "tiles", "directory"])
def test_what_fits_the_document_is_answered_as_it_says(schema, ask, tag):
    for operation in chosen(schema, tag):

        def check(case: Any) -> None:
            case.validate_response(ask(case), excluded_checks=[CHECK("positive_data_acceptance"), *tolerated(case)])

        drive(operation.as_strategy(), check, number(6, 200))


@pytest.mark.parametrize("tag", ["service", *LAYERS, "tiles", "directory"])
def test_what_fits_the_document_is_answered(schema, ask, real, tag):
    """With values of no grammar, of things that there are, nothing is refused: so there are bodies to look at."""
    statuses: Counter[int] = Counter()
    for operation in chosen(schema, tag):
        path = operation.path
        if path.endswith("/aggregate"):  # its parameters go together in ways that OpenAPI can't say
            continue
        free = {parameter.name for parameter in operation.query if parameter.definition["schema"] == {"type": "string"}}
        place: dict[str, Any] = {"lon": -7.6192, "lat": 33.5931} if path in ("/nearest", "/at") else {}
        if path == "/oembed":
            place = {"url": f"{ask.server}/maps/city"}

        def check(case: Any, left: set[str] = free | GRAMMARS, place: dict[str, Any] = place) -> None:
            query = {name: value for name, value in (case.query or {}).items() if name not in left} | place
            # No text in PostgreSQL holds a NUL, which OpenAPI's patterns can't forbid for all parameters.
            query = {name: value for name, value in query.items() if "\0" not in str(value)}
            if ("lon" in query) != ("lat" in query):  # both or none, which OpenAPI can't say
                query = {name: value for name, value in query.items() if name not in ("lon", "lat")}
            # Large pictures can't have more pixels to each, which OpenAPI can't say.
            query.pop("density", None)
            keys = [key.lstrip("+-") for key in query.get("sortby", [])]
            if len(set(keys)) < len(keys):  # once each way, which OpenAPI can't forbid
                del query["sortby"]
            case.query = query
            response = ask(case)
            statuses[response.status_code] += 1
            assert response.status_code != 400, (response.request.url, response.text)
            case.validate_response(response)

        drive(operation.as_strategy(path_parameters=real(path)), check, number(6, 100))
    assert set(statuses) <= {200, 204, 304}
    assert statuses[200]


@pytest.mark.parametrize("tag", ["service", *LAYERS, "tiles", "directory"])
def test_what_does_not_fit_the_document_is_refused(schema, ask, tag):
    for operation in chosen(schema, tag):
        if not (operation.query or operation.path_parameters):
            continue

        def check(case: Any) -> None:
            case.validate_response(ask(case), excluded_checks=tolerated(case))

        drive(operation.as_strategy(generation_mode=GenerationMode.NEGATIVE), check, number(6, 200))


@pytest.mark.parametrize("tag", ["service", *(LAYERS if THOROUGH else ["worksites"]), "tiles", "directory"])
def test_every_value_at_its_limits(schema, ask, tag):
    """Schemathesis's own list of cases: every value of a list, the ends of every range, what lies beyond, twice, …"""
    for operation in chosen(schema, tag):
        # A file of every format with every value takes a minute for each layer.
        if operation.path.endswith("/export") and not THOROUGH:
            continue
        cases = schema.iter_coverage_cases(
            operation,
            generation_modes=list(GenerationMode),
            generation_config=schema.config.generation_for(operation=operation),
        )
        for case in cases:
            case.validate_response(ask(case), excluded_checks=[CHECK("positive_data_acceptance"), *tolerated(case)])


def test_fields_of_every_type(workshop, serve):
    """The shipped layers have no times and no lists of given values, and all are in degrees; this one is in metres."""
    for name in ("integer", "number", "boolean", "date", "timestamp", "text[]"):
        workshop.add(name.strip("[]") + "_field", name)
    choices = {key: {"fr": key, "ar": "كلمة"} for key in ("one", "two's", "three, four")}
    workshop.add("choice", values=choices)
    workshop.add("choices", "text[]", values=choices)
    workshop.raw["geometry"] |= {"type": "Geometry", "srid": 32630}
    report = workshop.ingest(
        workshop.geojson(
            {"id": "empty"},
            {"id": "least", "integer_field": 0, "number_field": 1e-300, "boolean_field": False},
            {"id": "times", "date_field": "0001-01-01", "timestamp_field": "9999-12-31T23:59:59Z"},
            {"id": "lists", "text_field": ["", "x,y"], "choice": "two's", "choices": ["one", "three, four"]},
        )
    )
    assert report.rejected == [], report
    # GDAL gives a whole column of a GeoJSON as doubles that has this one.
    workshop.sql("UPDATE features.libraries SET integer_field = -9223372036854775808 WHERE id = 'least'")
    url = serve(workshop.url)
    document = requests.get(f"{url}/api", timeout=30).json()
    schema = schemathesis.openapi.from_dict(closed(document), config=SchemathesisConfig())
    off = [CHECK("positive_data_acceptance")]
    with requests.Session() as session:

        def check(case: Any) -> None:
            response = case.call(base_url=url, session=session)
            case.validate_response(response, excluded_checks=[*off, *tolerated(case)])

        for operation in chosen(schema, "libraries"):
            drive(operation.as_strategy(), check, number(6, 200))
            if not (THOROUGH or operation.path.endswith("/items")):
                continue
            for case in schema.iter_coverage_cases(
                operation,
                generation_modes=list(GenerationMode),
                generation_config=schema.config.generation_for(operation=operation),
            ):
                check(case)
        whole = session.get(f"{url}/collections/libraries/items", timeout=30)
        assert whole.json()["numberReturned"] == 4

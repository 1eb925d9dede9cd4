"""``%`` and ``DIV`` are exact on numbers as they are written, the same for rows and for constants."""

import itertools
import math
from fractions import Fraction

import httpx
import pytest

from layers.filters.numbers import calculate

#: Rows: numbers that doubles only come near to, whole ones of all digits, and the ends of double precision.
VALUES = [
    0.1, 0.3, -0.3, 1.1, 12.34, -12.34, 7.77, 100.01, 0.07, 1e15, 123456789012345.6, 9007199254740991.0, 9007199254740992.0,
    -9007199254740993.0, 1e16 + 2, 1e22, 1.7976931348623157e308, -1e308, 1e-300, 5e-324, -1e-320, 0.0, -0.0, 2.5, 1 / 3,
]  # fmt: skip
BY = [
    0.01,
    0.1,
    -0.1,
    0.3,
    1,
    3,
    -7,
    1e-5,
    0.07,
    1e15,
    1e-300,
    5e-324,
    3e-324,
    1e300,
    2**53 - 1,
    1.7976931348623157e308,
]


def written(value):
    """Return the number that somebody wrote: 15 digits, of whole ones all."""
    if value == int(value) and abs(value) <= 2**53:
        return Fraction(int(value))
    return Fraction(f"{value:.15g}")


def rest(left, right):
    """Return the remainder with the sign of the dividend."""
    found = abs(written(left)) % abs(written(right))
    return float(-found if left < 0 else found)


@pytest.mark.parametrize(("left", "right"), list(itertools.product(VALUES, BY)))
def test_constants(left, right):
    if not math.isfinite(left) or not written(right):
        return
    assert calculate("%", left, right) == rest(left, right)
    times = math.trunc(written(left) / written(right))
    assert calculate("div", left, right) == (float(times) if abs(times) < 2**1024 - 2**970 else None)


def test_a_zero_divides_nothing():
    assert calculate("%", 1, 0) is None
    assert calculate("%", 0.5, 0.0) is None
    assert calculate("%", 0.5, -0.0) is None


@pytest.fixture(scope="module")
def rows(_second_cluster, tmp_path_factory):
    """A service with the values as rows, as doubles and, where they are whole, as integers."""
    import psycopg

    from api.settings import Settings
    from layers.migrate import upgrade
    from tests.conftest import free_port, running
    from tests.integration.conftest import Workshop

    with psycopg.connect(_second_cluster, autocommit=True) as connection:
        connection.execute("DROP SCHEMA IF EXISTS features, directory, catalogue, search CASCADE")
    upgrade(_second_cluster)
    shop = Workshop(_second_cluster, tmp_path_factory.mktemp("rows"))
    shop.add("score", "number")
    shop.add("amount", "integer")
    shop.ingest(shop.geojson({"id": "a"}))
    for number, value in enumerate([*VALUES, math.inf, -math.inf, math.nan, None]):
        whole = (
            value if value is not None and math.isfinite(value) and value == int(value) and abs(value) < 2**63 else None
        )
        shop.sql(
            "INSERT INTO features.libraries (id, dataset, name_fr, name_ar, geom, score, amount)"
            " SELECT %s, dataset, name_fr, name_ar, geom, %s, %s FROM features.libraries WHERE id = 'a'",
            f"{number:02}", value, None if whole is None else int(whole),
        )  # fmt: skip
    shop.sql("UPDATE features.libraries SET amount = -9223372036854775808 WHERE id = 'a'")
    with running(Settings(port=free_port()), _second_cluster) as address, httpx.Client(base_url=address) as client:
        yield client


def found(client, text):
    answer = client.get("/collections/libraries/items", params={"filter": text, "properties": "", "limit": 1000})
    assert answer.status_code == 200, answer.text
    return {item["id"] for item in answer.json()["features"]}


@pytest.mark.parametrize("by", BY)
def test_rows_are_as_constants(rows, by):
    wanted = {f"{number:02}": rest(value, by) for number, value in enumerate(VALUES)}
    for name in ("score", "amount"):
        known = wanted.keys() if name == "score" else found(rows, "amount IS NOT NULL") - {"a"}
        left = {key: value for key, value in wanted.items() if key in known}
        if name == "amount":
            left = {
                key: value if abs(VALUES[int(key)]) <= 2**53 else float(math.copysign(
                    abs(Fraction(int(VALUES[int(key)]))) % abs(written(by)), VALUES[int(key)]))
                for key, value in left.items()
            }  # fmt: skip
        one = f"{name} % {by!r}"
        assert found(rows, f"{one} = 0") - {"a"} == {key for key, value in left.items() if value == 0}
        assert found(rows, f"{one} < 0") - {"a"} == {key for key, value in left.items() if value < 0}
        for value in {value for value in left.values() if 1e-300 < abs(value) < 1e15}:
            assert found(rows, f"{one} = {value!r}") - {"a"} == {key for key, other in left.items() if other == value}


@pytest.mark.parametrize("by", BY)
def test_rows_are_divided_as_constants_are(rows, by):
    times = {f"{number:02}": calculate("div", value, by) for number, value in enumerate(VALUES)}
    nothing = {key for key, value in times.items() if value is None}
    odd = {f"{len(VALUES) + number:02}" for number in range(4)}
    assert found(rows, f"(score div {by!r}) IS NULL") == (nothing | odd | {"a"} if written(by) else found(rows, "TRUE"))
    for value in {value for value in times.values() if value is not None and abs(value) < 1e15}:
        assert found(rows, f"score div {by!r} = {value!r}") - {"a"} == {
            k for k, other in times.items() if other == value
        }


def test_quotient_and_remainder_make_the_number(rows):
    for by in ("0.1", "0.01", "7", "1e-5"):
        whole = found(rows, f"score % {by} = 0 AND score BETWEEN -1e5 AND 1e5")
        assert whole
        near = f"score div {by} BETWEEN score / {by} - 0.5 AND score / {by} + 0.5"
        assert found(rows, f"score % {by} = 0 AND score BETWEEN -1e5 AND 1e5 AND {near}") == whole
    assert calculate("div", 0.3, 0.1) == 3
    assert calculate("div", 4.35, 0.01) == 435


def test_no_row_is_below_0_that_was_not(rows):
    assert found(rows, "score > 0 AND score % 0.01 < 0") == set()
    assert found(rows, "score < 0 AND score % 0.01 > 0") == set()


def test_what_has_no_remainder_is_null(rows):
    odd = {f"{len(VALUES) + number:02}" for number in range(4)}
    assert found(rows, "(score % 3) IS NULL") == odd | {"a"}
    assert found(rows, "(score % (score - score)) IS NULL") == found(rows, "score IS NULL OR score IS NOT NULL")
    assert found(rows, "amount % 10 = -8") >= {"a"}
    assert found(rows, "(1 % score) IS NULL") == odd | {"a"} | {
        f"{VALUES.index(0.0):02}",
        f"{VALUES.index(0.0) + 1:02}",
    }

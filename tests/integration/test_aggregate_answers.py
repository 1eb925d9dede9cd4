"""Figures in every format and language: what pages, tables and files say of them."""

import csv
import io
import re

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from tests.totals import moved

WARNINGS = {
    ("fr", "partial"): "cette couche est partielle",
    ("ar", "partial"): "هذه الطبقة جزئية",
    ("fr", "unknown"): "on ne sait pas si cette couche est complète",
    ("ar", "unknown"): "لا يُعرف هل هذه الطبقة كاملة",
}


@pytest.mark.parametrize("lang", ["fr", "ar"])
@pytest.mark.parametrize("layer", ["kiosks", "plots", "zones"])
def test_a_rate_carries_its_warning_everywhere(town, layer, lang):
    coverage = town.definitions[layer].coverage
    path = f"/collections/{layer}/aggregate?by=district&per=1000-inhabitants&lang={lang}"
    words = WARNINGS.get((lang, coverage))
    for form in ("json", "geojson"):
        body = town.client.get(f"{path}&f={form}").json()
        assert body["coverage"] == coverage
        assert (words in body["warning"]) if words else ("warning" not in body)
    for item in body["features"]:
        assert item["properties"]["coverage"] == coverage
        assert (words in item["properties"]["warning"]) if words else (item["properties"]["warning"] is None)
    rows = list(csv.DictReader(io.StringIO(town.client.get(f"{path}&f=csv").text)))
    assert len(rows) == len(body["features"])
    for row in rows:
        assert row["coverage"] == coverage
        assert (words in row["warning"]) if words else (row["warning"] == "")
    page = town.client.get(f"{path}&f=html").text
    assert 'class="notice"' in page if words else 'class="notice"' not in page
    assert words is None or words in page
    # Without a rate there is nothing to warn of, but the coverage stays.
    plain = town.client.get(f"/collections/{layer}/aggregate?by=district&f=csv&lang={lang}").text
    assert {row["coverage"] for row in csv.DictReader(io.StringIO(plain))} == {coverage}
    assert "warning" not in plain.splitlines()[0]


@pytest.mark.parametrize(("lang", "a", "nothing", "yes"), [("fr", "Sorte a", "Non renseigné", "oui"), ("ar", "نوع a", "غير معروف", "نعم")])  # fmt: skip
def test_labels_are_the_readers(town, lang, a, nothing, yes):
    labels = {
        row["key"]: row["label"] for row in town.get("/collections/kiosks/aggregate", by="kind", lang=lang)["results"]
    }
    assert labels["a"] == a
    assert labels[None] == nothing
    labels = {
        row["key"]: row["label"] for row in town.get("/collections/kiosks/aggregate", by="open", lang=lang)["results"]
    }
    assert labels[True] == yes


@pytest.mark.parametrize(
    "query",
    [
        "by=district&measure=length", "by=district&per=1000-inhabitants", "by=grid&size=3000&measure=length",
        "by=kind&measure=mean&field=score", "by=open", "by=day", "measure=max&field=amount", "by=tags",
    ],
)  # fmt: skip
@pytest.mark.parametrize("lang", ["fr", "ar"])
def test_all_formats_say_the_same(town, tmp_path, query, lang):
    path = f"/collections/roads/aggregate?{query}&lang={lang}"
    answers = {form: town.client.get(f"{path}&f={form}") for form in ("json", "csv", "geojson", "html")}
    assert {answer.status_code for answer in answers.values()} == {200}
    assert {answer.headers["content-language"] for answer in answers.values()} == {lang}
    assert answers["json"].headers["content-type"] == "application/json"
    assert answers["csv"].headers["content-type"].startswith("text/csv")
    assert answers["geojson"].headers["content-type"] == "application/geo+json"
    body = answers["json"].json()
    rows = body["results"]
    for row in csv.DictReader(io.StringIO(answers["csv"].text)):
        assert (row["measure"], row["unit"]) == (body["measure"], body["unit"] or "")
    table = pd.read_csv(io.BytesIO(answers["csv"].content), dtype={"key": str})
    assert len(table) == len(rows)
    for number, row in enumerate(rows):
        for name, value in row.items():
            got = table[name][number]
            if value is None:
                assert pd.isna(got)
            elif isinstance(value, float):
                assert got == pytest.approx(value, rel=1e-12)
            elif name == "key":
                assert got == (str(value).lower() if isinstance(value, bool) else str(value))
            else:
                assert got == value
    features = answers["geojson"].json()["features"]
    for item, row in zip(features, rows, strict=True):
        assert item.get("id") == row["key"]
        assert {name: item["properties"][name] for name in row} == row
        assert (item["geometry"] is None) is (
            row["key"] is None or query.split("&")[0] not in ("by=district", "by=grid")
        )
    page = answers["html"].text
    assert f'lang="{lang}"' in page
    assert page.count("<tr>") == 1 + len(rows)
    assert "<script>" not in page.split("<body")[1]
    for form in ("csv", "geojson", "json"):
        address = re.search(rf'href="([^"]*f={form}[^"]*)"', page.split("<main")[1])[1].replace("&amp;", "&")
        again = town.client.get(address)
        assert again.headers["content-type"] == answers[form].headers["content-type"]
        assert again.headers["content-language"] == lang


@pytest.mark.parametrize(
    ("lang", "chosen", "unit"),
    [("fr", ["Catégorie", "Établissement scolaire"], "m²"), ("ar", ["الصنف", "مؤسسة تعليمية"], "م²")],
)
def test_the_page_says_what_was_chosen(client, lang, chosen, unit):
    """Numbers of a part of a layer must not be taken for those of the whole."""
    path = f"/collections/facilities/aggregate?by=district&per=1000-inhabitants&f=html&lang={lang}"
    text = client.get(f"{path}&category=school&filter=name_fr LIKE '<b>%25'&bbox=-8,33,-7,34").text
    for word in [*chosen, "name_fr LIKE &#39;&lt;b&gt;%&#39;", "-8,33,-7,34"]:
        assert f"<bdi>{word}</bdi>" in text
    assert chosen[1] not in client.get(path).text
    # A count is its own value: the name, the count, inhabitants, the rate.
    assert text.split("<thead>")[1].split("</thead>")[0].count("<th ") == 4
    text = client.get(f"/collections/districts/aggregate?measure=area&by=kind&f=html&lang={lang}").text
    assert f"<bdi>{unit}</bdi>" in text
    assert text.split("<thead>")[1].split("</thead>")[0].count("<th ") == 3


@pytest.mark.parametrize("lang", ["fr", "ar"])
def test_numbers_of_a_column_have_as_many_decimals(client, lang):
    path = "/collections/facilities/aggregate?by=district&per=1000-inhabitants"
    text = client.get(f"{path}&f=html&lang={lang}").text.split("<tbody>")[1].split("</tbody>")[0]
    cells = [re.findall(r'class="number"><bdi>([^<]*)</bdi>', row) for row in text.split("<tr>")[1:]]
    rows = client.get(path).json()["results"]
    rates = [row["rate"] for row in rows]
    # The smallest shows two digits that count; some would be written shorter alone.
    assert 0.01 < min(rate for rate in rates if rate) < 0.1
    assert any(f"{rate:.3f}".endswith("0") for rate in rates if rate)
    shown = ["" if rate is None else f"{rate:.3f}".replace(".", ",") for rate in rates]
    assert [row[-1].replace("\u200e", "") for row in cells] == shown
    assert [row[0] for row in cells] == [str(row["count"]) for row in rows]


def test_districts_and_cells_can_be_coloured(town, tmp_path):
    path = tmp_path / "x.geojson"
    path.write_bytes(
        town.client.get("/collections/kiosks/aggregate?by=grid&size=2500&grid-crs=EPSG:26191&f=geojson").content
    )
    table = gpd.read_file(path)
    cells = table[table["key"].notna()]
    squares = [shapely.box(x, y, x + 2500, y + 2500) for x, y in zip(cells["x"], cells["y"], strict=True)]
    assert shapely.hausdorff_distance(cells.geometry.to_numpy(), moved(squares, 26191, 4326)).max() < 2e-7
    assert all(shape.exterior.is_ccw for shape in cells.geometry)  # RFC 7946, 3.1.6
    path.write_bytes(town.client.get("/collections/kiosks/aggregate?by=district&f=geojson").content)
    table = gpd.read_file(path)
    assert list(table["key"].dropna()) == [thing.id for thing in town.layers["districts"]]
    wanted = np.array([thing.degrees for thing in town.layers["districts"]])
    assert shapely.hausdorff_distance(table.geometry.to_numpy()[: len(wanted)], wanted).max() < 2e-7


def test_accept_links_and_head(town):
    path = "/collections/kiosks/aggregate"
    for accept, kind in (
        ("text/csv", "text/csv"),
        ("application/geo+json", "application/geo+json"),
        ("text/html", "text/html"),
    ):
        assert town.client.get(path, headers={"Accept": accept}).headers["content-type"].startswith(kind)
    head = town.client.head(f"{path}?by=kind")
    assert (head.status_code, head.content) == (200, b"")
    body = town.client.get(f"{path}?by=kind&filter=amount>3").json()
    links = {link["rel"] + link["type"]: link["href"] for link in body["links"]}
    assert town.client.get(links["selfapplication/json"]).json() == body
    assert town.client.get(links["alternatetext/csv"]).text.startswith(
        "key,label,count,value,measure,unit,coverage\r\n"
    )

"""The vocabulary covers what the shipped rows name."""

import csv
import json

import pytest

from api.settings import PROJECT
from geo.errors import DefinitionError
from layers.directory import load_vocabulary

DATA = PROJECT / "data"


def sources() -> set[str]:
    found = set()
    for name in ("facilities", "stops", "lines", "worksites", "directory"):
        with (DATA / f"{name}.csv").open(encoding="utf-8") as stream:
            found |= {row["source"] for row in csv.DictReader(stream)}
    districts = json.loads((DATA / "districts.geojson").read_text(encoding="utf-8"))
    return found | {feature["properties"]["source"] for feature in districts["features"]}


def test_every_source_of_a_row_has_a_name_in_both_languages():
    assert sources() == set(load_vocabulary(DATA).sources)


@pytest.mark.parametrize(
    ("name_fr", "name_ar", "own"),
    [
        ("Annexe administrative 13 Badr", "الملحقة الإدارية 13 بدر", True),
        ("ANNEXE Hay Hassani", "الحي الحسني", True),
        ("Bureau d'état civil", "ملحقة إدارية النسيم", True),
        ("arrondissement du Maârif", "مقاطعة المعاريف", True),
        ("Hay Hassani", "مقر مقاطعه الحي الحسني", True),
        ("Siège de l’arrondissement d'Anfa", "x", True),
        ("Commune de Casablanca", "جماعة الدار البيضاء", False),
        ("Préfecture d'arrondissements d'Aïn Chock", "عمالة مقاطعات عين الشق", False),
        ("Wilaya de la région Casablanca-Settat", "ولاية جهة الدار البيضاء-سطات", False),
    ],
)
def test_town_halls_and_annexes_are_told_by_either_name(name_fr, name_ar, own):
    assert load_vocabulary(DATA).offices.are_own(name_fr, name_ar) is own


def test_a_mistake_names_the_file_and_the_key(tmp_path):
    (tmp_path / "directory.yaml").write_text("categories: {a: {fr: A}}\nsources: {}\n", encoding="utf-8")
    with pytest.raises(DefinitionError) as caught:
        load_vocabulary(tmp_path)
    assert caught.value.params["file"] == "directory.yaml"
    assert "categories.a.ar" in str(caught.value.params["key"])

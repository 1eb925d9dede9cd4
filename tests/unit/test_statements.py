"""Statements: one a shape, names from the catalogue, values only ever bound."""

import datetime as dt
from dataclasses import replace

import pytest

from geo.bbox import BBox
from layers.catalogue import PublishedLayer
from layers.pages import cut_page_statement, page_statement
from layers.queries import ItemsShape, Sort, item_statement, properties
from layers.selection import Selection, few, learn
from layers.tables import layer_table
from tiles.statements import tile_fields, tile_statement


def publish(definition):
    return PublishedLayer(definition, layer_table(definition), 1, 0, None, None, None, dt.datetime.now(dt.UTC))


@pytest.fixture
def layer(raw, parse):
    raw["temporal"] = {"start": "opened", "end": "closed"}
    raw["tile_fields"] = ["kind", "name_fr"]
    return publish(parse(raw))


def test_a_shape_is_compiled_once(layer):
    shape = ItemsShape(Selection(boxes=1, equal=("kind",)))
    assert page_statement(layer, shape) is page_statement(layer, ItemsShape(Selection(boxes=1, equal=("kind",))))
    assert page_statement.cache_info().maxsize is not None


def test_another_version_of_a_layer_has_its_own_statement(layer):
    again = publish(layer.definition)
    assert item_statement(again) is not item_statement(layer)


@pytest.mark.parametrize("make", [page_statement, cut_page_statement])
def test_every_value_is_bound(layer, make):
    selection = Selection(boxes=2, after=True, before=True, equal=("kind", "name_fr"))
    shape = ItemsShape(selection, sort=(Sort("name_fr"), Sort("kind", True)), cursor=(False, True))
    statement = make(layer, shape)
    assert statement.fresh
    assert not make(layer, replace(shape, selection=replace(selection, few=True))).fresh
    assert set(statement.names) == {
        *(f"{side}{number}" for side in ("west", "south", "east", "north") for number in (0, 1)),
        *("after", "before", "equal_kind", "equal_name_fr", "after_fid", "after0", "page", "max_bytes"),
    }
    values = {name: name for name in statement.names}
    assert statement.arguments(values) == list(statement.names)
    assert f"${len(statement.names)}" in statement.sql


def test_a_box_is_moved_to_the_column_and_never_the_column(raw, parse):
    raw["geometry"]["srid"] = 26191
    sql = page_statement(publish(parse(raw)), ItemsShape(Selection(boxes=1))).sql
    condition = sql[sql.index("ST_Intersects(") :]
    assert condition.startswith("ST_Intersects(features.libraries.geom,")


def test_names_that_sql_knows_are_quoted(raw, parse):
    raw["fields"][2]["name"] = "order"
    raw["fields"][3]["name"] = "User"
    sql = page_statement(publish(parse(raw)), ItemsShape(Selection(equal=("order", "User")))).sql
    assert 'libraries."order" =' in sql
    assert 'libraries."User" =' in sql


def test_the_link_to_the_directory_is_a_property_only_where_there_is_one(raw, parse):
    assert "entry_id" not in properties(publish(parse(raw)))
    raw["directory"] = {"role": "body"}
    assert properties(publish(parse(raw)))[-1] == "entry_id"


def test_tiles_always_carry_both_names(layer):
    assert tile_fields(layer) == ["id", "name_fr", "name_ar", "kind"]
    assert set(tile_statement((layer,)).names) == {"matrix", "row", "column"}


def test_a_box_that_held_far_more_than_expected_ends_the_guessing(raw, parse):
    definition = parse(raw)
    world = BBox(-180, -90, 180, 90)
    layer = PublishedLayer(
        definition, layer_table(definition), 1, 1_000_000, world, None, None, dt.datetime.now(dt.UTC)
    )
    city, country = (BBox(-7.7, 33.5, -7.5, 33.6),), (BBox(-18, 20, -1, 36),)
    assert few(layer, city)
    assert not few(layer, country)
    learn(layer, Selection(boxes=1, few=True), 900)
    assert few(layer, city)
    learn(layer, Selection(boxes=1, few=True), None)
    assert not few(layer, city)

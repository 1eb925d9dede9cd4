"""The figures that shapely and geopandas make of the town's layers, to compare ours with."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import shapely
from pyproj import Geod

from api.settings import PROJECT

FIELDS, GEOMETRY = ["sum", "mean", "min", "max"], ["area", "length"]
GEOD = Geod(ellps="WGS84")
LAYERS = ["kiosks", "plots", "roads", "zones", "works", "nothing"]
SRIDS = {"kiosks": 4326, "plots": 26191, "roads": 4326, "zones": 26191, "works": 4326, "nothing": 4326, "world": 4326}
MEASURES = {
    "kiosks": ["count", *FIELDS], "plots": ["count", *FIELDS], "nothing": ["count", *FIELDS],
    "roads": ["count", "length", *FIELDS], "zones": ["count", "area", *FIELDS], "works": ["count", *GEOMETRY, *FIELDS],
}  # fmt: skip
#: Both sides reckon with GeographicLib and cut in the same plane, so only the cutting points' last digits part them.
CLOSE = {"rel": 1e-6, "abs": 0.05}


def moved(geometries, source, target):
    to = pyproj.Transformer.from_crs(source, target, always_xy=True)
    return shapely.transform(np.asarray(geometries, dtype=object), to.transform, interleaved=False)


class Oracle:
    """What pandas knows of the town: which part of which feature lies in which area."""

    def __init__(self, town):
        self.town = town
        self._kept = {}
        self.codes = [thing.id for thing in town.layers["districts"]]
        shipped = gpd.read_file(PROJECT / "data" / "districts.geojson").set_index("code")
        self.population = {year: shipped[f"population_{year}"].astype(int) for year in (2014, 2024)}

    def kept(self, make, *asked):
        if (make, *asked) not in self._kept:
            self._kept[(make, *asked)] = make(self, *asked)
        return self._kept[(make, *asked)]

    def table(self, layer):
        return self.kept(Oracle._table, layer)

    def by_district(self, layer):
        """Return a row for each feature and district that it belongs to, with the part of it inside; and all districts."""
        return self.kept(Oracle._by_district, layer)

    def by_grid(self, layer, size, srid):
        """Return a row for each feature and cell, the cells found one by one."""
        return self.kept(Oracle._by_grid, layer, size, srid)

    def _table(self, layer):
        things = self.town.layers[layer]
        table = pd.DataFrame(
            [thing.properties for thing in things], columns=["kind", "amount", "score", "open", "day", "tags"]
        )
        table = table.astype({"amount": "Float64", "score": "Float64"})
        return gpd.GeoDataFrame(table, geometry=[thing.geometry for thing in things], crs=SRIDS[layer])

    def _by_district(self, layer):
        table = self.table(layer)[["geometry"]]
        areas = gpd.GeoDataFrame(
            {"key": self.codes},
            geometry=list(moved([thing.degrees for thing in self.town.layers["districts"]], 4326, SRIDS[layer])),
            crs=SRIDS[layer],
        )
        pairs = gpd.sjoin(table, areas, predicate="intersects").sort_values("index_right")
        area = areas.geometry.to_numpy()[pairs["index_right"]]
        pairs = pairs.assign(row=pairs.index, area=area)
        return self._belonging(pairs, alone=True), areas.union_all()

    def _by_grid(self, layer, size, srid):
        table = self.table(layer)
        rows = []
        for number, shape in enumerate(moved(table.geometry, SRIDS[layer], srid)):
            low_x, low_y, high_x, high_y = shape.bounds
            for i in range(int(low_x // size), int(high_x // size) + 1):
                for j in range(int(low_y // size), int(high_y // size) + 1):
                    cell = shapely.box(i * size, j * size, (i + 1) * size, (j + 1) * size)
                    rows.append((number, f"{i * size:.12g}_{j * size:.12g}", shape, cell))
        pairs = pd.DataFrame(rows, columns=["row", "key", "geometry", "area"])
        # A point lies in the one cell that its bounds name.
        return self._belonging(pairs[shapely.intersects(pairs["area"], pairs["geometry"])], alone=False)

    @staticmethod
    def _belonging(pairs, alone):
        shapes, areas = pairs["geometry"].to_numpy(), pairs["area"].to_numpy()
        flat = shapely.get_dimensions(shapes) < 2
        shared = np.array([area.relate_pattern(shape, "T********") for area, shape in zip(areas, shapes, strict=True)])
        pairs = pairs[flat | shared.astype(bool)] if len(pairs) else pairs
        if alone:  # a point is in the first district that holds it
            single = shapely.get_type_id(pairs["geometry"].to_numpy()) == 0
            pairs = pairs[~single | ~pairs["row"].duplicated()]
        inside = shapely.intersection(pairs["geometry"].to_numpy(), pairs["area"].to_numpy())
        return pairs[["row", "key"]].assign(inside=inside)

    def chosen(self, layer, condition):
        table = self.table(layer)
        if condition is None:
            return np.ones(len(table), bool)
        kind, amount = condition
        return ((table["kind"] == kind) & (table["amount"] >= amount)).fillna(False).to_numpy(bool)


def metres(shapes, srid, measure):
    """Return areas or lengths on the ellipsoid."""
    wanted = 2 if measure == "area" else 1
    found = []
    for shape in moved(shapes, srid, 4326) if len(shapes) else []:
        parts = [part for part in shapely.get_parts(shape) if shapely.get_dimensions(part) == wanted]
        one = (lambda part: abs(GEOD.geometry_area_perimeter(shapely.normalize(part))[0])) if wanted == 2 else GEOD.geometry_length  # fmt: skip
        found.append(sum(map(one, parts)))
    return np.array(found)


def measured(rows, measure, name):
    """Return a group's measure from the rows of its features, as pandas has it; None where there is none."""
    if measure == "count":
        return len(rows)
    if measure in GEOMETRY:
        return rows["metres"].sum() if len(rows) else 0
    values = rows[name].dropna()
    if measure == "sum":
        # Of what is unknown of all, there is no sum.
        return float(values.sum()) if len(values) else None if len(rows) else 0
    return float(getattr(values, measure)()) if len(values) else None

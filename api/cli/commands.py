"""The commands and their help.

Only what ``--help`` needs is imported here; each command brings its own when it runs.
"""

from __future__ import annotations

import sys
from pathlib import Path

import click

from api.cli.bootstrap import use_environment

VERSION = "1.0.0"
#: Values of ``--format``, as :data:`layers.export.EXTENSIONS` has them.
FORMATS = ("json", "jsonseq", "csv", "fgb", "gpkg", "parquet", "kml", "shp")


class Examples(click.Group):
    """A group that lists its commands in the order of a newcomer's day."""

    def list_commands(self, _ctx: click.Context) -> list[str]:
        """Return the commands in the order of their definition."""
        return list(self.commands)


@click.group(cls=Examples, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(VERSION, prog_name="casamaps", message="%(prog)s %(version)s")
def cli() -> None:
    """CasaMaps: the city's interactive map, its layers and their API.

    \b
    Start it, then open http://127.0.0.1:8000:
      ./casamaps up

    \b
    Other things to do:
      ./casamaps up --port 8080              on another port
      ./casamaps ingest worksites july.csv   take data into a layer
      ./casamaps export worksites july.gpkg  write a layer to a file
      ./casamaps doctor                      what is missing on this machine?
      ./casamaps test                        lint, types and all tests

    Settings are environment variables: ./casamaps settings lists them.
    """  # noqa: D301 - click reads \b as the mark of a block to keep


@cli.command()
@click.option("--host", metavar="ADDRESS", help="Address to listen on  [default: 127.0.0.1, or CASAMAPS_HOST]")
@click.option(
    "--port", type=click.IntRange(1, 65535), metavar="PORT", help="Port to listen on  [default: 8000, or CASAMAPS_PORT]"
)
def up(host: str | None, port: int | None) -> None:
    """Start everything and serve the map until Ctrl-C.

    The first start installs what is missing and loads the shipped data. A start after a `git pull` applies what has
    changed, and never touches rows that you have added.

    \b
    Examples:
      ./casamaps up
      ./casamaps up --host 0.0.0.0 --port 8080
      CASAMAPS_DATABASE_URL=postgresql://maps@db.example.org/maps ./casamaps up
      CASAMAPS_DATA_DIR=/srv/maps-b ./casamaps up --port 8001     a second instance
      CASAMAPS_PUBLIC_URL=https://portal.example.org/maps ./casamaps up
    """  # noqa: D301 - click reads \b as the mark of a block to keep
    from api.cli.up import up as run
    from api.settings import load_settings

    with use_environment():
        run(load_settings(host=host, port=port))


@cli.command()
@click.argument("layer")
@click.argument("file", required=False, type=click.Path(path_type=Path))
@click.option("--dataset", metavar="NAME", help="Whose rows these are  [default: the file's name]")
@click.option("--srid", type=int, metavar="N", help="EPSG code of the file's coordinates, where the file doesn't say")
@click.option("--source-layer", metavar="NAME", help="Layer within the file, such as one of a GeoPackage")
def ingest(layer: str, file: Path | None, dataset: str | None, srid: int | None, source_layer: str | None) -> None:
    """Take the data of FILE into LAYER.

    LAYER is the id of a definition in data/layers, or the path of a definition file. The rows of an earlier version of
    the same data set are replaced; other people's rows are not touched. Without FILE, the layer's shipped data is
    loaded again. Works while `up` is running, too.

    \b
    Examples:
      ./casamaps ingest worksites july.csv
      ./casamaps ingest facilities survey.gpkg --source-layer schools --dataset survey-2026
      ./casamaps ingest districts plan.shp --srid 26191
      ./casamaps ingest worksites
    """  # noqa: D301 - click reads \b as the mark of a block to keep
    from api.cli.ingest import ingest as run
    from api.settings import load_settings

    with use_environment():
        run(load_settings(), layer, file, dataset=dataset, srid=srid, source_layer=source_layer)


@cli.group(cls=Examples)
def directory() -> None:
    """Look after the annuaire."""


@directory.command()
def report() -> None:
    """Name what should be looked at by hand.

    That is: entries to which no feature is linked, features without an entry, and entries that are likely the same,
    as their names are alike and they are less than 250 m apart. Works while `up` is running, too.

    \b
    Example:
      ./casamaps directory report
    """  # noqa: D301 - click reads \b as the mark of a block to keep
    from api.cli.directory import report as run
    from api.settings import load_settings

    with use_environment():
        run(load_settings())


@cli.command()
@click.argument("layer")
@click.argument("out", type=click.Path(path_type=Path, allow_dash=True))
@click.option("--format", "form", type=click.Choice(FORMATS), help="Format  [default: by the ending of OUT]")
@click.option("--force", is_flag=True, help="Replace OUT if it exists")
@click.option("--filter", metavar="CQL2", help="Features for which this is true")
@click.option("--filter-lang", metavar="LANG", help="cql2-text or cql2-json  [default: cql2-text]")
@click.option("--filter-crs", metavar="CRS", help="CRS of the geometries in the filter  [default: longitude, latitude]")
@click.option("--bbox", metavar="W,S,E,N", help="Features that touch this box")
@click.option("--bbox-crs", metavar="CRS", help="CRS of the box  [default: longitude, latitude]")
@click.option(
    "--datetime", metavar="WHEN", help="Features of this day, moment or interval: 2026-11-23, a/b, a/.., ../b"
)
@click.option("--properties", metavar="NAME,…", help="Only these fields  [default: all]")
@click.option("--skip-geometry", is_flag=True, help="Without the geometry")
@click.option("--sortby", metavar="NAME,…", help="Order by these fields; -NAME for descending order")
@click.option("--crs", metavar="CRS", help="CRS of the file, such as EPSG:26191  [default: longitude, latitude]")
@click.option(
    "--lang", type=click.Choice(["fr", "ar"]), default="fr", help="Language of titles and labels  [default: fr]"
)
@click.option("--geometry-format", metavar="KIND", help="In CSV: wkt, or lonlat for points  [default: wkt]")
@click.option("--bom", is_flag=True, help="In CSV: begin with a byte order mark, for spreadsheets")
def export(
    layer: str,
    out: Path,
    form: str | None,
    force: bool,
    lang: str,
    skip_geometry: bool,
    bom: bool,
    **given: str | None,
) -> None:
    """Write LAYER, or a selection of it, to the file OUT.

    LAYER is a layer's id. The ending of OUT says the format: .geojson or .json, .geojsons (a text a line), .csv, .fgb
    (FlatGeobuf), .gpkg (GeoPackage), .parquet (GeoParquet), .kml, .zip (Shapefile). OUT appears when it is whole, and
    an existing file is replaced with --force only. With - as OUT, json, jsonseq and csv go to standard output. Works
    while `up` is running, too, and without.

    A CRS is EPSG:4326, 3857, 32629 (UTM 29N), 26191 (Merchich / Nord Maroc), OGC:CRS84, or the layer's own. Filters are
    those of the API, in CQL2; put them into quotes for the shell.

    \b
    Examples:
      ./casamaps export districts districts.gpkg
      ./casamaps export facilities health.csv --filter "category IN ('hospital', 'clinic')" --bom
      ./casamaps export facilities centre.parquet --bbox -7.63,33.58,-7.60,33.60
      ./casamaps export worksites november.zip --datetime 2026-11-01/2026-11-30 --crs EPSG:26191
      ./casamaps export districts - --format csv --skip-geometry --sortby -population_2024 | head
    """  # noqa: D301 - click reads \b as the mark of a block to keep
    from api.cli.export import export as run
    from api.settings import load_settings

    asked = {name.replace("_", "-"): value for name, value in given.items() if value is not None}
    asked |= {name: "true" for name, on in (("skipGeometry", skip_geometry), ("bom", bom)) if on}
    with use_environment():
        run(load_settings(), layer, out, asked, form=form, lang=lang, force=force)


@cli.group("map", cls=Examples)
def map_() -> None:
    """Look after the maps."""


@map_.command("export")
@click.argument("map_id", metavar="MAP")
@click.argument("out", type=click.Path(path_type=Path))
@click.option("--lang", type=click.Choice(["fr", "ar"]), default="fr", help="Language of the map  [default: fr]")
@click.option("--overwrite", is_flag=True, help="Replace OUT if it exists")
def export_map(map_id: str, out: Path, lang: str, overwrite: bool) -> None:
    """Write MAP to the file OUT, a page that opens from a disk and needs no network.

    MAP is a map's id, as in its address: city, transport, district-06.141.01.01. Scripts, styles, features and cards
    lie within the file. What needs the service (search, near me, links to share) is left out. Works while `up`
    is running, too, and without.

    \b
    Examples:
      ./casamaps map export city casablanca.html
      ./casamaps map export worksites chantiers.html --lang ar --overwrite
    """  # noqa: D301 - click reads \b as the mark of a block to keep
    from typing import cast

    from api.cli.map_export import export_map as run
    from api.i18n import Lang
    from api.settings import load_settings

    with use_environment():
        run(load_settings(), map_id, out, lang=cast("Lang", lang), overwrite=overwrite)


@cli.command(context_settings={"ignore_unknown_options": True})
@click.option(
    "--thorough",
    is_flag=True,
    help="Search longer for counter-examples in the property tests, and ask with QGIS (some 200 MB of system packages)",
)
@click.option("--acceptance", is_flag=True, help="Demand the acceptance tests, too (so does CI=true)")
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED, metavar="[-- PYTEST ARGUMENTS]")
def test(thorough: bool, acceptance: bool, arguments: tuple[str, ...]) -> None:
    """Run lint, types, the import contract and all tests.

    Tests use a throwaway PostGIS and a real browser; what is missing of them is installed first.

    \b
    Examples:
      ./casamaps test
      ./casamaps test -- -k tiles -x
      ./casamaps test -- tests/unit
    """  # noqa: D301 - click reads \b as the mark of a block to keep
    from api.cli.test import test as run

    with use_environment():
        status = run(list(arguments), thorough=thorough, acceptance=acceptance)
    sys.exit(status)


@cli.command(context_settings={"ignore_unknown_options": True}, add_help_option=False)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED, metavar="[PARTS] [OPTIONS]")
def bench(arguments: tuple[str, ...]) -> None:
    """Measure the service on a million features.

    Beside a bare handler and pgbench, on a throwaway PostGIS, in some minutes. The exit status is 0 if all goals are
    reached; on a machine that does other work they are not worth much.

    \b
    Examples:
      ./casamaps bench
      ./casamaps bench questions --rounds 9
      ./casamaps bench export --format gpkg
      ./casamaps bench panning
      ./casamaps bench --help
    """  # noqa: D301 - click reads \b as the mark of a block to keep
    from api.cli.bench import bench as run

    with use_environment():
        status = run(list(arguments))
    sys.exit(status)


@cli.command()
def doctor() -> None:
    """Say what is there, what is missing, and how to get it.

    Changes nothing. The exit status is 0 if `up` can work.
    """
    from api.cli.doctor import doctor as run
    from api.settings import load_settings

    sys.exit(run(load_settings()))


@cli.command()
def settings() -> None:
    """List the settings: environment variables, their values now and what they mean."""
    from api.cli.doctor import show_settings

    show_settings()


@cli.command()
@click.option("--yes", is_flag=True, help="Don't ask")
def reset(yes: bool) -> None:
    """Remove all that CasaMaps made: database, environment, browser packages, logs.

    Lists everything first, and asks. Your own files in the data folder and your own PostGIS are left alone.
    """
    from api.cli.reset import reset as run
    from api.settings import load_settings

    run(load_settings(), yes=yes)

"""The catalogue that open-data portals harvest: the layers and their downloads in DCAT 3, as JSON-LD.

It follows DCAT-AP 3 (what is mandatory, ranges, controlled vocabularies of the European Union) and GeoDCAT-AP for the
coordinate systems. The context stands in the document, so that nobody has to ask another host to read it.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Sequence
from typing import Any

from api.i18n import LANGUAGES, Lang, Messages, messages
from api.links import FEATURE_TYPES, Links
from geo.bbox import BBox, around
from geo.crs import CRS84, DEFAULT_CRS, WGS84_SRID, parse_crs
from layers.catalogue import PublishedLayer
from layers.definition import Text
from layers.export import EXTENSIONS, Format

Json = dict[str, Any]

CONTEXT = {
    "adms": "http://www.w3.org/ns/adms#",
    "dcat": "http://www.w3.org/ns/dcat#",
    "dct": "http://purl.org/dc/terms/",
    "dqv": "http://www.w3.org/ns/dqv#",
    "foaf": "http://xmlns.com/foaf/0.1/",
    "geosparql": "http://www.opengis.net/ont/geosparql#",
    "locn": "http://www.w3.org/ns/locn#",
    "oa": "http://www.w3.org/ns/oa#",
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "rdfs": "http://www.w3.org/2000/01/rdf-schema#",
    "skos": "http://www.w3.org/2004/02/skos/core#",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
}
_EU = "http://publications.europa.eu/resource/authority"
_IANA = "https://www.iana.org/assignments/media-types"
#: GeoJSON as a literal: the older type, which is the one that harvesters look for.
_GEOJSON = f"{_IANA}/application/vnd.geo+json"
_SPATIAL_REFERENCE = "http://inspire.ec.europa.eu/glossary/SpatialReferenceSystem"
_DIMENSION = "http://www.w3.org/2016/05/ldqd#"
_LANGUAGES: dict[Lang, str] = {"fr": "FRA", "ar": "ARA"}
_FREQUENCIES = {
    "continuous": "UPDATE_CONT",
    "daily": "DAILY",
    "weekly": "WEEKLY",
    "monthly": "MONTHLY",
    "quarterly": "QUARTERLY",
    "annual": "ANNUAL",
    "irregular": "IRREG",
}
#: Data themes of the European Union; a layer of another theme has none.
_THEMES = {"administration": "REGI", "services": "GOVE", "transport": "TRAN", "works": "REGI", "environment": "ENVI"}
#: File types of the European Union, which has none for the others.
_FILE_TYPES: dict[Format, str] = {
    "json": "GEOJSON",
    "csv": "CSV",
    "gpkg": "GPKG",
    "parquet": "PARQUET",
    "kml": "KML",
    "shp": "SHP",
}
_LABELS: dict[Format, str] = {"jsonseq": "GeoJSONSeq", "fgb": "FlatGeobuf"}
_SERVICES = {"features": "ogcapi-features-1", "tiles": "ogcapi-tiles-1"}


def _both(write: Callable[[Lang], str]) -> list[Json]:
    # French first: harvesters that know one language only take the first.
    return [{"@language": lang, "@value": write(lang)} for lang in LANGUAGES]


def _said(key: str, **more: object) -> list[Json]:
    return _both(lambda lang: messages(lang)(key, **more))


def _text(text: Text) -> list[Json]:
    return _both(lambda lang: text[lang])


def _node(iri: str, kind: str, **more: Any) -> Json:
    return {"@id": iri, "@type": kind, **more}


def _typed(value: str, kind: str) -> Json:
    return {"@type": kind, "@value": value}


def _moment(value: dt.datetime) -> Json:
    return _typed(value.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ"), "xsd:dateTime")


def _languages() -> list[Json]:
    return [_node(f"{_EU}/language/{code}", "dct:LinguisticSystem") for code in _LANGUAGES.values()]


def _location(box: BBox) -> Json:
    """Return a place as its box: WKT for what DCAT asks, GeoJSON for the harvesters that read nothing else."""
    corners = [(box.west, box.south), (box.east, box.south), (box.east, box.north), (box.west, box.north)]
    ring = [*corners, corners[0]]
    wkt = ", ".join(f"{x} {y}" for x, y in ring)
    return {
        "@type": "dct:Location",
        "dcat:bbox": _typed(f"POLYGON(({wkt}))", "geosparql:wktLiteral"),
        "locn:geometry": _typed(json.dumps({"type": "Polygon", "coordinates": [ring]}), _GEOJSON),
    }


def _standard(uri: str) -> Json:
    return _node(uri, "dct:Standard", **{"dct:type": {"@id": _SPATIAL_REFERENCE}})


class Catalogue:
    """Writes the catalogue of a service with this address.

    Parameters
    ----------
    links : Links
        Makes absolute links, from the public address.
    """

    def __init__(self, links: Links) -> None:
        self._links = links
        self._common: Json = {
            "dct:publisher": _node(
                links.url() + "#publisher",
                "foaf:Agent",
                **{"foaf:name": _said("layout.name"), "foaf:homepage": _node(links.url(), "foaf:Document")},
            ),
            "dct:language": _languages(),
        }
        self._open: Json = {"dct:accessRights": _node(f"{_EU}/access-right/PUBLIC", "dct:RightsStatement")}

    def document(self, layers: Sequence[PublishedLayer]) -> Json:
        """Return the whole catalogue."""
        links = self._links
        body: Json = _node(links.url("collections"), "dcat:Catalog", **self._common)
        body |= {
            "dct:title": _said("dcat.title"),
            "dct:description": _said("dcat.description"),
            "foaf:homepage": _node(links.url(), "foaf:Document"),
            "dct:rights": self._rights(links.url("collections"), _said("layout.attribution")),
            "dcat:themeTaxonomy": _node(
                f"{_EU}/data-theme", "skos:ConceptScheme", **{"dct:title": _said("dcat.taxonomy")}
            ),
        }
        if layers:
            body["dct:modified"] = _moment(max(layer.updated for layer in layers))
        if (hull := around(layer.extent for layer in layers if layer.extent)) is not None:
            body["dct:spatial"] = _location(hull)
        body["dcat:dataset"] = [self._dataset(layer) for layer in layers]
        body["dcat:service"] = [self._service(name, layers) for name in _SERVICES]
        return {"@context": CONTEXT, **body}

    def dataset(self, layer: PublishedLayer) -> Json:
        """Return one layer's part of the catalogue."""
        return {"@context": CONTEXT, **self._dataset(layer)}

    def _iri(self, layer: PublishedLayer) -> str:
        return self._links.url("collections", layer.id)

    def _rights(self, iri: str, label: list[Json]) -> Json:
        return _node(iri + "#rights", "dct:RightsStatement", **{"rdfs:label": label})

    def _dataset(self, layer: PublishedLayer) -> Json:
        definition, iri = layer.definition, self._iri(layer)
        body: Json = _node(iri, "dcat:Dataset", **self._common, **self._open)
        body |= {
            "dct:identifier": iri,
            "dct:title": _text(definition.title),
            "dct:description": _both(lambda lang: _description(layer, messages(lang))),
            "dct:modified": _moment(layer.updated),
            "dct:accrualPeriodicity": _node(f"{_EU}/frequency/{_FREQUENCIES[definition.update]}", "dct:Frequency"),
            "dct:license": _licence(layer),
            "dct:rights": self._rights(iri, _text(definition.attribution)),
            "dct:provenance": _node(
                iri + "#provenance", "dct:ProvenanceStatement", **{"rdfs:label": _text(definition.source)}
            ),
            "dct:conformsTo": _standard(_storage(layer)),
            "dcat:keyword": [*_said(f"map.theme-{definition.theme}"), *_said("dcat.place")],
            "dcat:landingPage": _node(self._links.url("collections", layer.id, f="html"), "foaf:Document"),
            "dqv:hasQualityAnnotation": [
                _annotation("completeness", _said(f"pages.coverage.{definition.coverage}")),
                _annotation("semanticAccuracy", _said(f"pages.quality.{definition.geometry.quality}")),
            ],
            **_theme(definition.theme),
            **_where_and_when(layer),
        }
        body["dcat:distribution"] = [self._distribution(layer, form) for form in EXTENSIONS]
        return body

    def _distribution(self, layer: PublishedLayer, form: Format) -> Json:
        iri = self._iri(layer)
        address = {"@id": self._links.url("collections", layer.id, "export", f=form)}
        body: Json = _node(f"{iri}#{form}", "dcat:Distribution")
        body |= {
            "dct:title": _said(f"formats.{form}"),
            # The file itself, with no page before it.
            "dcat:accessURL": address,
            "dcat:downloadURL": address,
            "dct:format": _file_type(form),
            "dcat:mediaType": _node(f"{_IANA}/{FEATURE_TYPES[form]}", "dct:MediaType"),
            "dct:license": _licence(layer),
            "dct:rights": {"@id": iri + "#rights"},
            "dct:language": _languages(),
            "dct:modified": _moment(layer.updated),
            "dct:conformsTo": _standard(CRS84),
        }
        if form == "shp":
            body["dcat:packageFormat"] = _node(f"{_IANA}/application/zip", "dct:MediaType")
        return body

    def _service(self, name: str, layers: Sequence[PublishedLayer]) -> Json:
        links = self._links
        endpoint = links.url("tiles") if name == "tiles" else links.url()
        iri = f"{links.url()}#{name}"
        body: Json = _node(iri, "dcat:DataService", **self._common, **self._open)
        body |= {
            "dct:identifier": iri,
            "dct:title": _said(f"dcat.services.{name}.title"),
            "dct:description": _said(f"dcat.services.{name}.description"),
            "dcat:endpointURL": {"@id": endpoint},
            "dcat:endpointDescription": {"@id": links.url("api", f="json")},
            "dcat:landingPage": _node(links.url("api", f="html"), "foaf:Document"),
            "dct:conformsTo": _node(f"http://www.opengis.net/spec/{_SERVICES[name]}/1.0", "dct:Standard"),
            "dcat:keyword": [{"@value": "OGC API"}, *_said("dcat.place")],
            "dcat:servesDataset": [{"@id": self._iri(layer)} for layer in layers],
        }
        return body


def _description(layer: PublishedLayer, t: Messages) -> str:
    """Say what a layer is, and what must be known before it is used: portals show nothing else."""
    definition, lang = layer.definition, "ar" if t.lang == "ar" else "fr"
    parts = [definition.description[lang]]
    if definition.notice:
        parts.append(definition.notice[lang])
    coverage, quality = t(f"pages.coverage.{definition.coverage}"), t(f"pages.quality.{definition.geometry.quality}")
    parts.append(t("dcat.quality", coverage=coverage, quality=quality))
    return "\n\n".join(parts)


def _licence(layer: PublishedLayer) -> Json:
    licence = layer.definition.licence
    return _node(licence.url, "dct:LicenseDocument", **{"dct:title": licence.id})


def _storage(layer: PublishedLayer) -> str:
    srid = layer.definition.geometry.srid
    return DEFAULT_CRS.uri if srid == WGS84_SRID else parse_crs(f"EPSG:{srid}", "crs", srid).uri


def _annotation(dimension: str, words: list[Json]) -> Json:
    """Return a word about the quality of a dataset (W3C Data Quality Vocabulary)."""
    return {
        "@type": "dqv:QualityAnnotation",
        "dqv:inDimension": {"@id": _DIMENSION + dimension},
        "oa:motivatedBy": {"@id": "dqv:qualityAssessment"},
        "oa:hasBody": {"@type": "oa:TextualBody", "rdf:value": words},
    }


def _theme(theme: str) -> Json:
    code = _THEMES.get(theme)
    if code is None:
        return {}
    scheme = {"@id": f"{_EU}/data-theme"}
    label = _said(f"dcat.themes.{code}")
    return {
        "dcat:theme": _node(
            f"{_EU}/data-theme/{code}", "skos:Concept", **{"skos:prefLabel": label, "skos:inScheme": scheme}
        )
    }


def _where_and_when(layer: PublishedLayer) -> Json:
    found: Json = {}
    if layer.extent:
        found["dct:spatial"] = _location(layer.extent)
    temporal = layer.definition.temporal
    if temporal and (layer.starts or layer.ends):
        ends = (("startDate", temporal.start, layer.starts), ("endDate", temporal.end, layer.ends))
        # Without an IRI, which harvesters would try to fetch.
        period: Json = {"@type": "dct:PeriodOfTime"}
        period |= {f"dcat:{name}": _end(layer, field, moment) for name, field, moment in ends if moment}
        found["dct:temporal"] = period
    return found


def _end(layer: PublishedLayer, name: str, moment: dt.datetime) -> Json:
    field = layer.definition.field(name)
    if field is None or field.type != "date":
        return _moment(moment)
    # A date is kept as the midnight of the database's own time zone; twelve hours later it is that day in UTC, too.
    return _typed((moment.astimezone(dt.UTC) + dt.timedelta(hours=12)).date().isoformat(), "xsd:date")


def _file_type(form: Format) -> Json:
    code = _FILE_TYPES.get(form)
    if code is not None:
        return _node(f"{_EU}/file-type/{code}", "dct:MediaTypeOrExtent")
    return {"@type": "dct:MediaTypeOrExtent", "rdfs:label": _LABELS[form]}

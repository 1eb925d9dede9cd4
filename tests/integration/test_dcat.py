"""The catalogue for open-data portals, read by rdflib without a network, held to DCAT-AP 3 and to what harvesters do."""

import json
import re

import httpx
import pytest
import shapely
from rdflib import Graph, Literal, URIRef
from rdflib.namespace import DCAT, DCTERMS, FOAF, RDF, RDFS, SKOS, XSD
from rdflib.util import SUFFIX_FORMAT_MAP, guess_format

from layers.export import EXTENSIONS

# rdflib's own parser makes a graph of a class that rdflib would rather not have.
pytestmark = pytest.mark.filterwarnings("ignore:ConjunctiveGraph is deprecated:DeprecationWarning")

LAYERS = {"directory", "districts", "facilities", "transport-lines", "transport-stops", "worksites"}
IANA = "https://www.iana.org/assignments/media-types/"
EU = "http://publications.europa.eu/resource/authority/"
GEOSPARQL_WKT = URIRef("http://www.opengis.net/ont/geosparql#wktLiteral")
LOCN = "http://www.w3.org/ns/locn#"
PREFIXES = """
PREFIX dcat: <http://www.w3.org/ns/dcat#>  PREFIX dct: <http://purl.org/dc/terms/>
PREFIX foaf: <http://xmlns.com/foaf/0.1/>  PREFIX skos: <http://www.w3.org/2004/02/skos/core#>
PREFIX rdfs: <http://www.w3.org/2000/01/rdf-schema#>  PREFIX xsd: <http://www.w3.org/2001/XMLSchema#>
PREFIX dqv: <http://www.w3.org/ns/dqv#>  PREFIX oa: <http://www.w3.org/ns/oa#>
PREFIX rdf: <http://www.w3.org/1999/02/22-rdf-syntax-ns#>  PREFIX locn: <http://www.w3.org/ns/locn#>
"""
ANY = 99
#: DCAT-AP 3.0: how often each property of a class may stand, and whether it is a literal (the profile's SHACL shapes).
CARDINALITIES = """
dcat:Catalog      dct:title literal 1 99         | dct:description literal 1 99     | dct:publisher node 1 1
dcat:Catalog      dct:license node 0 1           | dct:modified date 0 1            | dct:rights node 0 1
dcat:Catalog      foaf:homepage node 0 1         | dct:language node 0 99           | dct:spatial node 0 99
dcat:Catalog      dcat:dataset node 1 99         | dcat:service node 1 99           | dcat:themeTaxonomy node 0 99
dcat:Dataset      dct:title literal 1 99         | dct:description literal 1 99     | dct:publisher node 1 1
dcat:Dataset      dct:identifier literal 1 99    | dct:accessRights node 0 1        | dct:accrualPeriodicity node 1 1
dcat:Dataset      dct:modified date 1 1          | dct:provenance node 0 99         | dct:conformsTo node 1 99
dcat:Dataset      dcat:keyword literal 1 99      | dcat:landingPage node 1 99       | dcat:theme iri 0 99
dcat:Dataset      dcat:distribution node 1 99    | dct:spatial node 0 99            | dct:temporal node 0 99
dcat:Dataset      dct:language node 2 2          | dct:license node 1 1             | dct:rights node 1 1
dcat:Distribution dcat:accessURL node 1 99       | dcat:downloadURL node 1 1        | dcat:mediaType iri 1 1
dcat:Distribution dct:format node 1 1            | dct:license node 1 1             | dct:rights node 0 1
dcat:Distribution dct:title literal 1 99         | dct:modified date 0 1            | dcat:packageFormat node 0 1
dcat:DataService  dcat:endpointURL node 1 99     | dct:title literal 1 99           | dcat:endpointDescription node 1 99
dcat:DataService  dct:license node 0 1           | dct:publisher node 0 1           | dcat:servesDataset node 1 99
dcat:DataService  dct:accessRights node 0 1      | dct:description literal 1 99     | dct:conformsTo node 1 99
foaf:Agent        foaf:name literal 1 99         | dct:type node 0 1                | foaf:homepage node 0 1
skos:Concept      skos:prefLabel literal 1 99    | skos:inScheme node 0 99          | skos:notation literal 0 1
skos:ConceptScheme dct:title literal 1 99        | dct:issued date 0 1              | dct:modified date 0 1
dct:Location      dcat:bbox literal 1 1          | locn:geometry literal 0 1        | dcat:centroid literal 0 1
dct:PeriodOfTime  dcat:startDate date 0 1        | dcat:endDate date 0 1            | skos:prefLabel literal 0 9
"""
#: DCAT-AP 3.0: the class of what each property leads to (the profile's shapes of ranges).
RANGES = {
    "dct:publisher": "foaf:Agent",
    "dct:language": "dct:LinguisticSystem",
    "dct:license": "dct:LicenseDocument",
    "dct:rights": "dct:RightsStatement",
    "dct:accessRights": "dct:RightsStatement",
    "dct:provenance": "dct:ProvenanceStatement",
    "dct:accrualPeriodicity": "dct:Frequency",
    "dct:spatial": "dct:Location",
    "dct:temporal": "dct:PeriodOfTime",
    "dct:conformsTo": "dct:Standard",
    "dct:format": "dct:MediaTypeOrExtent",
    "dcat:mediaType": "dct:MediaType",
    "dcat:packageFormat": "dct:MediaType",
    "dcat:theme": "skos:Concept",
    "dcat:themeTaxonomy": "skos:ConceptScheme",
    "dcat:dataset": "dcat:Dataset",
    "dcat:distribution": "dcat:Distribution",
    "dcat:service": "dcat:DataService",
    "dcat:servesDataset": "dcat:Dataset",
    "dcat:landingPage": "foaf:Document",
    "foaf:homepage": "foaf:Document",
}


@pytest.fixture(autouse=True)
def _no_network(monkeypatch):
    """Let the parser open nothing: the document must be whole."""

    def refuse(*_args, **_kwargs):
        raise AssertionError("the parser asked for another document")

    monkeypatch.setattr("urllib.request.urlopen", refuse)
    monkeypatch.setattr("rdflib.parser.URLInputSource.__init__", refuse)


def parse(text):
    return Graph().parse(data=text, format="json-ld")


@pytest.fixture
def graph(client):
    return parse(client.get("/catalog.jsonld").text)


def ask(graph, query):
    return [tuple(row) for row in graph.query(PREFIXES + query)]


def rules():
    for line in CARDINALITIES.strip().splitlines():
        kind, rest = line.split(None, 1)
        for part in rest.split("|"):
            name, form, least, most = part.split()
            yield kind, name, form, int(least), int(most)


def breaches(graph):
    """Return what breaks DCAT-AP, found by SPARQL."""
    found = []
    forms = {
        "literal": "isLiteral(?value)",
        "node": "!isLiteral(?value)",
        "iri": "isIRI(?value)",
        "date": "datatype(?value) IN (xsd:date, xsd:dateTime)",
    }
    for kind, name, form, least, most in rules():
        counted = ask(
            graph,
            f"""SELECT ?node (COUNT(DISTINCT ?value) AS ?count) WHERE {{
              ?node a {kind} . OPTIONAL {{ ?node {name} ?value }} }}
            GROUP BY ?node HAVING (COUNT(DISTINCT ?value) < {least} || COUNT(DISTINCT ?value) > {most})""",
        )
        found += [(kind, name, "count", *row) for row in counted]
        wrong = ask(graph, f"SELECT ?node ?value WHERE {{ ?node a {kind} ; {name} ?value . FILTER(!({forms[form]})) }}")
        found += [(kind, name, form, *row) for row in wrong]
    for name, kind in RANGES.items():
        wrong = ask(
            graph, f"SELECT ?node ?value WHERE {{ ?node {name} ?value . FILTER NOT EXISTS {{ ?value a {kind} }} }}"
        )
        found += [(name, "range", *row) for row in wrong]
    return found


def test_it_keeps_dcat_ap(graph):
    assert breaches(graph) == []
    counts = {
        str(kind).split("#")[1]: int(count)
        for kind, count in ask(
            graph, "SELECT ?k (COUNT(?n) AS ?c) WHERE { ?n a ?k . FILTER(STRSTARTS(STR(?k), STR(dcat:))) } GROUP BY ?k"
        )
    }
    assert counts == {"Catalog": 1, "Dataset": 6, "Distribution": 6 * len(EXTENSIONS), "DataService": 2}


@pytest.mark.parametrize(
    "damage",
    [
        '"dct:publisher"', '"dcat:endpointURL"', '"dcat:accessURL"', '"dct:title"', '"foaf:name"', '"dcat:bbox"',
        '"dct:LicenseDocument"', '"xsd:dateTime"', '"skos:prefLabel"', '"dcat:landingPage"', '"dct:MediaType"',
    ],
)  # fmt: skip
def test_the_check_sees_what_is_missing(client, damage):
    whole = client.get("/catalog.jsonld").json()
    del whole["dcat:dataset"][1:], whole["dcat:dataset"][0]["dcat:distribution"][1:]
    text = json.dumps(whole)
    assert damage in text
    assert breaches(parse(text.replace(damage, '"dct:nothing"')))


def test_a_catalogue_of_one_layer_keeps_dcat_ap_too(client):
    answer = client.get("/collections/worksites", headers={"Accept": "application/ld+json"})
    found = parse(answer.text)
    assert answer.text == client.get("/collections/worksites?f=jsonld").text
    assert breaches(found) == []
    assert [str(node) for node in found.subjects(RDF.type, DCAT.Dataset)] == [
        f"{client.base_url}/collections/worksites"
    ]


def test_titles_and_descriptions_are_in_both_languages(client, graph):
    for layer in LAYERS:
        for lang in ("fr", "ar"):
            said = client.get(f"/collections/{layer}?lang={lang}").json()
            (row,) = ask(
                graph,
                f"""SELECT ?title ?about ?rights ?source WHERE {{
                  <{client.base_url}/collections/{layer}> dct:title ?title ; dct:description ?about ;
                    dct:rights/rdfs:label ?rights ; dct:provenance/rdfs:label ?source .
                  FILTER(lang(?title) = "{lang}" && lang(?about) = "{lang}" && lang(?rights) = "{lang}"
                         && lang(?source) = "{lang}") }}""",
            )
            title, about, rights, source = map(str, row)
            assert (title, rights) == (said["title"], said["attribution"])
            # What must be known before the data is used goes along: portals show the description only.
            assert about.startswith(said["description"])
            assert said["notice"] in about
            page = client.get(f"/collections/{layer}?f=html&lang={lang}").text
            assert source.replace("'", "&#39;") in page
            coverage, quality = re.findall(r"<dd>([^<]+)</dd>", page)[1::-1]
            assert coverage in about
            assert quality in about


def test_coverage_and_quality_are_said_in_words_that_machines_find(client, graph):
    found = ask(
        graph,
        """SELECT ?dataset ?dimension ?text WHERE { ?dataset a dcat:Dataset ; dqv:hasQualityAnnotation ?a .
             ?a a dqv:QualityAnnotation ; dqv:inDimension ?dimension ; oa:hasBody/rdf:value ?text .
             FILTER(lang(?text) = "fr") }""",
    )
    assert len(found) == 2 * len(LAYERS)
    said = {
        (str(node).rsplit("/", 1)[1], str(dimension).rsplit("#", 1)[1]): str(text) for node, dimension, text in found
    }
    assert said["facilities", "completeness"] == "Couche partielle"
    assert said["districts", "completeness"] == "Couche complète"
    assert said["worksites", "completeness"] == "Couverture inconnue"
    assert said["transport-lines", "semanticAccuracy"] == "Schématique"


def test_places_and_times_are_those_of_the_collections(client, graph):
    for layer in LAYERS:
        extent = client.get(f"/collections/{layer}").json()["extent"]
        place = graph.value(URIRef(f"{client.base_url}/collections/{layer}"), DCTERMS.spatial)
        wkt, geometry = graph.value(place, DCAT.bbox), graph.value(place, URIRef(LOCN + "geometry"))
        assert wkt.datatype == GEOSPARQL_WKT
        assert geometry.datatype == URIRef(IANA + "application/vnd.geo+json")
        box = shapely.box(*extent["spatial"]["bbox"][0])
        assert shapely.from_wkt(str(wkt)).equals(box)
        assert shapely.from_geojson(str(geometry)).equals(box)
    dates = client.get("/collections/worksites/items?limit=10000").json()["features"]
    starts = [item["properties"]["start_date"] for item in dates if item["properties"]["start_date"]]
    ends = [item["properties"]["end_date"] for item in dates if item["properties"]["end_date"]]
    ((node, start, end),) = ask(
        graph,
        "SELECT ?d ?s ?e WHERE { ?d dct:temporal ?t . ?t a dct:PeriodOfTime ; dcat:startDate ?s ; dcat:endDate ?e }",
    )
    assert str(node) == f"{client.base_url}/collections/worksites"
    assert start == Literal(min(starts), datatype=XSD.date)
    assert end == Literal(max(ends), datatype=XSD.date)
    whole = shapely.from_wkt(
        str(graph.value(graph.value(URIRef(f"{client.base_url}/collections"), DCTERMS.spatial), DCAT.bbox))
    )
    every = [client.get(f"/collections/{layer}").json()["extent"]["spatial"]["bbox"][0] for layer in LAYERS]
    assert whole.equals(shapely.box(*shapely.union_all([shapely.box(*box) for box in every]).bounds))


def test_vocabularies_are_those_of_the_european_union(client, graph):
    frequencies = {str(node) for node in graph.objects(None, DCTERMS.accrualPeriodicity)}
    assert frequencies == {EU + "frequency/IRREG"}
    assert {str(node) for node in graph.objects(None, DCTERMS.language)} == {EU + "language/FRA", EU + "language/ARA"}
    themes = {str(a).rsplit("/", 1)[1]: str(b) for a, b in graph.subject_objects(DCAT.theme)}
    assert themes["transport-stops"] == EU + "data-theme/TRAN"
    assert themes.keys() == LAYERS
    for layer in LAYERS:
        licence = next(
            item["href"] for item in client.get(f"/collections/{layer}").json()["links"] if item["rel"] == "license"
        )
        assert graph.value(URIRef(f"{client.base_url}/collections/{layer}"), DCTERMS.license) == URIRef(licence)


def test_every_download_answers_with_the_media_type_that_it_says(client, graph):
    rows = ask(
        graph,
        "SELECT ?url ?access ?type WHERE { ?d a dcat:Distribution ; dcat:downloadURL ?url ; dcat:accessURL ?access ; dcat:mediaType ?type }",
    )
    assert len(rows) == len(LAYERS) * len(EXTENSIONS)
    for url, access, media_type in rows:
        assert url == access
        asked = client.get if "worksites" in url else client.head
        answer = asked(str(url))
        assert answer.status_code == 200, url
        assert IANA + answer.headers["content-type"].split(";")[0] == str(media_type), url
    formats = {str(url).split("f=")[1] for url, _, _ in rows}
    assert formats == set(EXTENSIONS)


def test_services_lead_to_their_descriptions(client, graph):
    for node in graph.subjects(RDF.type, DCAT.DataService):
        served = {str(item).rsplit("/", 1)[1] for item in graph.objects(node, DCAT.servesDataset)}
        assert served == LAYERS
        description = client.get(str(graph.value(node, DCAT.endpointDescription)))
        assert description.headers["content-type"].startswith("application/vnd.oai.openapi+json")
        assert client.get(str(graph.value(node, DCAT.endpointURL))).status_code == 200
        standard = str(graph.value(node, DCTERMS.conformsTo))
        conformance = client.get("/conformance").json()["conformsTo"]
        assert f"{standard}/conf/core" in conformance


def test_every_address_of_ours_leads_somewhere(client, graph):
    own = {str(node).split("#")[0] for triple in graph for node in triple if str(node).startswith(str(client.base_url))}
    assert len(own) > 15
    for address in own:
        assert client.head(address).status_code == 200, address


def test_internal_layers_are_not_listed(workshop, serve):
    workshop.raw["visibility"] = "internal"
    workshop.ingest(workshop.csv("1,Un,واحد,-7.6,33.5"))
    with httpx.Client(base_url=serve(workshop.url)) as client:
        found = parse(client.get("/catalog.jsonld").text)
        assert "libraries" not in client.get("/catalog.jsonld").text
        assert list(found.subjects(RDF.type, DCAT.Catalog))
        assert list(found.subjects(RDF.type, DCAT.Dataset)) == []
        assert client.get("/collections/libraries?f=jsonld").status_code == 404


def test_a_layer_of_hard_words_in_another_crs(workshop, serve):
    hard = 'Le "quartier" <b>\\ </script> \u2028 fin'
    workshop.raw |= {"title": {"fr": hard, "ar": "كلمة"}, "theme": "other", "update": "continuous"}
    workshop.raw["geometry"]["srid"] = 26191
    workshop.ingest(workshop.csv("1,Un,واحد,-7.6,33.5"), srid=4326)
    with httpx.Client(base_url=serve(workshop.url)) as client:
        found = parse(client.get("/catalog.jsonld").text)
    (node,) = found.subjects(RDF.type, DCAT.Dataset)
    assert Literal(hard, lang="fr") in set(found.objects(node, DCTERMS.title))
    assert found.value(node, DCTERMS.conformsTo) == URIRef("http://www.opengis.net/def/crs/EPSG/0/26191")
    assert found.value(node, DCTERMS.accrualPeriodicity) == URIRef(EU + "frequency/UPDATE_CONT")
    assert found.value(node, DCAT.theme) is None
    assert breaches(found) == []


def test_behind_a_portal_every_address_has_the_public_prefix(database_url, serve):
    public = "https://portal.example.org/cartes/ville"
    here = serve(database_url, public_url=public)
    with httpx.Client(base_url=here, headers={"Host": "portal.example.org"}) as client:
        text = client.get("/cartes/ville/catalog.jsonld").text
        assert client.get("/catalog.jsonld").text == text  # a proxy that has taken the prefix off
        assert "127.0.0.1" not in text
        found = parse(text)
        assert breaches(found) == []
        assert (URIRef(f"{public}/collections"), RDF.type, DCAT.Catalog) in found
        for url in found.objects(None, DCAT.downloadURL):
            assert str(url).startswith(public + "/collections/")
            assert client.head(str(url).removeprefix("https://portal.example.org")).status_code == 200
        page = client.get("/cartes/ville/collections?f=html").text
        assert '<link rel="alternate" type="application/ld+json"' in page
        assert 'href="/cartes/ville/catalog.jsonld"' in page


def test_it_is_found_from_the_pages_and_by_negotiation(client):
    catalogue = client.get("/catalog.jsonld")
    assert catalogue.headers["content-type"] == "application/ld+json"
    assert catalogue.headers["content-language"] == "fr, ar"
    assert client.get("/collections", headers={"Accept": "application/ld+json"}).text == catalogue.text
    assert client.get("/collections?f=jsonld").text == catalogue.text
    assert client.get("/catalog.jsonld?lang=ar").text == catalogue.text
    assert client.get("/catalog.jsonld?f=html").status_code == 400
    links = client.get("/").json()["links"] + client.get("/collections").json()["links"]
    assert [item["href"] for item in links if item.get("type") == "application/ld+json"] == [
        f"{client.base_url}/catalog.jsonld"
    ] * 2
    for path in ("/?f=html", "/collections?f=html"):
        for lang in ("fr", "ar"):
            text = client.get(f"{path}&lang={lang}").text
            assert re.findall(r'<link rel="alternate" type="application/ld\+json"[^>]*href="([^"]+)"', text) == [
                "/catalog.jsonld"
            ]
    text = client.get("/collections/districts?f=html").text
    (address,) = re.findall(r'<link rel="alternate" type="application/ld\+json"[^>]*href="([^"]+)"', text)
    assert parse(client.get(address).text).value(None, RDF.type, DCAT.Dataset) is not None


@pytest.mark.parametrize(("lang", "word"), [("fr", "Téléchargements"), ("ar", "التحميل")])
def test_people_find_every_download_on_the_layers_page(client, lang, word):
    text = client.get(f"/collections/districts?f=html&lang={lang}").text
    assert f"<h2>{word}</h2>" in text
    found = re.findall(r'<a href="(/collections/districts/export[^"]+)" type="([^"]+)"', text)
    assert len(found) == len(EXTENSIONS)
    for address, media_type in found:
        answer = client.head(address.replace("&amp;", "&"))
        assert answer.status_code == 200
        assert answer.headers["content-type"].split(";")[0] == media_type


# What harvesters do, as far as it can go wrong here.


def test_as_udata_harvests(client, graph):
    """It knows the format by the ending, follows hydra's pages, and fetches what is named by an IRI."""
    address = f"{client.base_url}/catalog.jsonld"
    assert guess_format(address, {**SUFFIX_FORMAT_MAP, "jsonld": "json-ld"}) == "json-ld"
    assert "hydra" not in client.get(address).text  # one page has everything
    for node in graph.subjects(RDF.type, DCAT.Dataset):
        assert graph.value(node, DCTERMS.title).language == "fr"  # it takes the first one
        assert graph.value(node, DCTERMS.description).language == "fr"
        assert str(graph.value(node, DCTERMS.identifier)) == str(node)
        period = graph.value(node, DCTERMS.temporal)
        assert not isinstance(period, URIRef)
        for place in graph.objects(node, DCTERMS.spatial):
            shapes = [
                json.loads(x)
                for x in graph.objects(place)
                if isinstance(x, Literal) and str(x.datatype).endswith("vnd.geo+json")
            ]
            assert [shape["type"] for shape in shapes] == ["Polygon"]
    # A service that is a distribution's accessService would not be taken as one of its own.
    assert list(graph.triples((None, DCAT.accessService, None))) == []
    labels = set()
    for node in graph.subjects(RDF.type, DCAT.Distribution):
        media_type = graph.value(node, DCAT.mediaType)
        assert graph.value(media_type, RDFS.label) is None  # it would be taken for the type
        form = graph.value(node, DCTERMS["format"])
        labels.add(str(graph.value(form, RDFS.label) or form.rsplit("/", 1)[1]).lower())
    assert labels == {"geojson", "geojsonseq", "csv", "flatgeobuf", "gpkg", "parquet", "kml", "shp"}


def test_as_ckan_harvests(client, graph):
    """It asks with HEAD first and takes the format from the type; at most 50 MB; a comma in a keyword is two keywords."""
    head = client.head("/catalog.jsonld")
    assert head.status_code == 200
    assert head.headers["content-type"].split(";", 1)[0] == "application/ld+json"
    assert int(head.headers["content-length"]) < 50 * 1024 * 1024
    for node in graph.subjects(RDF.type, DCAT.Dataset):
        assert isinstance(node, URIRef)
        assert all("," not in word for word in graph.objects(node, DCAT.keyword))
        agent = graph.value(node, DCTERMS.publisher)
        assert {word.language for word in graph.objects(agent, FOAF.name)} == {"fr", "ar"}
        for distribution in graph.objects(node, DCAT.distribution):
            assert graph.value(graph.value(distribution, DCTERMS.license), DCTERMS.title) is not None
    for theme in graph.objects(None, DCAT.theme):
        assert {word.language for word in graph.objects(theme, SKOS.prefLabel)} == {"fr", "ar"}

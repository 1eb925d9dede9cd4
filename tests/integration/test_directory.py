"""The annuaire: one address for each place and institution."""

from html.parser import HTMLParser

import httpx
import pytest

from tests.integration.test_linked_places import FACTS, VOCABULARY


class Metas(HTMLParser):
    """Reads what a page's head says of the page, as who shows links does."""

    def __init__(self, text):
        super().__init__()
        self.found = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        """Keep a description of either kind."""
        given = dict(attrs)
        if tag == "meta" and (given.get("name") or given.get("property")) in ("description", "og:description"):
            assert set(given) in ({"name", "content"}, {"property", "content"})
            self.found.append(given["content"])


def described(text):
    """Return the one description of a page, for search engines and for shared links alike."""
    first, second = Metas(text).found
    assert first == second
    return first


def test_an_entry_is_geojson_by_default(client, server_url):
    answer = client.get("/directory/gare-routiere-ctm-casablanca")
    body = answer.json()
    assert answer.headers["content-type"] == "application/geo+json"
    assert body["geometry"]["coordinates"] == [-7.61111, 33.59621]
    assert body["properties"]["name_fr"] == "Gare routière CTM Casablanca"
    assert body["properties"]["phone"] == ["+212800090030"]
    home = f"{server_url}/directory/gare-routiere-ctm-casablanca"
    assert [item["href"] for item in body["links"] if item["rel"] == "canonical"] == [home]
    assert f'<{home}>; rel="canonical"' in answer.headers["link"]


def test_what_is_unknown_is_null(client):
    known = client.get("/directory/casatransports").json()
    assert known["geometry"] is None
    for name in ("phone", "opening_hours", "wheelchair", "address_fr", "services"):
        assert known["properties"][name] is None


def test_every_facility_has_the_entry_of_its_id(client, everything):
    for feature in everything("facilities")[::25]:
        entry = client.get(f"/directory/{feature['id']}").json()
        assert (entry["id"], entry["geometry"]) == (feature["id"], feature["geometry"])
        for name in ("name_fr", "name_ar", "category", "opening_hours", "website", "district_code", "source", "as_of"):
            assert entry["properties"][name] == feature["properties"][name]


def test_nothing_internal_is_told(client):
    assert not {"dataset", "updated_at", "fid", "geom"} & set(
        client.get("/directory/casatransports").json()["properties"]
    )


@pytest.mark.parametrize("layer", ["transport-lines", "worksites", "transport-stops"])
def test_every_link_leads_to_an_entry(client, everything, layer):
    for key in {feature["properties"]["entry_id"] for feature in everything(layer)} - {None}:
        assert client.get(f"/directory/{key}").status_code == 200


def test_a_body_lists_what_it_is_responsible_for(client, everything):
    line = everything("transport-lines")[0]
    page = client.get(f"/directory/{line['properties']['entry_id']}", params={"f": "html", "lang": "ar"}).text
    assert line["properties"]["name_ar"] in page
    assert "خطوط الطرامواي والباصواي" in page


def test_a_link_to_no_entry_can_not_be_stored(database_url):
    import psycopg

    with psycopg.connect(database_url) as connection, pytest.raises(psycopg.errors.ForeignKeyViolation):
        connection.execute("UPDATE features.worksites SET entry_id = 'nobody'")


@pytest.mark.parametrize("lang", ["fr", "ar"])
def test_a_page_says_in_a_line_what_and_where_its_place_is(client, everything, lang):
    names = {one["id"]: one["properties"][f"name_{lang}"] for one in everything("districts")}
    comma, address, found = {"fr": (", ", "Adresse : "), "ar": ("، ", "العنوان: ")}[lang] + ([],)
    for key, row in list(FACTS.items())[::9]:
        line = described(client.get(f"/directory/{key}", params={"f": "html", "lang": lang}).text)
        kind, area = VOCABULARY.categories[row["category"]][lang], names.get(row["district_code"])
        colon = {"fr": " : ", "ar": ": "}[lang]
        expected = f"{row[f'name_{lang}']}{colon}{comma.join(filter(None, (kind, area)))}."
        other = "fr" if lang == "ar" else "ar"
        if street := row.get(f"address_{lang}") or row.get(f"address_{other}"):
            expected += f" {address}{street}."
        assert line == expected
        found.append(line)
    assert len(set(found)) == len(found) > 40
    assert any(address in line for line in found)


@pytest.mark.parametrize("lang", ["fr", "ar"])
def test_a_district_says_what_and_where_it_is(client, everything, lang):
    lines = {}
    for one in everything("districts"):
        page = client.get(f"/districts/{one['id']}", params={"f": "html", "lang": lang})
        lines[one["id"]] = line = described(page.text)
        assert line.startswith(one["properties"][f"name_{lang}"])
        assert one["properties"][f"prefecture_{lang}"] in line
    assert len(set(lines.values())) == len(lines) == 17
    anfa = {
        "fr": "Anfa : Arrondissement, Préfecture d'arrondissements de Casablanca-Anfa.",
        "ar": "أنفا: مقاطعة، عمالة مقاطعات الدار البيضاء-أنفا.",
    }
    assert lines["06.141.01.01"] == anfa[lang]


def test_what_stands_in_a_name_stays_in_the_description(workshop, serve):
    name, street = 'L\'"Étoile" <b>&amp;</b>\n{t}', '12 "rue" ><script>\u202eé</script> &lt;.'
    workshop.sql(
        "INSERT INTO directory.entries (id, category, name_fr, name_ar, address_fr, source)"
        " VALUES ('a', 'kiosk', %s, 'كشك', %s, 'test')",
        name,
        street,
    )
    page = httpx.get(f"{serve(workshop.url)}/directory/a?f=html&lang=fr").text
    expected = 'L\'"Étoile" <b>&amp;</b> {t} : Kiosque. Adresse : 12 "rue" ><script>é</script> &lt;.'
    assert described(page) == expected.replace("Kiosque", VOCABULARY.category("kiosk", "fr"))
    assert "<b>" not in page
    assert "><script>\u202e" not in page

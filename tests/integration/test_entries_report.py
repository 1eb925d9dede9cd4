"""The report on the annuaire: what has not found each other, and what is likely the same."""

from layers.entries_report import entries_report

ENTRY = (
    "INSERT INTO directory.entries (id, category, name_fr, name_ar, source, geom)"
    " VALUES (%s, %s, %s, %s, 's', ST_SetSRID(ST_MakePoint(%s, 33.5), 4326))"
)


def entry(workshop, key, name, name_ar="اسم", lon=-7.6):
    workshop.sql(ENTRY, key, "kiosk", name, name_ar, lon)


def test_entries_and_features_without_each_other(workshop):
    workshop.raw["directory"] = {"role": "place"}
    workshop.ingest(workshop.csv("a,Un,واحد,-7.6,33.5"))
    entry(workshop, "alone", "Kiosque")
    workshop.sql(
        "INSERT INTO features.libraries (id, name_fr, name_ar, geom) VALUES ('m', 'x', 'y', 'SRID=4326;POINT(-7 33)')"
    )
    report = entries_report(workshop.url)
    assert report.unused == [("alone", "Kiosque")]
    assert report.unlinked == [("libraries", "m", "x")]
    assert report.doubles == []


def test_likely_doubles_have_names_alike_and_are_near(workshop):
    entry(workshop, "p1", "Pharmacie Ibn Sina", "صيدلية ابن سينا", -7.6)
    entry(workshop, "p2", "pharmacie IBN SÎNA", "صيدلية بن سينا", -7.601)
    entry(workshop, "far", "Pharmacie Ibn Sina", "صيدلية ابن سينا", -7.61)
    entry(workshop, "oe1", "Maison des Sœurs", "دار أولى", -7.58)
    entry(workshop, "oe2", "Maison des Soeurs", "مأوى", -7.58)
    entry(workshop, "other", "Boulangerie", "مخبزة", -7.6)
    entry(workshop, "a41", "Annexe 41", "الملحقة 41", -7.55)
    entry(workshop, "a14", "Annexe 14", "الملحقة 14", -7.55)
    entry(workshop, "ar1", "Souk", "سوق الغرب", -7.5)
    entry(workshop, "ar2", "Marché de l'Ouest", "سوق الغرب", -7.5)
    pairs = entries_report(workshop.url).doubles
    assert [(pair.first, pair.second) for pair in pairs] == [("ar1", "ar2"), ("oe1", "oe2"), ("p1", "p2")]
    assert 92 < pairs[2].metres < 94


def test_the_command_prints_it(workshop, monkeypatch, capsys):
    from api.cli.directory import report
    from api.settings import Settings

    entry(workshop, "p1", "[red]Pharmacie Ibn Sina", lon=-7.6)
    entry(workshop, "p2", "[red]Pharmacie Ibn Sina", lon=-7.6)
    report(Settings(database_url=workshop.url))
    lines = capsys.readouterr().out.splitlines()
    assert "2 entries have no feature:" in lines
    assert "0 features have no entry:" in lines
    assert "1 pair of entries is likely the same:" in lines
    assert "  p1 ([red]Pharmacie Ibn Sina) and p2 ([red]Pharmacie Ibn Sina), 0 m apart" in lines

"""Settings: bounded, with errors that name the variable and what it may be."""

import pytest

from api.security import page_policy
from api.settings import Settings, load_settings
from geo.errors import SetupError


@pytest.mark.parametrize(
    ("variable", "value", "allowed"),
    [
        ("PORT", "0", "greater"),
        ("PORT", "65536", "less"),
        ("PORT", "http", "integer"),
        ("PUBLIC_URL", "maps.example.org", "https://"),
        ("PUBLIC_URL", "ftp://maps.example.org", "https://"),
        ("PUBLIC_URL", "https://", "https://"),
        ("PUBLIC_URL", "https://maps.example.org/?x=1", "query"),
        ("PUBLIC_URL", "https://maps.example.org/#x", "fragment"),
        ("PUBLIC_URL", "https://user:secret@maps.example.org", "https://"),
        ("PUBLIC_URL", "https://[::1", "ASCII"),
        ("PUBLIC_URL", "https://city.example/api", "other than"),
        ("PUBLIC_URL", "https://city.example/tiles/", "other than"),
        ("FRAME_ORIGINS", "portal.example.org", "origin"),
        ("FRAME_ORIGINS", "https://portal.example.org/page", "origin"),
        ("FRAME_ORIGINS", "https://a.example; script-src *", "origin"),
        ("FRAME_ORIGINS", "https://a.example,https://b.example", "origin"),
        ("BACKGROUND_URL", "https://tile.example.org/tile.png", "{z}"),
        ("BACKGROUND_URL", "https://x;script-src */{z}/{x}/{y}.png", "{z}"),
        ("REPORT_URL", "plaintes.example.org", "https://"),
        ("REPORT_URL", "javascript:alert(1)//{place}", "https://"),
        ("REPORT_URL", "https://{district}.example.org/", "https://"),
        ("REPORT_URL", "https://x.example/?p={plaice}", "{place}"),
        ("REPORT_URL", "https://x.example/?p={place", "{place}"),
        ("PROCEDURE_URL", "https://x.example/?p={name!r}", "{place}"),
        ("PROCEDURE_URL", 'https://x.example/?"><script>', "{place}"),
        ("PROCEDURE_URL", "https://x.example /{place}", "https://"),
        ("CONTACT", "ville.example", "acces@"),
        ("CONTACT", "javascript:alert(1)@x.example", "acces@"),
        ("CONTACT", 'https://x.example/"><script>', "acces@"),
        ("TIME_ZONE", "Casablanca", "Africa/Casablanca"),
        ("STATEMENT_TIMEOUT", "0", "greater"),
        ("STATEMENT_TIMEOUT", "nan", ""),
        ("POOL_SIZE", "0", "greater"),
        ("MAX_BYTES", "1", "10000"),
    ],
)
def test_a_wrong_setting_names_its_variable(monkeypatch, variable, value, allowed):
    monkeypatch.setenv(f"CASAMAPS_{variable}", value)
    with pytest.raises(SetupError) as caught:
        load_settings()
    assert caught.value.code == "settings.invalid"
    assert caught.value.params["parameter"] == f"CASAMAPS_{variable}"
    assert caught.value.params["value"] == value
    assert allowed in caught.value.params["allowed"]


def test_the_command_line_goes_before_the_environment(monkeypatch):
    monkeypatch.setenv("CASAMAPS_PORT", "9000")
    monkeypatch.setenv("CASAMAPS_HOST", "0.0.0.0")
    settings = load_settings(port=9001, host=None)
    assert (settings.host, settings.port) == ("0.0.0.0", 9001)


@pytest.mark.parametrize(
    ("given", "url", "path"),
    [
        ({}, "http://127.0.0.1:8000", ""),
        ({"host": "0.0.0.0", "port": 81}, "http://127.0.0.1:81", ""),
        ({"host": "::"}, "http://[::1]:8000", ""),
        ({"host": "fe80::1"}, "http://[fe80::1]:8000", ""),
        ({"public_url": "https://maps.example.org/"}, "https://maps.example.org", ""),
        ({"public_url": "https://city.example.org/cartes/v1/"}, "https://city.example.org/cartes/v1", "/cartes/v1"),
    ],
)
def test_links_start_with_the_public_address(given, url, path):
    settings = Settings(**given)
    assert (settings.base_url, settings.base_path) == (url, path)


def test_known_hosts_are_our_own_and_the_public_one():
    assert Settings().allowed_hosts == {"127.0.0.1", "localhost", "::1"}
    public = Settings(host="0.0.0.0", public_url="https://Maps.Example.org:8443/x")
    assert public.allowed_hosts == {"127.0.0.1", "localhost", "::1", "maps.example.org"}
    assert "192.0.2.7" in Settings(host="192.0.2.7").allowed_hosts


def test_a_public_address_can_be_sent_in_a_header():
    for url in ("https://خرائط.example/", "https://maps.example.org/carte ville", "https://maps.example.org/é"):
        try:
            settings = Settings(public_url=url)
        except ValueError:
            continue
        settings.base_url.encode("ascii")
        assert " " not in settings.base_url


def test_every_setting_has_its_help():
    for name, field in Settings.model_fields.items():
        assert field.description, name


def test_the_policy_names_the_background_and_the_frames():
    settings = Settings(
        background_url="https://{s}.tile.example.org/{z}/{x}/{y}.png", frame_origins=" https://a.example  http://b:81 "
    )
    policy = dict(part.split(" ", 1) for part in page_policy(settings).split("; "))
    assert policy["img-src"] == "'self' data: https://*.tile.example.org"
    assert policy["frame-ancestors"] == "https://a.example http://b:81"
    assert page_policy(Settings()).endswith("frame-ancestors 'none'")

"""The texts: French and Arabic are equals, whole, and fit the code that uses them."""

import datetime as dt
import re
import string

import pytest
from babel import Locale

from api.i18n import LANGUAGES, messages
from api.settings import PROJECT

CODE = [
    path
    for room in ("geo", "layers", "tiles", "api")
    for path in (PROJECT / room).rglob("*")
    if path.suffix in (".py", ".html") and "cli" not in path.parts
]
#: Errors that only operators see, on the command line, in English.
OPERATORS = ("ingest.", "definition.", "setup.", "settings.", "assets.", "database.refused")


def domains(lang):
    folder = PROJECT / "api" / "locale" / lang
    return sorted(path.stem for path in folder.glob("*.yaml"))


def texts(lang):
    return {f"{domain}.{key}": text for domain in domains(lang) for key, text in messages(lang).domain(domain).items()}


def placeholders(text):
    forms = text.values() if isinstance(text, dict) else [text]
    return {name for form in forms for _, name, _, _ in string.Formatter().parse(form) if name is not None}


def test_both_languages_have_the_same_files():
    assert domains("fr") == domains("ar")


def test_both_languages_have_the_same_keys():
    # A unit's symbol without a text of its own is written as it is.
    found = [{key for key in texts(lang) if not key.startswith("cards.units.")} for lang in LANGUAGES]
    assert found[0] == found[1]


def test_a_text_has_the_same_placeholders_in_both_languages():
    french, arabic = texts("fr"), texts("ar")
    for key in french.keys() & arabic.keys():
        assert placeholders(french[key]) == placeholders(arabic[key]), key


@pytest.mark.parametrize("lang", LANGUAGES)
def test_plural_forms_are_those_of_the_language(lang):
    categories = set(Locale.parse(lang).plural_form.tags) | {"other"}
    # Nothing is counted in millions, nor is zero ever announced as a number of its own.
    needed = categories - {"many"} if lang == "fr" else categories - {"zero"}
    for key, text in texts(lang).items():
        if isinstance(text, dict):
            assert needed <= set(text) <= categories, key


@pytest.mark.parametrize("lang", LANGUAGES)
def test_no_text_is_empty_or_in_the_other_script(lang):
    for key, text in texts(lang).items():
        for form in text.values() if isinstance(text, dict) else [text]:
            assert form.strip(), key
            if lang == "fr":
                assert not re.search(r"[\u0600-\u06ff]", form), key


def test_every_key_that_the_code_names_exists():
    used = re.compile(r"""(?<![\w.])(?:reader\.|self\.|texts\.)?t\(\s*f?["']([a-zA-Z0-9_.-]+)["']\s*[,)]""")
    named = {key for path in CODE for key in used.findall(path.read_text(encoding="utf-8"))}
    assert len(named) > 30
    for lang in LANGUAGES:
        assert named - {key for key in named if messages(lang).has(key)} == set()


def test_every_key_that_is_put_together_exists():
    built = re.compile(r"""(?<![\w.])(?:reader\.)?t\(f?["']([a-z_.-]+\.)(?:["'] ~|\{)""")
    prefixes = {key for path in CODE for key in built.findall(path.read_text(encoding="utf-8"))}
    for prefix in prefixes:
        assert any(key.startswith(prefix) for key in texts("fr")), prefix


def test_every_error_that_a_client_can_see_has_its_sentence():
    raised = re.compile(
        r"""(?:InvalidInput|NotFound|Unavailable|problem)\(\s*(?:[^"']*?,\s*)?["']([a-z]+\.[a-z-]+)["']"""
    )
    codes = {code for path in CODE for code in raised.findall(path.read_text(encoding="utf-8"))}
    assert {"bbox.order", "tile.zoom", "database.timeout", "host.unknown"} <= codes
    for lang in LANGUAGES:
        missing = {code for code in codes if not messages(lang).has(f"errors.{code}")}
        assert {code for code in missing if not code.startswith(OPERATORS)} == set()


def test_every_sentence_of_an_error_uses_known_members():
    known = {"parameter", "value", "allowed", "count", "seconds", "collection", "id", "at"}
    for key, text in texts("fr").items():
        if key.startswith("errors."):
            assert placeholders(text) <= known, key


def test_every_status_that_errors_have_is_named():
    from api.errors import STATUS

    for status in {*STATUS.values(), 404, 405, 421, 500}:
        assert messages("ar").has(f"errors.status.{status}")


def test_months_are_those_of_morocco():
    assert messages("ar").date(dt.date(2026, 8, 23)) == "23 غشت 2026"
    assert messages("ar").month("2026-07") == "يوليوز 2026"
    assert messages("fr").date(dt.date(2026, 8, 23)) == "23 août 2026"


def test_the_first_of_a_month_is_an_ordinal_in_french():
    assert messages("fr").date(dt.date(2026, 8, 1)) == "1er août 2026"
    assert messages("fr").day(dt.date(2026, 12, 1)) == "mardi 1er décembre 2026"
    for day in (11, 21, 31):
        assert messages("fr").date(dt.date(2026, 10, day)) == f"{day} octobre 2026"
    assert messages("fr").month("2026-10") == "octobre 2026"
    assert messages("ar").date(dt.date(2026, 8, 1)) == "1 غشت 2026"


@pytest.mark.parametrize("text", ["2026", "2026-13", "", "été 2026", "2026-04-01", "x-y"])
def test_a_month_that_is_none_is_left_as_it_is(text):
    assert messages("fr").month(text) == text


@pytest.mark.parametrize(
    ("number", "written"),
    [(0.0421, "0,042"), (0.00042, "0,00042"), (0.05, "0,05"), (0.1, "0,1"), (0, "0"), (1e-7, "1E-7"), (-1e25, "-1E25"), (1e308, "1E308")],
)  # fmt: skip
def test_numbers_of_any_size_can_be_read(number, written):
    assert messages("fr").write(number) == written
    assert messages("ar").write(number).replace("\u200e", "") == written


@pytest.mark.parametrize(
    ("numbers", "written"),
    [
        ([0.48, 0.4, 3], ["0,48", "0,40", "3,00"]), ([1, 2000], ["1", "2000"]), ([0.4, 0.0421], ["0,400", "0,042"]),
        ([-1.5, 1e-7, 1e25], ["-1,5", "1E-7", "1E25"]), ([2.0, 0], ["2", "0"]), ([], []),
    ],
)  # fmt: skip
@pytest.mark.parametrize("lang", LANGUAGES)
def test_numbers_of_a_column_stand_under_one_another(numbers, written, lang):
    t = messages(lang)
    column = [t.number(number, t.decimals(numbers)) for number in numbers]
    assert [re.sub("[\u200e\u202f\xa0.]", "", text) for text in column] == written


@pytest.mark.parametrize(
    ("lang", "number", "written"),
    [
        ("fr", 2**63, "9.223.372.036.854.775.808"),
        ("fr", 1234567.891, "1.234.567,89"),
        ("ar", 1234567.891, "1.234.567,89"),
        ("fr", 8.0, "8"),
        ("ar", True, "نعم"),
    ],
)
def test_numbers_are_written_as_in_morocco(lang, number, written):
    assert messages(lang).write(number).replace("\u202f", ".").replace("\xa0", ".") == written


@pytest.mark.parametrize(
    ("count", "written"), [(1, "عنصر واحد"), (2, "عنصران"), (3, "3 عناصر"), (11, "11 عنصرا"), (100, "100 عنصر")]
)
def test_arabic_counts_as_arabic_does(count, written):
    assert messages("ar")("pages.count", count=count) == written


def test_placeholders_are_filled_once():
    sentence = messages("fr")("errors.page.unknown", value="{allowed} {0} %s")
    assert "{allowed} {0} %s" in sentence


def test_an_unknown_key_is_a_mistake_of_ours():
    with pytest.raises(KeyError):
        messages("fr")("pages.no-such-key")


def test_every_error_that_an_operator_can_see_has_its_sentence_in_english():
    code = re.compile(r"""["']((?:ingest|definition|setup|settings|cluster|assets|export)\.[a-z][a-z_-]+)["']""")
    paths = [path for room in ("geo", "layers", "api") for path in (PROJECT / room).rglob("*.py")]
    codes = {found for path in paths for found in code.findall(path.read_text(encoding="utf-8"))}
    assert {"ingest.id-taken", "definition.invalid", "settings.invalid"} <= codes
    codes -= {"setup.lock", "setup.log"}  # names of files
    # What is wrong with a geometry is put together.
    codes |= {f"ingest.geometry-{outcome}" for outcome in ("missing", "empty", "infinite", "type", "degrees")}
    # What is wrong with a selection is said on the command line, too.
    chosen = ("parameter.value", "parameter.form", "parameter.nul", "collection.unknown", "query.data")
    said = {key.removeprefix("errors.") for key in texts("fr") if key.startswith("errors.")}
    codes |= {code for code in said if code.startswith(("bbox.", "crs.", "datetime.", "filter.", "database."))} | {
        *chosen
    }
    known = messages("en")
    assert {code for code in codes if not (known.has(f"errors.{code}") or known.has(f"cli.{code}"))} == set()

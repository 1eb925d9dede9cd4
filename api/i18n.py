"""Texts of the service in French and Arabic: message catalogues, plurals, numbers and dates.

The catalogues are the YAML files ``api/locale/<lang>/<domain>.yaml``; a key is ``domain.rest``. A message holds
``{placeholders}``; one that depends on a number is a mapping of CLDR plural categories (``one``, ``few`` …, ``other``)
chosen by its parameter ``count``. ``en`` has only what the command line says to operators.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Literal, cast

import yaml
from babel import Locale
from babel.dates import format_date
from babel.numbers import format_decimal, format_scientific, get_decimal_symbol

Lang = Literal["fr", "ar"]
LANGUAGES: tuple[Lang, ...] = ("fr", "ar")
LOCALE_DIR = Path(__file__).parent / "locale"

# ar-MA writes Western digits and month names of French origin (غشت, not أغسطس); CLDR knows both.
_PLURALS = frozenset({"zero", "one", "two", "few", "many", "other"})
#: Numbers from here on, and smaller ones, have too many digits to be read.
_HUGE, _TINY = 1e21, 1e-6
#: The first day of a month, before the month's name.
_FIRST = re.compile(r"\b1 (?=[^\W\d])")
_BABEL = {"fr": "fr_MA", "ar": "ar_MA", "en": "en"}


class Messages:
    """The texts of one language."""

    def __init__(self, lang: str, texts: dict[str, str | dict[str, str]]) -> None:
        self.lang = lang
        self.locale = Locale.parse(_BABEL[lang])
        self.dir = "rtl" if lang == "ar" else "ltr"
        self._texts = texts

    def __call__(self, key: str, /, **params: object) -> str:
        """Return the text of a key with its placeholders filled; numbers are written as the language does.

        Raises
        ------
        KeyError
            If the catalogue has no such key: a mistake in our code, found by the tests.
        """
        text = self._texts[key]
        if isinstance(text, dict):
            count = params.get("count", 0)
            category = self.locale.plural_form(cast(float, count))
            text = text.get(category) or text["other"]
        return text.format_map({name: self.write(value) for name, value in params.items()})

    def has(self, key: str) -> bool:
        """Tell whether the catalogue knows this key."""
        return key in self._texts

    def domain(self, domain: str) -> dict[str, str | dict[str, str]]:
        """Return the raw texts of one domain, for the browser; keys without the domain's name."""
        prefix = domain + "."
        return {key[len(prefix) :]: text for key, text in self._texts.items() if key.startswith(prefix)}

    def write(self, value: object) -> str:
        """Write a value as people of this language do: numbers, dates, everything else as it is."""
        if isinstance(value, bool):
            return self("pages.yes" if value else "pages.no")
        if isinstance(value, int | float):
            return self.number(value)
        if isinstance(value, dt.date):
            return self.date(value)
        return str(value)

    def number(self, value: float, decimals: int | None = None) -> str:
        """Write a number with the language's separators.

        It has two decimals, or two digits that count where it is small, without zeros at the end; or ``decimals``,
        which a column of numbers has in common.
        """
        size = abs(value)
        if _unreadable(size):
            return str(format_scientific(value, format="#.##E0", locale=self.locale))
        form = "@#" if 0 < size < 0.1 else "#,##0.##"
        if decimals is not None:
            form = f"#,##0.{'0' * decimals}"
        return str(format_decimal(value, format=form, locale=self.locale))

    def decimals(self, values: Iterable[float]) -> int:
        """Return how many decimals the numbers of a column need so that each is as exact as it is alone."""
        point = get_decimal_symbol(self.locale)
        written = (self.number(value) for value in values if not _unreadable(abs(value)))
        return max((len(text.partition(point)[2]) for text in written), default=0)

    def date(self, value: dt.date, form: str = "long") -> str:
        """Write a date in full, such as ``23 août 2026``, or in a form of the Unicode Locale Data Markup Language."""
        written = str(format_date(value, form, locale=self.locale))
        # The first day of a month is an ordinal in French, and in the locale data it is not.
        return _FIRST.sub("1er ", written) if self.lang == "fr" else written

    def day(self, value: dt.date) -> str:
        """Write a day of the week and its date, such as ``lundi 30 novembre 2026``."""
        return self.date(value, "full")

    def month(self, value: str) -> str:
        """Write a month given as ``2026-08``, such as ``août 2026``; any other text is returned as it is."""
        try:
            year, month = value.split("-")
            day = dt.date(int(year), int(month), 1)
        except ValueError:
            return value
        return str(format_date(day, format="LLLL y", locale=self.locale))


def _unreadable(size: float) -> bool:
    return size >= _HUGE or 0 < size < _TINY


def _flatten(prefix: str, node: object, into: dict[str, str | dict[str, str]]) -> None:
    if isinstance(node, dict):
        if "other" in node and _PLURALS.issuperset(map(str, node)):
            into[prefix] = {str(key): str(value) for key, value in node.items()}
            return
        for key, value in node.items():
            _flatten(f"{prefix}.{key}", value, into)
    else:
        into[prefix] = str(node)


@cache
def messages(lang: str) -> Messages:
    """Return the texts of ``fr``, ``ar`` or ``en``; read from disk once."""
    texts: dict[str, str | dict[str, str]] = {}
    for path in sorted((LOCALE_DIR / lang).glob("*.yaml")):
        tree = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
        for key, node in tree.items():
            _flatten(f"{path.stem}.{key}", node, texts)
    return Messages(lang, texts)

"""Writes opening hours as people do: OpenStreetMap's ``Mo-Fr 08:30-16:00`` as «lundi – vendredi 08:30–16:00».

Only the plain forms are put into words; anything else is shown as it stands in the data, never guessed.
"""

from __future__ import annotations

import re

from babel.dates import get_day_names

from api.i18n import Messages

_DAYS = ("Mo", "Tu", "We", "Th", "Fr", "Sa", "Su")
_DAY = "(?:" + "|".join(_DAYS) + ")"
_RANGE = re.compile(rf"({_DAY})(?:-({_DAY}))?")
_SPAN = r"(?:[01]\d|2[0-4]):[0-5]\d-(?:[01]\d|2[0-4]):[0-5]\d"
_RULE = re.compile(rf"(?:({_DAY}(?:-{_DAY})?(?:,{_DAY}(?:-{_DAY})?)*) )?({_SPAN}(?:,{_SPAN})*|off|closed)")


def write_hours(value: str, t: Messages) -> list[str]:
    """Return the lines of an opening-hours value in the reader's language."""
    text = value.strip()
    if text == "24/7":
        return [t("cards.hours.always")]
    if text == "sunrise-sunset":
        return [t("cards.hours.daylight")]
    lines = []
    for part in text.split(";"):
        match = _RULE.fullmatch(part.strip())
        if match is None:
            return [text]
        lines.append(_line(match[1], match[2], t))
    return lines


def _line(days: str | None, spans: str, t: Messages) -> str:
    names = get_day_names("wide", locale=t.locale)
    if days in (None, "Mo-Su"):
        when = t("cards.hours.daily")
    else:
        parts = []
        for match in _RANGE.finditer(days or ""):
            first, last = (names[_DAYS.index(day)] if day else None for day in match.groups())
            parts.append(f"{first} – {last}" if last else str(first))
        when = t("cards.hours.and").join(parts)
    if spans in ("off", "closed"):
        return t("cards.hours.rule", days=when, hours=t("cards.hours.closed"))
    # Times stay left to right within an Arabic line.
    hours = ", ".join(f"\u2066{span.replace('-', '–')}\u2069" for span in spans.split(","))
    return t("cards.hours.rule", days=when, hours=hours)

"""Words that people type to narrow a list down, as conditions of CQL2."""

from __future__ import annotations

from collections.abc import Sequence

from api.params import Condition
from geo.errors import InvalidInput

MAX_TEXT, MAX_WORDS = 200, 8
#: The fields in which words are looked for, where a layer has them.
SEARCHED = ("name_fr", "name_ar", "address_fr", "address_ar")


def _folded(part: object) -> dict[str, object]:
    return {"op": "accenti", "args": [{"op": "casei", "args": [part]}]}


#: Letters that people write one for the other in Arabic stand for any letter; tatweel and vowel signs for none.
_VARIANTS = str.maketrans(
    dict.fromkeys("أإآٱاىيئةهؤو", "_") | dict.fromkeys("ـ\u064b\u064c\u064d\u064e\u064f\u0650\u0651\u0652")
)


def _word(word: str, fields: Sequence[str]) -> Condition:
    escaped = word.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_").translate(_VARIANTS)
    pattern = _folded(f"%{escaped}%")
    found = [{"op": "like", "args": [_folded({"property": name}), pattern]} for name in fields]
    return {"op": "or", "args": found}


def stands_in(text: str, parameter: str, fields: Sequence[str]) -> list[Condition]:
    """Return the conditions that each word of a text stands in one of the fields, whatever its case and accents.

    Raises
    ------
    InvalidInput
        ``parameter.long``.
    """
    if len(text) > MAX_TEXT:
        raise InvalidInput("parameter.long", parameter=parameter, count=len(text), allowed=MAX_TEXT)
    return [_word(word, fields) for word in text.split()[:MAX_WORDS]]

"""Words that people type to narrow a list down, as conditions of CQL2."""

from __future__ import annotations

from collections.abc import Sequence

from api.params import Condition
from geo.errors import InvalidInput
from layers.definition import LayerDefinition
from layers.search.find import listed

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


def has_words(text: str, parameter: str, layer: LayerDefinition) -> list[Condition]:
    """Return the conditions that features have all the words of a text, as the search understands them.

    The annuaire's own list goes by the index alone. Features of other layers may have been added behind its back, so
    that their names and addresses are read as well, whatever their case and accents.

    Raises
    ------
    InvalidInput
        ``parameter.long``.
    """
    if len(text) > MAX_TEXT:
        raise InvalidInput("parameter.long", parameter=parameter, count=len(text), allowed=MAX_TEXT)
    parts = text.split()[:MAX_WORDS]
    if not parts:
        return []
    words = listed(text, "" if layer.entries or layer.places else layer.id)
    if layer.entries:
        # Signs alone are nobody's name.
        return [False if words is None else words]
    fields = [name for name in SEARCHED if layer.field(name)]
    stand: Condition = {"op": "and", "args": [_word(part, fields) for part in parts] + [True]}
    return [stand if words is None else {"op": "or", "args": [words, stand]}]

"""The state of a map that its address may hold: what it shows first, as the browser reads it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from api.maps.listing import view_of
from api.maps.times import time_of
from api.pictures import layers_of
from geo.errors import InvalidInput

#: The parameters of a map's page; the browser keeps the same behind ``#`` as it changes.
STATE = ("view", "layers", "select", "time")


def check_state(given: Mapping[str, str], layers: Sequence[Mapping[str, Any]]) -> None:
    """Refuse a state that the map can't show, rather than leave it out without a word.

    Whether the thing that ``select`` names is still there is left to the browser: a map without it is better than none.

    Parameters
    ----------
    given : mapping
        The parameters; others than those of the state are not looked at.
    layers : sequence of mapping
        What the map shows, as :func:`api.maps.description.layer_options` has it.

    Raises
    ------
    InvalidInput
        ``parameter.form`` or ``parameter.value``, with what is allowed.
    """
    if given.get("view"):
        view_of(given["view"])
    if "layers" in given:
        layers_of(given["layers"], layers)
    if given.get("time"):
        time_of(given["time"])
    if given.get("select"):
        name, _, key = given["select"].partition("/")
        known = [layer["id"] for layer in layers]
        if not key:
            allowed = f"{known[0] if known else 'layer'}/id"
            raise InvalidInput("parameter.form", parameter="select", value=given["select"][:60], allowed=allowed)
        if name not in known:
            raise InvalidInput("parameter.value", parameter="select", value=name[:60], allowed=", ".join(known))

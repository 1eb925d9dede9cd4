"""The exceptions of CasaMaps, from the innermost room outwards.

    CasaMapsError            a code, its parameters, and a message for the log
    ├── InvalidInput         the caller's mistake: names the parameter, what was wrong, what is allowed
    ├── NotFound             nothing stands at this address
    ├── Unavailable          the database is away, or a query ran out of its time
    ├── DefinitionError      a layer's file is wrong: names the file and the key
    ├── IngestError          data that cannot be taken in
    └── SetupError           the machine lacks something; says what to type

The inner rooms raise codes with parameters. The sentences live in ``api/locale``, and the HTTP status of each
class in ``api/errors.py``, nowhere else.
"""

from __future__ import annotations

import traceback


class CasaMapsError(Exception):
    """Base of all errors that a caller may see.

    Parameters
    ----------
    code : str
        Key of the sentence in the message catalogues, such as ``"bbox.order"``.
    log : str
        What the log should say beyond the public sentence; never shown to a client.
    **params
        Values for the sentence's placeholders. ``parameter``, ``value`` and ``allowed`` are also given to
        clients as members of the problem document.
    """

    def __init__(self, code: str, *, log: str = "", **params: object) -> None:
        self.code = code
        self.log = log
        self.params = params
        super().__init__(f"{code} {params}" + (f" ({log})" if log else ""))


class InvalidInput(CasaMapsError):
    """A parameter of the request that can't be understood or isn't allowed."""


class NotFound(CasaMapsError):
    """No such collection, feature, entry, tile or page."""


class Unavailable(CasaMapsError):
    """The database can't answer now, or not within the statement's time."""


class DefinitionError(CasaMapsError):
    """A layer definition that breaks the format; ``file``, ``key`` and ``allowed`` are among its parameters."""


class IngestError(CasaMapsError):
    """A data file that can't be taken in as it is."""


class SetupError(CasaMapsError):
    """Something that the machine must have and has not; ``remedy`` is the line to type."""


def trace(error: BaseException | None) -> str:
    """Return where an exception and its causes happened, without their messages: values may stand in these."""
    parts = []
    while error is not None:
        parts.append("".join(traceback.format_tb(error.__traceback__)) + type(error).__qualname__)
        error = error.__cause__ or error.__context__
    return "\n".join(parts)

"""Makes JSON answers with the headers that all of them share."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache

from starlette.responses import Response

from api.links import JSON
from api.negotiation import VARY, Reader
from api.security import GUARDS, Guarded

_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def dumps(value: object) -> bytes:
    """Write a value as compact JSON in UTF-8."""
    return _encode(value).encode()


def json_answer(
    body: object, reader: Reader, *, media_type: str = JSON, headers: Mapping[str, str] | None = None
) -> Response:
    """Answer with a JSON document in the reader's language."""
    return bytes_answer(dumps(body), reader, media_type=media_type, headers=headers)


def bytes_answer(body: bytes, reader: Reader, *, media_type: str, headers: Mapping[str, str] | None = None) -> Response:
    """Answer with bytes as they are."""
    return Bytes(body, _head(reader.lang, media_type), headers or {}, media_type)


@lru_cache(maxsize=64)
def _head(lang: str, media_type: str) -> dict[bytes, bytes]:
    """Return the headers that all answers of a language and media type share."""
    text = media_type.startswith("text/") and "charset=" not in media_type
    full = f"{media_type}; charset=utf-8" if text else media_type
    sent = {"Content-Language": lang, "Vary": VARY, "Cache-Control": "no-cache", "Content-Type": full}
    return {**{name.lower().encode(): value.encode() for name, value in sent.items()}, **GUARDS}


class Bytes(Response):
    """An answer whose headers are known before; writing them anew took as long as finding the statement."""

    def __init__(self, body: bytes, head: dict[bytes, bytes], more: Mapping[str, str], media_type: str) -> None:
        self.status_code, self.media_type, self.background, self.body = 200, media_type, None, body
        sent = head.copy()
        for name, value in more.items():
            sent[name.lower().encode()] = value.encode("latin-1")
        sent[b"content-length"] = str(len(body)).encode()
        self.raw_headers = Guarded(sent.items())

"""Makes JSON answers with the headers that all of them share."""

from __future__ import annotations

import json
from collections.abc import Mapping

from starlette.responses import Response

from api.links import JSON
from api.negotiation import VARY, Reader

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
    sent = {"Content-Language": reader.lang, "Vary": VARY, "Cache-Control": "no-cache", **(headers or {})}
    return Response(body, 200, sent, media_type)

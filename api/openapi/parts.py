"""What the parts of the OpenAPI document are made of: references, parameters, responses, operations."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from api.links import HTML, PROBLEM

Json = dict[str, Any]
TEXT: Json = {"type": "string"}
NUMBER: Json = {"type": "number"}
COUNT: Json = {"type": "integer", "minimum": 0}
BINARY: Json = {"type": "string", "format": "binary"}
DATE_TIME: Json = {"type": "string", "format": "date-time"}
#: Parameters that choose features, in the order of the document.
SELECT = ("bbox", "bbox-crs", "datetime", "filter", "filter-lang", "filter-crs")
#: Those of tiles.
TILE_SELECT = ("datetime", "filter", "filter-lang", "filter-crs")


def ref(kind: str, name: str) -> Json:
    """Return a reference to a component."""
    return {"$ref": f"#/components/{kind}/{name}"}


def schema(name: str) -> Json:
    """Return a reference to a schema."""
    return ref("schemas", name)


def parameters(*names: str) -> list[Json]:
    """Return references to parameters."""
    return [ref("parameters", name) for name in names]


def one_of(*values: str, **more: Any) -> Json:
    """Return the schema of a text out of a list."""
    return {"type": "string", "enum": [*values], **more}


def array(items: Json, **more: Any) -> Json:
    """Return the schema of a list."""
    return {"type": "array", "items": items, **more}


def record(required: str, properties: Mapping[str, Json], **more: Any) -> Json:
    """Return the schema of an object; ``required`` are its members that are always there, with blanks between."""
    return {"type": "object", "required": required.split(), "properties": dict(properties), **more}


def query(name: str, description: str, of: Json, **more: Any) -> Json:
    """Return a query parameter; a list is written with commas (OGC API - Features Part 1, 7.15.3)."""
    if of.get("type") == "array":
        more = {"style": "form", "explode": False, **more}
    return {"name": name, "in": "query", "required": False, "description": description, "schema": of, **more}


def in_path(name: str, description: str, of: Json) -> Json:
    """Return a parameter of the path."""
    return {"name": name, "in": "path", "required": True, "description": description, "schema": of}


def answers(
    description: str, content: Mapping[str, Json], *, headers: tuple[str, ...] = (), missing: bool = False, **more: Json
) -> Json:
    """Return the responses of an operation.

    Parameters
    ----------
    content : mapping
        Media type of the answer with status 200 -> its schema, or a whole media type object with ``schema``.
    headers : tuple of str
        Names of header components of that answer, besides ``Content-Language``.
    missing : bool
        Whether what is asked for may not be there (404).
    more : dict
        Other responses, by ``status_<code>``.
    """
    bodies = {media_type: body if "schema" in body else {"schema": body} for media_type, body in content.items()}
    found: Json = {
        "200": {
            "description": description,
            "headers": {name: ref("headers", name) for name in ("Content-Language", *headers)},
            "content": bodies,
        }
    }
    found |= {name.removeprefix("status_"): response for name, response in more.items()}
    found["400"] = ref("responses", "Invalid")
    if missing:
        found["404"] = ref("responses", "NotFound")
    return found | {"421": ref("responses", "Misdirected"), "503": ref("responses", "Unavailable")}


def json_or_page(media_type: str, of: Json) -> Json:
    """Return the content of an answer that is a document or its page."""
    return {media_type: of, HTML: TEXT}


def operation(identifier: str, texts: str | tuple[str, str], tag: str, asked: list[Json], responses: Json) -> Json:
    """Return the path item of a GET operation; ``texts`` is its summary, or that and its description."""
    summary, *description = (texts,) if isinstance(texts, str) else texts
    said: Json = {"operationId": identifier, "summary": summary}
    if description:
        said["description"] = description[0]
    return {"get": {**said, "tags": [tag], "parameters": asked, "responses": responses}}


def problem(description: str, headers: tuple[str, ...] = ()) -> Json:
    """Return the response of an error: a problem document (RFC 9457), or its page."""
    return {
        "description": description,
        "headers": {name: ref("headers", name) for name in ("Content-Language", *headers)},
        "content": {PROBLEM: {"schema": schema("Problem")}, HTML: {"schema": TEXT}},
    }

"""What the page of the OpenAPI document shows of its operations."""

from __future__ import annotations

import re
from typing import TypedDict

from api.openapi.examples import shown
from api.openapi.parts import Json

_SHORT = re.compile(r"^http://www\.opengis\.net/def/crs/(EPSG|OGC)/[0-9.]+/(\w+)$")


class Parameter(TypedDict):
    """A parameter: what it is for, and the values or the range that it may have."""

    name: str
    description: str
    allowed: list[str]


class Entry(TypedDict):
    """An operation: its path, its texts, addresses that show it, its parameters."""

    method: str
    path: str
    summary: str
    text: str
    examples: list[str]
    parameters: list[Parameter]


def _allowed(schema: Json) -> list[str]:
    """Return the values that a schema lists, or the range that it has."""
    schema = schema.get("items", schema) if schema.get("type") == "array" else schema
    if "enum" in schema:
        # Systems of coordinates have short names, which are understood as well.
        return [_SHORT.sub(r"\1:\2", value) for value in schema["enum"]]
    if schema.get("type") == "boolean":
        return ["true", "false"]
    if "minimum" in schema and "maximum" in schema:
        return [f"{schema['minimum']} … {schema['maximum']}"]
    return []


def operations(openapi: Json) -> list[tuple[str, list[Entry]]]:
    """Return the operations of the document, by tag in its order."""
    known = openapi["components"]["parameters"]
    found: dict[str, list[Entry]] = {tag["name"]: [] for tag in openapi["tags"]}
    for path, methods in openapi["paths"].items():
        (method, get), *_ = methods.items()
        asked = [known[item["$ref"].rsplit("/", 1)[1]] if "$ref" in item else item for item in get["parameters"]]
        found[get["tags"][0]].append(
            {
                "method": method.upper(),
                "path": path,
                "summary": get["summary"],
                "text": get.get("description", "").split("\n")[0],
                "examples": shown(get.get("description", "")),
                "parameters": [
                    {"name": item["name"], "description": item["description"], "allowed": _allowed(item["schema"])}
                    for item in asked
                ],
            }
        )
    return list(found.items())

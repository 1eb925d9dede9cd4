"""What the tests of the OpenAPI document share."""

from __future__ import annotations

import copy
import re
from typing import Any

Json = dict[str, Any]


def closed(document: Json) -> Json:
    """Return a document in which no object may have a member that its schema does not name.

    The document itself leaves objects open, so that clients bear with members to come; the tests don't.
    """
    document = copy.deepcopy(document)
    waiting: list[Any] = [document["components"]["schemas"]]
    while waiting:
        node = waiting.pop()
        if isinstance(node, dict):
            if isinstance(node.get("properties"), dict) and node.get("type") == "object":
                node.setdefault("additionalProperties", False)
            waiting += node.values()
        elif isinstance(node, list):
            waiting += node
    return document


#: Parameters that are asked together: a place has two coordinates.
_TOGETHER = {"lon": "lat", "lat": "lon"}


def examples(document: Json) -> list[tuple[str, dict[str, str]]]:
    """Return every example of every GET in a document: paths, templates among them, with their parameters.

    Whole addresses that a description shows are paths with a query, without parameters.
    """
    found: list[tuple[str, dict[str, str]]] = []
    for path, methods in document["paths"].items():
        if "get" not in methods:
            continue
        get = methods["get"]
        found += [(address, {}) for address in re.findall(r"^- `(/.*)`$", get.get("description", ""), re.MULTILINE)]
        known = document["components"]["parameters"]
        asked = [known[item["$ref"].rsplit("/", 1)[1]] if "$ref" in item else item for item in get["parameters"]]
        values = {item["name"]: _values(item) for item in asked if item["in"] == "query" and _values(item)}
        for name, several in values.items():
            needed = {item["name"] for item in asked if item["in"] == "query" and item.get("required")}
            needed |= {_TOGETHER[name]} if name in _TOGETHER else set()
            # Without a place, nothing is near to one.
            needed |= {"lon", "lat"} & values.keys() if name not in ("point", "feature", "q") else set()
            found += [
                (path, {other: values[other][0] for other in needed - {name}} | {name: value}) for value in several
            ]
    return found


def _values(parameter: Json) -> list[str]:
    given = [item["value"] for item in parameter.get("examples", {}).values()]
    given += [parameter["example"]] if "example" in parameter else []
    return [",".join(map(str, value)) if isinstance(value, list) else str(value) for value in given]

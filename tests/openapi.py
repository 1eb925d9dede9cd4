"""What the tests of the OpenAPI document share."""

from __future__ import annotations

import copy
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

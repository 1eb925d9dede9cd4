"""Asks a service with the GDAL inside pyogrio's wheel, in a process of its own: GDAL waits without letting Python go on.

Each line of standard input is a question in JSON: ``address``, and arguments of ``pyogrio.read_dataframe``.
"""

import json
import sys

import pyogrio

for line in sys.stdin:
    question = json.loads(line)
    if "bbox" in question:
        question["bbox"] = tuple(question["bbox"])
    try:
        table = pyogrio.read_dataframe(question.pop("address"), **question)
    except Exception as error:
        answer = {"error": str(error)}
    else:
        answer = {
            "ids": list(table["id"]) if len(table) else [],
            "wkb": [shape.wkb_hex for shape in table.geometry],
            "crs": table.crs.to_string(),
            "types": table.drop(columns="geometry").dtypes.astype(str).to_dict(),
        }
    print(json.dumps(answer), flush=True)

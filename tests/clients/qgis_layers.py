"""Asks a service with QGIS' own provider; run by the machine's Python that QGIS belongs to, not by the project's.

Standard input has a JSON list of questions, standard output the list of answers. A question has ``base``, ``layer`` and
optionally ``subset`` (a QGIS expression), ``rect`` (a box in the layer's CRS), ``srs`` and ``page``.
"""

import json
import os
import sys
import tempfile

os.environ["QT_QPA_PLATFORM"] = "offscreen"
os.environ.setdefault("XDG_RUNTIME_DIR", tempfile.mkdtemp())

from qgis.core import (
    Qgis,
    QgsApplication,
    QgsFeatureRequest,
    QgsRectangle,
    QgsSettings,
    QgsVectorLayer,
    QgsWkbTypes,
)


def plain(value):
    """Return a value as JSON can have it."""
    if value is None or (hasattr(value, "isNull") and value.isNull()):
        return None
    for name in ("toPyDateTime", "toPyDate"):
        if hasattr(value, name):
            return getattr(value, name)().isoformat()
    return value


def answer(question):
    """Open a layer, ask it, and return what QGIS shows of it."""
    uri = f"url='{question['base']}' typename='{question['layer']}'"
    if "srs" in question:
        uri += f" srsname='{question['srs']}'"
    if "page" in question:
        uri += f" pagingEnabled='enabled' pageSize='{question['page']}'"
    if question.get("only_view"):
        uri += " restrictToRequestBBOX='1'"
    layer = QgsVectorLayer(uri, question["layer"], "OAPIF")
    if not layer.isValid():
        return {"valid": False}
    if "subset" in question and not layer.setSubsetString(question["subset"]):
        return {"valid": True, "subset": False}
    request = QgsFeatureRequest()
    if "rect" in question:
        request.setFilterRect(QgsRectangle(*question["rect"]))
    features = {}
    for feature in layer.getFeatures(request):
        attributes = {field.name(): plain(feature[field.name()]) for field in layer.fields()}
        features[attributes["id"]] = {
            "wkb": bytes(feature.geometry().asWkb()).hex() if feature.hasGeometry() else None,
            "attributes": attributes,
        }
    return {
        "valid": True,
        "count": layer.featureCount(),
        "crs": layer.crs().authid(),
        "geometry": QgsWkbTypes.displayString(layer.wkbType()),
        "fields": {field.name(): field.typeName() for field in layer.fields()},
        "extent": [getattr(layer.extent(), name)() for name in ("xMinimum", "yMinimum", "xMaximum", "yMaximum")],
        "title": layer.metadata().title(),
        "features": features,
    }


def main():
    """Answer all questions."""
    application = QgsApplication([], False, tempfile.mkdtemp())
    application.initQgis()
    QgsSettings().setValue("/qgis/networkAndProxy/networkTimeout", 30000)
    answers = [answer(question) for question in json.load(sys.stdin)]
    application.exitQgis()
    json.dump({"version": Qgis.QGIS_VERSION_INT, "answers": answers}, sys.stdout)


if __name__ == "__main__":
    main()

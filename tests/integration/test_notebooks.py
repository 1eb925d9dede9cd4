"""The notebooks run against the service, from first cell to last."""

from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from api.settings import PROJECT

NOTEBOOKS = sorted((PROJECT / "notebooks").glob("*.ipynb"))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_runs(path: Path, server_url, monkeypatch):
    monkeypatch.setenv("CASAMAPS_URL", server_url)
    notebook = nbformat.read(path, as_version=4)
    NotebookClient(
        notebook, timeout=120, kernel_name="python3", resources={"metadata": {"path": path.parent}}
    ).execute()
    pictures = [
        output for cell in notebook.cells for output in cell.get("outputs", []) if "image/png" in output.get("data", {})
    ]
    assert pictures, "a notebook shows a picture"


def test_without_sql():
    for path in NOTEBOOKS:
        text = path.read_text(encoding="utf-8").lower()
        assert "select " not in text
        assert "psycopg" not in text


def test_committed_without_output():
    for path in NOTEBOOKS:
        for cell in nbformat.read(path, as_version=4).cells:
            assert not cell.get("outputs")

"""The style sheets: many short files as they are written, few as browsers ask for them."""

from pathlib import Path

from api.assets import Assets
from api.settings import PROJECT

SHEETS = ("base", "embed", "list", "map", "widgets")
LONGEST = 300
WRITTEN = PROJECT / "api" / "web" / "css"


def test_every_part_is_in_its_sheet_and_no_address_of_its_own() -> None:
    assets = Assets(PROJECT / ".casamaps" / "web", "")
    served = {name for name in assets.names() if name.endswith(".css")}
    assert served == {f"css/{sheet}{theme}.css" for sheet in SHEETS for theme in ("", "-light", "-dark")}
    parts: dict[str, list[Path]] = {}
    for file in WRITTEN.glob("*/*.css"):
        parts.setdefault(file.parent.name, []).append(file)
    assert set(parts) == {"base", "list", "map"}
    for sheet, files in parts.items():
        whole = (assets.content(f"css/{sheet}.css") or b"").decode()
        for file in files:
            assert whole.count(file.read_text(encoding="utf-8")) == 1, file


def test_a_style_sheet_can_be_read_at_once() -> None:
    lines = {file: len(file.read_text(encoding="utf-8").splitlines()) for file in WRITTEN.rglob("*.css")}
    assert len(lines) > len(SHEETS)
    assert {file: count for file, count in lines.items() if count > LONGEST} == {}

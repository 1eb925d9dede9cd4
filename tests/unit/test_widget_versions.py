"""What has been released as a version of the widget's script stays as it was: other sites' pages name its hash."""

from __future__ import annotations

from api.assets import Assets
from api.settings import PROJECT

#: Hashes of all versions, the newest first. A changed script gets a new number and a line here, and the file as it was
#: is kept as ``widget-<version>.js``; no line is ever changed or taken out.
RELEASED = {
    "1.2.0": "sha384-NGbPJphgOylJUY24AgleuZMlH9/z3xwkoV70hlPJhu1ixo5hb4UdCPoaFTj1TU3o",
    "1.1.0": "sha384-4ZzHMKvOa23fToxi5UAoS96oxPjFM7q+PxC+zqsAzQjxanwF1b3AwZ0LecSk3Z73",
    "1.0.0": "sha384-gTDl2m6CmFEMHc6jGJv3dscGaJ6OgSt83tgMsr+3jAlT27VT3wMummq+jr5wCWUi",
}


def test_no_released_version_has_changed() -> None:
    assets = Assets(PROJECT / ".casamaps" / "web", "")
    assert {version: assets.integrity(version) for version in assets.widgets} == RELEASED
    assert [*assets.widgets] == [*RELEASED]

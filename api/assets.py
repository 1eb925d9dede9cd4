"""Files for the browser: our own of ``api/web``, and those of the npm packages that are on the list here."""

from __future__ import annotations

import base64
import hashlib
import re
from pathlib import Path

from api.bundle import bundle, joined, shim
from geo.errors import SetupError

_OWN = Path(__file__).resolve().parent / "web"
_OWN_FOLDERS = ("css", "img", "js")
#: Media type by suffix; files of no other kind are served.
MEDIA_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
}
#: Address below ``/assets/<version>/`` -> file below ``node_modules``; nothing else of the packages is served.
_PACKAGES = {
    "lib/leaflet.js": "leaflet/dist/leaflet.js",
    "lib/leaflet.css": "leaflet/dist/leaflet.css",
    "lib/leaflet.markercluster.js": "leaflet.markercluster/dist/leaflet.markercluster.js",
    "lib/pbf.js": "pbf/index.js",
    "lib/point-geometry.js": "@mapbox/point-geometry/index.js",
    "lib/vector-tile.js": "@mapbox/vector-tile/index.js",
}
#: The style sheets' parts, in the order in which they count; addresses in them are as seen from the joined file.
_BASE = ("tokens", "site", "find", "page", "tables", "parts", "places", "entries")
_MAP = (
    *("city", "marks", "controls", "panel", "legend", "alerts", "list-link", "card", "narrow"),
    *("tools", "time", "low", "preferences", "print"),
)
_LIST = ("page", "maps", "narrow", "print")
#: Served as one file, to be asked for once: address -> files, in their order.
_JOINED = {
    "css/base.css": tuple(f"css/base/{part}.css" for part in _BASE),
    "css/list.css": tuple(f"css/list/{part}.css" for part in _LIST),
    "css/map.css": ("lib/leaflet.css", *(f"css/map/{part}.css" for part in _MAP)),
    "lib/leaflet.js": ("lib/leaflet.js", "lib/leaflet.markercluster.js"),
}
#: The module that starts the map; served joined with those that it imports.
ENTRY = "main"
#: What packages import by name, which browsers can't find -> the same as a path beside them.
_BARE = {b"from '@mapbox/point-geometry'": b"from './point-geometry.js'"}

#: What makes the style sheets' dark rules hold always, or never, where a page's theme does not follow the reader's.
_ALWAYS, _NEVER = b"(min-width: 0)", b"(min-width: 99999999px)"
_DARK, _LIGHT = b"(prefers-color-scheme: dark)", b"(prefers-color-scheme: light)"
_VERSION = re.compile(rb'const VERSION = "([0-9.]+)";')


class Assets:
    """The files with one version for all of them: a hash of their contents, so a browser may keep them for ever.

    Parameters
    ----------
    web_dir : Path
        Folder whose ``node_modules`` holds the npm packages.
    base : str
        Path prefix of the service.
    """

    def __init__(self, web_dir: Path, base: str) -> None:
        self._base = base
        self._files = self._read(web_dir)
        for name in [name for name in self._files if name.startswith("css/")]:
            self._files |= themed(name, self._files[name])
        #: Our modules as they are written, by name.
        self.sources = self._join_modules()
        #: The scripts that other sites' pages load, by version, the newest first; see ``api/web/js/widget.js``.
        self.widgets = _widgets(self._files)
        digest = hashlib.sha256()
        for name, content in sorted(self._files.items()):
            digest.update(f"{name}\0{len(content)}\0".encode() + content)
        self.version = digest.hexdigest()[:12]

    @staticmethod
    def _read(web_dir: Path) -> dict[str, bytes]:
        paths = {
            file.relative_to(_OWN).as_posix(): file
            for folder in _OWN_FOLDERS
            for file in (_OWN / folder).rglob("*")
            if file.suffix in MEDIA_TYPES
        }
        paths |= {name: web_dir / "node_modules" / path for name, path in _PACKAGES.items()}
        try:
            found = {name: path.read_bytes() for name, path in paths.items()}
        except OSError as error:
            missing = Path(error.filename).name
            raise SetupError("assets.missing", log=str(error), value=missing, remedy="./casamaps up") from error
        for name in _PACKAGES:
            for bare, path in _BARE.items():
                found[name] = found[name].replace(bare, path)
        joined = {name: b"\n".join(found[part] for part in parts) for name, parts in _JOINED.items()}
        inside = {part for parts in _JOINED.values() for part in parts}
        return {name: content for name, content in found.items() if name not in inside} | joined

    def _join_modules(self) -> dict[str, str]:
        """Put the modules that every map needs into one file; those loaded later find them there."""
        sources = {
            name.removeprefix("js/").removesuffix(".js"): content.decode()
            for name, content in self._files.items()
            if name.startswith("js/")
        }
        for name in joined(sources, ENTRY):
            self._files[f"js/{name}.js"] = shim(name, sources[name]).encode()
        self._files[f"js/{ENTRY}.js"] = bundle(sources, ENTRY).encode()
        return sources

    def url(self, path: str) -> str:
        """Return the address of a file for pages, with its version.

        Raises
        ------
        KeyError
            When there is no such file: a mistake in our templates, found by the tests.
        """
        if path not in self._files:
            raise KeyError(path)
        return f"{self._base}/assets/{self.version}/{path}"

    def names(self) -> list[str]:
        """Return the addresses of all files."""
        return sorted(self._files)

    def integrity(self, version: str) -> str:
        """Return the hash of a widget's script, as pages that load it say it (W3C Subresource Integrity, 3.1)."""
        return "sha384-" + base64.b64encode(hashlib.sha384(self.widgets[version]).digest()).decode()

    def content(self, path: str) -> bytes | None:
        """Return a file, None for one that is not served."""
        return self._files.get(path)


def themed(name: str, content: bytes) -> dict[str, bytes]:
    """Return a style sheet as it is in a page that is always light, and in one that is always dark."""
    stem = name.removesuffix(".css")
    return {
        f"{stem}-light.css": content.replace(_DARK, _NEVER).replace(_LIGHT, _ALWAYS),
        f"{stem}-dark.css": content.replace(_DARK, _ALWAYS).replace(_LIGHT, _NEVER),
    }


def _widgets(files: dict[str, bytes]) -> dict[str, bytes]:
    """Return the widget's scripts by version: the current one, and those before it (``widget-<version>.js``)."""
    found = {}
    for name, content in files.items():
        if re.fullmatch(r"js/widget(-[0-9.]+)?\.js", name) and (version := _VERSION.search(content)):
            found[version[1].decode()] = content
    return dict(sorted(found.items(), key=lambda item: [int(part) for part in item[0].split(".")], reverse=True))

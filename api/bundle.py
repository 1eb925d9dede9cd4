"""Joins our browser modules into one script, so that a page asks once for all that it always needs.

Our modules import names from files beside them and export names where they define them; a module that does anything
else is refused, so that a mistake shows at the start.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

_IMPORT = re.compile(r'^import \{ ([^}]+) \} from "\./([\w-]+)\.js";\n', re.MULTILINE)
_EXPORT = re.compile(r"^export ((?:async )?(?:function\*?|const|class) (\w+)|const \{ (\w+) \})", re.MULTILINE)
_LATER = re.compile(r"import\(`\./\$\{name\}\.js`\)")
_OTHER = re.compile(r"^(?:import|export)\b.*", re.MULTILINE)
#: Where the joined modules stand, for those that are loaded later.
_HOLDER = "window.casamapsModules"


def joined(sources: Mapping[str, str], entry: str, late: Iterable[str] = ()) -> list[str]:
    """Return the modules that one needs, itself the last, each after those that it imports; then those of ``late``.

    Raises
    ------
    ValueError
        For modules that import each other in a circle.
    """
    done: list[str] = []

    def visit(name: str, above: tuple[str, ...]) -> None:
        if name in above:
            raise ValueError(f"a circle of imports: {' -> '.join((*above, name))}")
        if name not in done:
            for _, other in _IMPORT.findall(sources[name]):
                visit(other, (*above, name))
            done.append(name)

    for name in (entry, *late):
        visit(name, ())
    return done


def exports(source: str) -> list[str]:
    """Return the names that a module exports."""
    return [first or second for _, first, second in _EXPORT.findall(source)]


def bundle(sources: Mapping[str, str], entry: str, late: Iterable[str] = ()) -> str:
    """Join modules into one classic script: each a function that gives what it exports.

    Parameters
    ----------
    sources : mapping
        Texts of the modules, by name.
    late : names
        Modules that are loaded when they are needed; those named here are joined as well.

    Raises
    ------
    ValueError
        For a module that imports or exports in another way, or in a circle.
    """
    late = tuple(late)
    parts = ['"use strict";', f"const modules = {_HOLDER} = {{}};"]
    for name in joined(sources, entry, late):
        body = sources[name]
        names = ", ".join(exports(body))
        body = _IMPORT.sub(lambda match: f'const {{ {match[1]} }} = modules["{match[2]}"];\n', body)
        body = _EXPORT.sub(r"\1", body)
        if late:
            body = _LATER.sub("Promise.resolve(modules[name])", body)
        if other := _OTHER.search(body):
            raise ValueError(f"{name}.js: {other[0]}")
        parts.append(f'modules["{name}"] = (() => {{\n{body}\nreturn {{ {names} }};\n}})();')
    return "(() => {\n" + "\n".join(parts) + "\n})();\n"


def shim(name: str, source: str) -> str:
    """Return a module that exports what stands in the joined script, for modules that are loaded later."""
    names = ", ".join(exports(source))
    return f'const {{ {names} }} = {_HOLDER}["{name}"];\nexport {{ {names} }};\n'

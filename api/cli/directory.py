"""``./casamaps directory report``: what in the annuaire should be looked at by hand."""

from __future__ import annotations

from api.cli.console import say
from api.cli.database import open_database
from api.settings import Settings


def report(settings: Settings) -> None:
    """Print entries without a feature, features without an entry, and entries that are likely the same.

    Raises
    ------
    CasaMapsError
        When the database can't be used.
    """
    from rich.console import Console

    from layers.entries_report import entries_report
    from layers.migrate import upgrade

    with open_database(settings, "directory report", share=True) as url:
        upgrade(url)
        found = entries_report(url)
    # The result itself: standard output, one finding a line.
    console = Console(highlight=False, soft_wrap=True)

    def part(key: str, lines: list[str]) -> None:
        console.print(say(f"directory.{key}", count=len(lines)), markup=False)
        for line in lines:
            console.print(f"  {line}", markup=False)

    part("unused", [say("directory.entry", id=key, name=name) for key, name in found.unused])
    part(
        "unlinked",
        [say("directory.feature", layer=layer, id=key, name=name) for layer, key, name in found.unlinked],
    )
    part(
        "doubles",
        [
            say(
                "directory.double",
                first=pair.first,
                second=pair.second,
                first_name=pair.first_name,
                second_name=pair.second_name,
                metres=str(round(pair.metres)),
            )
            for pair in found.doubles
        ],
    )

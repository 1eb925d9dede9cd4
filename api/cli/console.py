"""What the command line says, and how: texts, progress bars, one clear block for each error."""

from __future__ import annotations

import logging
import os
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import TYPE_CHECKING, Any

from api.i18n import messages
from geo.errors import CasaMapsError, trace

if TYPE_CHECKING:
    from rich.console import Console


def say(key: str, **params: object) -> str:
    """Return an English text of the command line."""
    return messages("en")(f"cli.{key}", **params)


def err() -> Console:
    """Return the console for everything but results: standard error."""
    from rich.console import Console

    return Console(stderr=True, highlight=False, soft_wrap=True)


def note(key: str, **params: object) -> None:
    """Print a line about what is going on."""
    err().print(f"  · {say(key, **params)}", markup=False)


def done(key: str, **params: object) -> None:
    """Print a line about what is done."""
    err().print(f"  ✓ {say(key, **params)}", markup=False)


def sentence(code: str, params: dict[str, object]) -> str:
    """Return the English sentence of an error code, or the code itself where the catalogue has none."""
    texts = messages("en")
    key = f"errors.{code}"
    if not texts.has(key):
        return f"{code}: " + ", ".join(f"{name}={value}" for name, value in params.items())
    nested = params.get("params")
    if isinstance(nested, dict):  # a sentence within a sentence: the reason why the first row was refused
        params = {**params, "reason": sentence(str(params["reason"]), nested)}
    return texts(key, **params)


def show_error(error: CasaMapsError) -> None:
    """Print what is wrong and what to do next."""
    console = err()
    first, *rest = sentence(error.code, error.params).strip().splitlines()
    console.print()
    console.print(f"[bold red]✗[/] {_plain(first)}")
    for line in rest:
        console.print(f"  {line}", markup=False)


def _plain(text: str) -> str:
    from rich.markup import escape

    return escape(text)


def log_folder(data_dir: Path) -> Path | None:
    """Return the folder for logs, made where missing, or None where none can be."""
    from layers.datadir import LOGS, prepare

    try:
        prepare(data_dir)
        folder = data_dir / LOGS
        folder.mkdir(exist_ok=True)
    except (CasaMapsError, OSError):
        return None
    return folder


class Discreet(logging.Formatter):
    """Writes where an exception happened, not its message, as people's positions may stand there."""

    def formatException(self, ei: Any) -> str:  # noqa: N802
        """Return the places of an exception and its causes."""
        return trace(ei[1])


def set_up_logging(data_dir: Path) -> None:
    """Send warnings to the terminal and to a log file of bounded size."""
    handlers: list[logging.Handler] = [logging.StreamHandler()]
    folder = log_folder(data_dir)
    if folder is not None and os.access(folder, os.W_OK):
        handlers.append(
            RotatingFileHandler(folder / "casamaps.log", maxBytes=2_000_000, backupCount=3, encoding="utf-8")
        )
    for handler in handlers:
        handler.setFormatter(Discreet("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(level=logging.WARNING, handlers=handlers)


def record(data_dir: Path, error: BaseException) -> Path | None:
    """Append an error with all that is known of it to a log file; return the file, or None if it can't be written."""
    folder = log_folder(data_dir)
    if folder is None:
        return None
    path = folder / "errors.log"
    text = "".join(traceback.format_exception(error))
    if isinstance(error, CasaMapsError) and error.log:
        text += f"{error.log}\n"
    try:
        if path.exists() and path.stat().st_size > 2_000_000:
            path.replace(path.with_suffix(".old.log"))
        with path.open("a", encoding="utf-8") as file:
            file.write(f"--- {datetime.now(UTC):%Y-%m-%d %H:%M:%S}Z  {' '.join(sys.argv[1:2])}\n{text}\n")
    except OSError:
        return None
    return path


class Bars:
    """Progress of the layers: bars on a terminal, silence elsewhere; a :class:`layers.reports.Progress`."""

    def __init__(self) -> None:
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

        console = err()
        self._tasks: dict[str, object] = {}
        self._progress = Progress(
            TextColumn("    {task.description}"),
            BarColumn(bar_width=30),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )

    def __call__(self, step: str, done: int, total: int | None) -> None:
        """Take note of ``done`` of ``total`` rows of a step; a total that isn't known is None."""
        from typing import cast

        from rich.progress import TaskID

        task = self._tasks.get(step)
        if task is None:
            task = self._tasks[step] = self._progress.add_task(step, total=total)
        self._progress.update(cast(TaskID, task), completed=done, total=total)

    def __enter__(self) -> Bars:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()


@contextmanager
def bars() -> Iterator[Bars]:
    """Show progress bars for the time of a block."""
    with Bars() as shown:
        yield shown

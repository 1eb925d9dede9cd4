"""The writer's process: reads a job and its lines, makes the file, answers."""

from __future__ import annotations

import errno
import importlib.abc
import json
import shutil
import sys
from collections.abc import Iterator


class _Missing(importlib.abc.MetaPathFinder):
    """Makes modules look as if they weren't installed."""

    def find_spec(self, fullname: str, *_: object) -> None:
        """Refuse geopandas and pandas, pass the others on."""
        if fullname in ("geopandas", "pandas"):
            raise ModuleNotFoundError(fullname, name=fullname)


# pyogrio imports both where they are, which takes longer than most files; nothing here needs them.
sys.meta_path.insert(0, _Missing())

from layers.files.arrow import Reader  # noqa: E402
from layers.files.formats import WRITERS  # noqa: E402
from layers.files.job import Abandoned, Job, frames  # noqa: E402


def write(job: Job, blocks: Iterator[bytes]) -> dict[str, object]:
    """Make the file; return its name and how many features it has."""
    reader = Reader(job, blocks)
    file = WRITERS[job.format](job, reader)
    return {"file": file, "count": reader.count}


def _failure(error: Exception) -> dict[str, object]:
    # GDAL's words; a driver takes its unfinished file away, so the disk itself may look free again.
    full = any(words in str(error) for words in ("I/O failure", "disk is full", "No space left"))
    full = full or (isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT))
    return {"error": "space" if full else "failed", "log": f"{type(error).__name__}: {error}"}


def main() -> int:
    """Read a job and its lines, make the file, and answer."""
    incoming = frames(sys.stdin.buffer)
    job = Job.loads(next(incoming))
    try:
        answer = write(job, incoming)
        if shutil.disk_usage(job.folder).free < 1_000_000:
            # A driver may not have noticed that its last bytes found no room.
            answer = {"error": "space", "log": "less than 1 MB is free"}
        print(json.dumps(answer), flush=True)
    except (Abandoned, BrokenPipeError):
        shutil.rmtree(job.folder, ignore_errors=True)
        return 1
    except Exception as error:  # whatever a driver raises is the answer
        answer = _failure(error)
        if shutil.disk_usage(job.folder).free < 1_000_000:
            answer["error"] = "space"
        print(json.dumps(answer), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""The writer's process: reads a job and its lines, makes the file, answers."""

from __future__ import annotations

import errno
import importlib.abc
import json
import os
import shutil
import sys


class _Missing(importlib.abc.MetaPathFinder):
    """Makes modules look as if they weren't installed."""

    def find_spec(self, fullname: str, *_: object) -> None:
        """Refuse geopandas and pandas, pass the others on."""
        if fullname in ("geopandas", "pandas"):
            raise ModuleNotFoundError(fullname, name=fullname)


# pyogrio imports both where they are, which takes longer than most files; nothing here needs them.
sys.meta_path.insert(0, _Missing())

# Arrow's own allocators keep what has been freed: up to half as much again, now this much and then that.
os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")

from layers.files.arrow import Reader  # noqa: E402
from layers.files.formats import WRITERS  # noqa: E402
from layers.files.job import Abandoned, Frames, Job  # noqa: E402


def _failure(job: Job, error: Exception) -> dict[str, object]:
    # GDAL's words; a driver takes its unfinished file away, so the disk itself may look free again.
    full = any(words in str(error) for words in ("I/O failure", "disk is full", "No space left", "disk I/O error"))
    full = full or (isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG))
    full = full or shutil.disk_usage(job.folder).free < 1_000_000
    return {"error": "space" if full else "failed", "log": f"{type(error).__name__}: {error}"}


def main() -> int:
    """Read a job and its lines, make the file, and answer; when nobody waits for it any more, take all away."""
    incoming = Frames(sys.stdin.buffer)
    job = Job.loads(next(incoming))
    reader = Reader(job, incoming)
    try:
        try:
            file = WRITERS[job.format](job, reader)
            answer: dict[str, object] = {"file": file, "count": reader.count}
        except Exception as error:  # whatever a driver raises is the answer
            if incoming.broken:
                raise Abandoned from error
            answer = _failure(job, error)
        print(json.dumps(answer), flush=True)
    except (Abandoned, BrokenPipeError):
        shutil.rmtree(job.folder, ignore_errors=True)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""What exports of all rows cost: time, bytes, and the memory of all processes that make them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import httpx

from layers.export import EXTENSIONS, Format
from tests.benchmarks.servers import LAYER, process

#: Megabytes that each of the processes that make an export may need.
LIMIT = 400


@dataclass
class Export:
    """One export: its format, seconds, size and peaks of memory in megabytes."""

    form: Format
    seconds: float
    size: float
    service: float
    writer: float

    @property
    def holds(self) -> bool:
        """Whether each process stayed below the limit."""
        return max(self.service, self.writer) < LIMIT


def _memory(pid: int, field: str) -> float:
    try:
        text = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    except OSError:
        return 0.0
    return next((int(line.split()[1]) / 1024 for line in text.splitlines() if line.startswith(field)), 0.0)


def _children(pid: int) -> list[int]:
    try:
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()]
    except OSError:
        return []


class _Watch:
    """Follows the memory of the service and of the processes that it starts."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.service = self.writer = 0.0

    def __enter__(self) -> _Watch:
        Path(f"/proc/{self._pid}/clear_refs").write_text("5", encoding="ascii")  # forget the highest mark
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()
        self.service = _memory(self._pid, "VmHWM")

    def _run(self) -> None:
        while not self._ended.wait(0.02):
            self.writer = max(self.writer, sum(_memory(child, "VmHWM") for child in _children(self._pid)))


def exports(url: str, forms: list[Format], progress: Callable[[str], None]) -> list[Export]:
    """Download all rows in each format; what the service needed before counts as well."""
    found = []
    with process("casamaps", url) as service, httpx.Client(base_url=service.address, timeout=900) as client:
        for form in forms or list(EXTENSIONS):
            progress(form)
            begun, size = time.perf_counter(), 0
            with _Watch(service.pid) as watch, client.stream("GET", f"/collections/{LAYER}/export?f={form}") as answer:
                answer.raise_for_status()
                for chunk in answer.iter_bytes():
                    size += len(chunk)
            seconds = time.perf_counter() - begun
            found.append(Export(form, seconds, size / 1e6, watch.service, watch.writer))
    return found

"""Ctrl-C, SIGTERM and a closed terminal: all of them mean to end in order."""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import Coroutine
from types import FrameType
from typing import Any, TypeVar

Result = TypeVar("Result")
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Stopped(BaseException):
    """The user or the system asked us to end; no error, and nothing but the way out may catch it."""

    def __init__(self, number: int) -> None:
        self.number = number
        super().__init__(signal.Signals(number).name)


def catch_signals() -> None:
    """Turn the first Ctrl-C, SIGTERM or SIGHUP into :class:`Stopped`; more of them don't disturb the cleaning up."""

    def stop(number: int, _frame: FrameType | None) -> None:
        ignore_signals()
        logging.disable(logging.WARNING)  # drivers grumble about the work that they lose
        raise Stopped(number)

    for number in SIGNALS:
        if not is_ignored(number):
            signal.signal(number, stop)


def is_ignored(number: int) -> bool:
    """Tell whether a signal is to stay without effect: that of a closed terminal, for a command under nohup."""
    return number == signal.SIGHUP and signal.getsignal(number) == signal.SIG_IGN


def ignore_signals() -> None:
    """From here on we are cleaning up, which is bounded in time."""
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)


def run_until_stopped(work: Coroutine[Any, Any, Result]) -> Result:
    """Run asynchronous work; the first signal cancels it, so that it cleans up after itself.

    Raises
    ------
    Stopped
        When it has.
    """
    got: list[int] = []

    async def cancelled_by_signals() -> Result:
        loop, task = asyncio.get_running_loop(), asyncio.current_task()
        assert task is not None, "runs in a task"

        def stop(number: int) -> None:
            if not got:
                got.append(number)
                logging.disable(logging.WARNING)
                task.cancel()

        # An exception out of a handler, as elsewhere, could come up in a callback and be lost there.
        for number in SIGNALS:
            if not is_ignored(number):
                loop.add_signal_handler(number, stop, number)
        return await work

    try:
        return asyncio.run(cancelled_by_signals())
    except asyncio.CancelledError:
        raise Stopped(got[0]) from None
    finally:
        if got:
            ignore_signals()
        else:
            catch_signals()

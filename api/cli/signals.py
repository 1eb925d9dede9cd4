"""Ctrl-C, SIGTERM and a closed terminal: all of them mean to end in order."""

from __future__ import annotations

import logging
import signal
from types import FrameType

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

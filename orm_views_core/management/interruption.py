"""Ctrl-C and SIGTERM while a command works in a database.

psycopg2 waits for the end of a statement inside C code, and a signal is not handled before that. So another
thread cancels the statement. Python writes each signal into a file descriptor at once, whatever the main
thread does.
https://docs.python.org/3/library/signal.html#signal.set_wakeup_fd
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Any

from django.core.management.base import CommandError
from django.db import connections

_ACTIVE = 1  # libpq's PQTRANS_ACTIVE: a statement is running


class Signalled(KeyboardInterrupt):
    """A signal asks the command to end. ``number`` is the signal's."""

    def __init__(self, number: int) -> None:
        self.number = number
        super().__init__(f"signal {number}")


@contextmanager
def interruptible(what_is_left: str) -> Iterator[None]:
    """End a block at Ctrl-C or SIGTERM, cancel its statement, and say so.

    Args:
        what_is_left: what was done and what was not, a sentence.

    Raises:
        CommandError: when a signal came. The exit code is that of a shell: 128 and the signal's number.
    """
    try:
        if threading.current_thread() is threading.main_thread():
            with _cancelling_statements():
                yield
        else:  # only the main thread receives signals
            yield
    except KeyboardInterrupt as error:
        number = getattr(error, "number", int(signal.SIGINT))
        word = "Terminated" if number == signal.SIGTERM else "Interrupted"
        raise CommandError(f"{word}. {what_is_left}", returncode=128 + number) from error


@contextmanager
def _cancelling_statements() -> Iterator[None]:
    def end(number: int, frame: FrameType | None) -> None:
        raise Signalled(number)

    receiving, sending = os.pipe()
    os.set_blocking(sending, False)
    opened: list[Any] = [connections[alias] for alias in connections]
    # A handler of the project, and a signal that is ignored (nohup), stay as they are.
    usual = {signal.SIG_DFL, signal.default_int_handler}
    ours = [n for n in (signal.SIGINT, signal.SIGTERM) if signal.getsignal(n) in usual]
    before = {number: signal.signal(number, end) for number in ours}
    watcher = threading.Thread(target=_cancel_at_signals, args=(receiving, opened, ours), daemon=True)
    watcher.start()
    wakeup = signal.set_wakeup_fd(sending, warn_on_full_buffer=False)
    try:
        yield
    finally:
        signal.set_wakeup_fd(wakeup)
        for number, handler in before.items():
            signal.signal(number, handler)
        os.close(sending)  # ends the thread
        watcher.join()
        os.close(receiving)


def _cancel_at_signals(receiving: int, opened: list[Any], ours: list[signal.Signals]) -> None:
    while signals := os.read(receiving, 16):
        if not {*signals} & {*ours}:
            continue
        for connection in opened:
            # The main thread may close the connection at the same time. Then nothing is left to cancel.
            with suppress(connection.Database.Error):
                of_driver = connection.connection
                # Other drivers than those of PostgreSQL have no such status.
                if getattr(getattr(of_driver, "info", None), "transaction_status", None) == _ACTIVE:
                    of_driver.cancel()  # the drivers allow this call from another thread

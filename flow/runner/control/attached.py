"""Joins this terminal to the one of a process in a session."""

from __future__ import annotations

import contextlib
import os
import termios
import tty
from typing import TYPE_CHECKING

from flow.runner.output.standard import ERRORS, INPUT, OUTPUT
from flow.runner.readable import readable

if TYPE_CHECKING:
    from collections.abc import Generator

    from flow.runner.control.client import Client

LEAVE = b"\x1d"  # Ctrl-], as in telnet


def size() -> tuple[int, int] | None:
    """Return the rows and columns of this terminal, if it is one."""
    try:
        columns, rows = os.get_terminal_size(OUTPUT)
    except OSError:
        return None
    return rows, columns


def attach(client: Client, greeting: str) -> bool:
    """Pass on what is typed and show what comes.

    Args:
        client: has asked for the process already.
        greeting: what to say as soon as every key is the process's.

    Returns:
        whether the person left with Ctrl-]; else the process has ended.
    """
    ends = [client.socket.fileno(), INPUT]
    with _raw():
        os.write(ERRORS, f"{greeting}\r\n".encode())
        _show(client.began_with())
        while True:
            ready = readable(ends)
            if client.socket.fileno() in ready:
                data = client.read()
                if not data:
                    return False
                _show(data)
            if INPUT in ready:
                typed = os.read(INPUT, 4096)
                if LEAVE in typed:
                    return True
                if not typed:
                    ends.remove(INPUT)  # a pipe that ended: go on watching
                with contextlib.suppress(ConnectionError):
                    client.socket.sendall(typed)


@contextlib.contextmanager
def _raw() -> Generator[None, None, None]:
    if not os.isatty(INPUT):
        yield
        return
    before = termios.tcgetattr(INPUT)
    try:
        tty.setraw(INPUT)
        yield
    finally:
        termios.tcsetattr(INPUT, termios.TCSADRAIN, before)


def _show(data: bytes) -> None:
    while data:
        data = data[os.write(OUTPUT, data) :]

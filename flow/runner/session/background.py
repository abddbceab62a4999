"""Lets a session go on in the background, once all of it has come up."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from typing import TYPE_CHECKING, NoReturn

from flow.runner.output.standard import ERRORS, INPUT, OUTPUT
from flow.runner.processes import descendants
from flow.runner.readable import readable

if TYPE_CHECKING:
    from collections.abc import Callable

UP = b"!"


def split() -> tuple[int, Callable[[], None]]:
    """Go on in a child without a terminal; this process shows how it comes up.

    It ends with 0 when the child says that all is up, else with the child's code.

    Returns:
        where the output goes until then, and what is to be called then.
    """
    reader, writer = os.pipe()
    told, up = os.pipe()
    if child := os.fork():
        os.close(writer)
        os.close(up)
        _follow(child, reader, told)
    os.close(reader)
    os.close(told)
    os.setsid()
    nothing = os.open(os.devnull, os.O_RDWR)
    for descriptor in (INPUT, OUTPUT):
        os.dup2(nothing, descriptor)
    os.dup2(writer, ERRORS)  # an error is still for the person who waits

    def when_up() -> None:
        os.dup2(nothing, ERRORS)
        with contextlib.suppress(BrokenPipeError):
            os.write(up, UP)
        os.close(up)

    return writer, when_up


def _follow(child: int, reader: int, told: int) -> NoReturn:
    try:
        up = _show(reader, told)
    except KeyboardInterrupt:
        descendants.send(child, signal.SIGTERM)
        up = False
    if not up:
        _, status = os.waitpid(child, 0)
        code = os.waitstatus_to_exitcode(status)
        os._exit(code if code >= 0 else 128 - code)
    _write(
        f"flow: the session goes on in the background (pid {child}); flow ps shows"
        " it, flow logs --tail what it says, flow stop ends it\n".encode()
    )
    os._exit(0)


def _show(reader: int, told: int) -> bool:
    """Copy what comes, until the child says that it is up, or ends."""
    open_ends = [reader, told]
    while open_ends:
        ready = readable(open_ends)
        if reader in ready:
            data = os.read(reader, 65536)
            _write(data)
            if not data:
                open_ends.remove(reader)
        elif told in ready:
            return os.read(told, 1) == UP
    return False


def _write(data: bytes) -> None:
    with contextlib.suppress(OSError):
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()

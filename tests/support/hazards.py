"""An app whose jobs do what jobs should not: die, hang, swallow, flood."""

from __future__ import annotations

import asyncio
import ctypes
import functools
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
from typing import TYPE_CHECKING, NoReturn

from flow import task

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from pathlib import Path

NEVER = threading.Event()


def write(ledger: Path, word: str) -> None:
    """Add a line in one write, so that many processes may do it at once."""
    descriptor = os.open(ledger, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    os.write(descriptor, f"{word}\n".encode())
    os.close(descriptor)


@task
def note(ledger: Path, word: object) -> None:
    write(ledger, str(word))


@task(urgent=True)
def hurry(ledger: Path, word: object) -> None:
    write(ledger, str(word))


@task
async def anote(ledger: Path, word: object) -> None:
    await asyncio.sleep(0)
    write(ledger, str(word))


@task
def echo(value: object) -> object:
    return value


@task
def hold(ledger: Path, gate: Path) -> str:
    """Say its process, then run until there is a gate; return what it says."""
    write(ledger, f"hold {os.getpid()}")
    while not gate.exists():
        NEVER.wait(0.01)
    return gate.read_text()


@task
def trace(ledger: Path, name: str, gate: Path) -> str:
    """Say when it begins and when it ends; between the two, wait for a gate."""
    write(ledger, f"begin {name}")
    while not gate.exists():
        NEVER.wait(0.01)
    write(ledger, f"end {name}")
    return name


@task
async def atrace(ledger: Path, name: str, gate: Path) -> str:
    """As ``trace``, on the event loop."""
    write(ledger, f"begin {name}")
    while not gate.exists():  # noqa: ASYNC110, ASYNC240 - another process makes it
        await asyncio.sleep(0.01)
    write(ledger, f"end {name}")
    return name


@task(on_crash="fail")
def hold_once(ledger: Path, gate: Path) -> str:
    return hold(ledger, gate)


@task
async def ahold(ledger: Path) -> None:
    write(ledger, f"hold {os.getpid()}")
    await asyncio.Event().wait()


@task
def die(ledger: Path, number: int, times: int) -> int:
    """Die of a signal, so many times."""
    write(ledger, "die")
    if ledger.read_text().split().count("die") <= times:
        os.kill(os.getpid(), number)
        NEVER.wait()
    return os.getpid()


@task
def leave(ledger: Path, code: int) -> None:
    write(ledger, "leave")
    os._exit(code)


@task
def segfault(ledger: Path) -> None:
    write(ledger, "segfault")
    signal.signal(signal.SIGSEGV, signal.SIG_DFL)
    ctypes.string_at(0)


@task
def leave_python(error: type[BaseException]) -> None:
    raise error


@task
def flood(size: int) -> int:
    print("x" * size)  # noqa: T201 - what it is for
    return size


@task
def start_a_program(ledger: Path) -> None:
    """Start something that outlives the call, then never end."""
    with subprocess.Popen(["sleep", "600"]) as program:
        write(ledger, f"program {program.pid}")
        NEVER.wait()


@task
def need_a_program(ledger: Path) -> None:
    """Fail when the program dies."""
    with subprocess.Popen(["sleep", "600"]) as program:
        write(ledger, f"program {program.pid}")
        if program.wait():
            raise RuntimeError("the program died")


class Meeting:
    """Lets everybody go when so many are there at the same time."""

    def __init__(self) -> None:
        self.here = 0
        self.lock = threading.Lock()
        self.full = threading.Event()

    def come(self, count: int) -> bool:
        with self.lock:
            self.here += 1
            if self.here >= count:
                self.full.set()
        return self.full.is_set()


plain_meeting, async_meeting = Meeting(), Meeting()


@task
def meet(count: int) -> int:
    """End when ``count`` of these run at the same time in one process."""
    plain_meeting.come(count)
    plain_meeting.full.wait()
    return os.getpid()


@task
async def ameet(count: int) -> int:
    async_meeting.come(count)
    while not async_meeting.full.is_set():  # noqa: ASYNC110 - a thread sets it
        await asyncio.sleep(0.1)
    return os.getpid()


@task(timeout=0.3)
def hang() -> None:
    NEVER.wait()


@task(timeout=0.3)
def hang_and_swallow(ledger: Path) -> None:
    try:
        NEVER.wait()
    except Exception:  # noqa: BLE001 - as careless code does
        write(ledger, "swallowed")


@task(timeout=0.3)
def hang_in_python() -> None:
    """Hang where a thread can be interrupted: between two steps of Python."""
    while True:
        NEVER.wait(0.01)


@task(timeout=0.3)
async def ahang() -> None:
    await asyncio.Event().wait()


@task(timeout=0.3)
async def ahang_and_swallow(ledger: Path) -> None:
    try:
        await asyncio.Event().wait()
    except Exception:  # noqa: BLE001 - as careless code does
        write(ledger, "swallowed")


@task(timeout=0.2)
def nearly() -> str:
    """Take about as long as it may."""
    NEVER.wait(0.2)
    return "made it"


def every_zero(attempt: int) -> float:
    return 0.0 * attempt


def broken_backoff(attempt: int) -> float:
    raise KeyError(attempt)


def endless_backoff(attempt: int) -> float:
    return float("inf") * attempt


def _fail(ledger: Path) -> NoReturn:
    write(ledger, "tried")
    raise ValueError("no")


@task(retries=2, backoff=[0, 0])
def fail_listed(ledger: Path) -> None:
    _fail(ledger)


@task(retries=2, backoff=every_zero)
def fail_counted(ledger: Path) -> None:
    _fail(ledger)


@task(retries=2)
def fail_usual(ledger: Path) -> None:
    _fail(ledger)


@task(retries=2, backoff=broken_backoff)
def fail_broken(ledger: Path) -> None:
    _fail(ledger)


@task(retries=2, backoff=endless_backoff)
def fail_endless(ledger: Path) -> None:
    _fail(ledger)


@task(retries=1, backoff=[0])
def fail_oddly() -> None:
    raise ValueError("a file name with \udcff")


async def _exit() -> None:
    sys.exit(3)


@task
async def spawn_an_exit() -> str:
    """Have the event loop itself meet a SystemExit."""
    spawned = asyncio.create_task(_exit())
    await asyncio.wait([spawned])
    return "still here"


def later(
    function: Callable[..., Coroutine[object, object, int]],
) -> Callable[..., object]:
    @functools.wraps(function)
    def wrapped(*args: int) -> object:
        return function(*args)

    return wrapped


@later
async def wrapped_coroutine(one: int) -> int:
    await asyncio.sleep(0)
    return one + 1


@task
def keep_the_interpreter(ledger: Path, seconds: float) -> None:
    """Stay in C code without giving the interpreter up: no other thread runs."""
    write(ledger, "kept")
    ctypes.PyDLL(None).usleep(int(seconds * 1e6))


@task
def end_what_it_forked() -> int | None:
    """Fork a process, ask it to end as multiprocessing does; return its exit code."""
    forked = multiprocessing.get_context("fork").Process(target=NEVER.wait)
    forked.start()
    forked.terminate()
    forked.join(30)
    code = forked.exitcode
    forked.kill()
    return code


@task
def where(ledger: Path) -> int:
    """Say and return which process ran it."""
    write(ledger, f"where {os.getpid()}")
    return os.getpid()


@task
async def aecho(value: object) -> object:
    await asyncio.sleep(0)
    return value


@task
async def ahold_at(ledger: Path, gate: Path) -> int:
    """As ``hold``, on the event loop; return the process."""
    write(ledger, f"hold {os.getpid()}")
    while not gate.exists():  # noqa: ASYNC110, ASYNC240 - a file that a test makes
        await asyncio.sleep(0.01)
    return os.getpid()


KEPT: list[bytes] = []


@task
def grow(ledger: Path, megabytes: int) -> int:
    """Keep so much memory for ever; return the process."""
    write(ledger, f"grow {os.getpid()}")
    KEPT.append(bytes(range(256)) * (4096 * megabytes))
    return os.getpid()

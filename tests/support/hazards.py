"""An app whose jobs do what jobs should not: die, hang, swallow, flood."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import functools
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from flow import current_job, task

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

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


@task
def step(ledger: Path, number: int, gate: Path | None = None) -> None:
    """Take a millisecond; with a gate, until that opens."""
    write(ledger, f"{number} {os.getpid()}")
    NEVER.wait(0.001)
    while gate and not gate.exists():
        NEVER.wait(0.01)


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


@task
def swallow(ledger: Path) -> None:
    """Go on, whatever is raised inside it."""
    write(ledger, f"hold {os.getpid()}")
    while True:
        try:
            while True:
                NEVER.wait(0.01)
        except BaseException as error:  # noqa: BLE001 - as the worst of code does
            write(ledger, f"swallowed {type(error).__name__}")


def _hang_in_c(library: ctypes.CDLL) -> None:
    mutex = ctypes.create_string_buffer(256)
    library.pthread_mutex_lock(mutex)
    library.pthread_mutex_lock(mutex)  # no signal ends this


@task(timeout=0.3, retries=1, backoff=[0])
def hang_in_c(ledger: Path) -> None:
    """Stay in C code for ever; other threads run on."""
    write(ledger, f"hold {os.getpid()}")
    _hang_in_c(ctypes.CDLL(None))


@task(timeout=0.3)
def hang_with_the_interpreter(ledger: Path) -> None:
    """Stay in C code for ever, and keep the interpreter: no other thread runs."""
    write(ledger, f"hold {os.getpid()}")
    _hang_in_c(ctypes.PyDLL(None))


@task(retries=2, backoff=[0, 0])
def turn_a_stop_into_an_error(ledger: Path) -> None:
    write(ledger, f"hold {os.getpid()}")
    try:
        NEVER.wait()
    except BaseException as error:
        raise ValueError("what the job makes of it") from error


@task(on_crash="fail")
async def ahold_once(ledger: Path) -> None:
    write(ledger, f"hold {os.getpid()}")
    await asyncio.Event().wait()


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
def step_or_keep(ledger: Path, number: int, pipe: Path | None = None) -> None:
    """Take no time; with a named pipe, keep the interpreter until it is opened."""
    write(ledger, f"{number} {os.getpid()}")
    if pipe is not None:
        # No other thread runs meanwhile: PyDLL does not give the interpreter up.
        ctypes.PyDLL(None).open(os.fsencode(pipe), os.O_WRONLY)


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


@task(isolate=True)
def apart(ledger: Path) -> tuple[int, int, int]:
    """Return the process, its parent and how many threads it has."""
    write(ledger, f"apart {os.getpid()}")
    return os.getpid(), os.getppid(), threading.active_count()


@task(isolate=True)
async def aapart(value: int) -> tuple[int, int]:
    await asyncio.sleep(0)
    return value, os.getpid()


@task(isolate=True)
def apart_echo(value: object) -> object:
    return value


@task(isolate=True)
def apart_rq_id() -> str | None:
    """Return what RQ calls the job that runs here."""
    job: Any = sys.modules["rq"].get_current_job()
    return job and str(job.id)


@task(isolate=True)
def apart_fail(words: str) -> None:
    raise ValueError(words)


@task(isolate=True)
def apart_hold(ledger: Path, gate: Path) -> str:
    return hold(ledger, gate)


@task(isolate=True, on_crash="fail")
def apart_hold_once(ledger: Path, gate: Path) -> str:
    return hold(ledger, gate)


@task(isolate=True)
def apart_die(ledger: Path, number: int, times: int) -> int:
    return die(ledger, number, times)


@task(isolate=True)
def apart_leave(ledger: Path, code: int) -> None:
    leave(ledger, code)


@task(isolate=True, timeout=0.3)
def apart_hang() -> None:
    NEVER.wait()


@task(isolate=True, timeout=0.3)
async def apart_ahang(ledger: Path) -> None:
    try:
        await asyncio.Event().wait()
    finally:
        write(ledger, "cleaned up")


@task(isolate=True, timeout=0.3)
def apart_mind_no_timeout(ledger: Path) -> None:
    write(ledger, "began")
    while True:
        with contextlib.suppress(BaseException):
            NEVER.wait()


@task(isolate=True)
def apart_start_a_program(ledger: Path) -> None:
    start_a_program(ledger)


@task(isolate=True)
def apart_leave_a_program(ledger: Path) -> None:
    """Start something that outlives the call, and return."""
    program = subprocess.Popen(["sleep", "600"])
    write(ledger, f"program {program.pid}")
    program.returncode = 0  # nobody is to wait for it


@task(isolate=True)
def apart_enqueue(ledger: Path, word: str) -> str:
    return note.enqueue(ledger, word).id


@task(isolate=True)
def apart_descriptors() -> list[str]:
    """Return what is open, beside the standard three."""
    found: list[str] = []
    for path in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(OSError):  # that of the list itself is closed
            found.append(str(path.readlink()))
    return found


@task(isolate=True, timeout=90)
def apart_current(ledger: Path) -> tuple[str, float]:
    """Return what the job knows of itself, once its worker stops."""
    job = current_job()
    assert job is not None
    assert job.deadline is not None
    write(ledger, f"hold {os.getpid()}")
    while not job.stopping:
        NEVER.wait(0.01)
    return job.id, (job.deadline - datetime.now(UTC)).total_seconds()


@task(isolate=True)
def apart_trace(ledger: Path, name: str, gate: Path) -> str:
    return trace(ledger, name, gate)

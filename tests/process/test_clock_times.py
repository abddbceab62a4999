"""When somebody sets a clock: that of the clock's host, or that of the server's."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.scheduler.clocks import Site, none_is_missing, ticks
from tests.support.server import Server, running
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

    import redis

HOUR = 3600
# Adds the seconds that a file holds to the wall clock of one process; uptime stays.
SHIM = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/time.h>
#include <time.h>

static long off(void) {
  long by = 0;
  FILE *file = fopen(getenv("OFF_BY"), "r");
  if (file) { if (fscanf(file, "%ld", &by) != 1) by = 0; fclose(file); }
  return by;
}
int clock_gettime(clockid_t id, struct timespec *at) {
  static int (*real)(clockid_t, struct timespec *);
  if (!real) real = dlsym(RTLD_NEXT, "clock_gettime");
  int done = real(id, at);
  if (id == CLOCK_REALTIME) at->tv_sec += off();
  return done;
}
int gettimeofday(struct timeval *at, void *zone) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  at->tv_sec = now.tv_sec;
  at->tv_usec = now.tv_nsec / 1000;
  return 0;
}
"""
pytestmark = pytest.mark.skipif(
    shutil.which("cc") is None, reason="needs a C compiler to shift a process's clock"
)


@pytest.fixture
def shift(tmp_path: Path) -> dict[str, str]:
    """The variables that put a process's wall clock off by what a file says."""
    (tmp_path / "shim.c").write_text(SHIM)
    library = tmp_path / "shim.so"
    command = ["cc", "-shared", "-fPIC", "-o", str(library), str(tmp_path / "shim.c")]
    subprocess.run([*command, "-ldl"], check=True)
    (tmp_path / "off").write_text("0")
    return {"LD_PRELOAD": str(library), "OFF_BY": str(tmp_path / "off")}


def more(client: redis.Redis, count: int) -> None:
    """Wait for so many ticks more."""
    before = len(ticks(client))
    wait_until(
        lambda: len(ticks(client)) >= before + count, timeout=60, waiting_for="ticks"
    )


def test_the_wall_clock_of_the_clocks_host_decides_nothing(
    server: Server, client: redis.Redis, tmp_path: Path, shift: dict[str, str]
) -> None:
    site = Site(tmp_path / "app", server.url)
    try:
        site.clock(environment=shift)
        for by in (0, HOUR, -HOUR, 0):
            Path(shift["OFF_BY"]).write_text(str(by))
            more(client, 2)
    finally:
        site.end()
    none_is_missing(ticks(client))


@pytest.fixture
def shifted(shift: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """A server of its own whose wall clock can be put off."""
    with monkeypatch.context() as patch:
        for name, value in shift.items():
            patch.setenv(name, value)
        opened = running()
        server = opened.__enter__()
    yield server
    opened.__exit__(None, None, None)


def test_a_jump_of_the_servers_time_is_held_and_said(
    shifted: Server, shift: dict[str, str]
) -> None:
    folder = Path(tempfile.mkdtemp(prefix="flow-test-"))
    site = Site(folder / "app", shifted.url)
    try:
        with shifted.client() as client:
            clocks = site.clocks(2)
            more(client, 2)
            Path(shift["OFF_BY"]).write_text(str(HOUR))
            for clock in clocks:
                wait_until(
                    lambda clock=clock: clock.said(
                        "the server's clock jumped by +3600 s"
                    ),  # type: ignore[misc]  # of the loop
                    timeout=60,
                    waiting_for="its word",
                )
            held = len(ticks(client))
            # One that comes later knows nothing of the jump, and finds a leader.
            site.clock()
            assert len(ticks(client)) == held
            Path(shift["OFF_BY"]).write_text("0")
            more(client, 2)
            found = ticks(client)
    finally:
        site.end()
        shutil.rmtree(folder)
    assert len(found) == len(set(found))
    assert found[-1] - found[0] < HOUR * 1000

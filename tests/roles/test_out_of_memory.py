"""What the kernel counts of processes that it killed for want of memory."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

import pytest

from flow.workers.outofmemory import Killer
from flow.workers.process import how

if TYPE_CHECKING:
    from pathlib import Path

HERE = {
    "cgroup v2": ("0::/app.slice", "sys/fs/cgroup/app.slice/memory.events"),
    "a container": ("0::/../../else", "sys/fs/cgroup/memory.events"),
    "cgroup v1": ("4:memory:/box", "sys/fs/cgroup/memory/box/memory.oom_control"),
    "a container, v1": ("4:memory:/x", "sys/fs/cgroup/memory/memory.oom_control"),
}


def counted(root: Path, count: int, place: str) -> None:
    (root / place).parent.mkdir(parents=True, exist_ok=True)
    (root / place).write_text(f"oom_kill_disable 0\nlow 0\noom_kill {count}\n")


@pytest.mark.parametrize(("told", "place"), HERE.values(), ids=HERE)
def test_a_kill_that_the_container_counts_is_told_once(
    tmp_path: Path, told: str, place: str
) -> None:
    counted(tmp_path, 0, "proc/vmstat")
    (tmp_path / "proc/self").mkdir()
    (tmp_path / "proc/self/cgroup").write_text(f"9:cpu:/\n{told}\n")
    counted(tmp_path, 3, place)
    killer = Killer(tmp_path)
    assert killer.says() == "not by the kernel for want of memory"
    counted(tmp_path, 5, place)
    limit = "out of memory: the kernel killed for the limit of the container"
    assert [killer.says() for _ in range(2)] == [limit] * 2
    assert killer.says() == "not by the kernel for want of memory"


def test_without_a_container_the_hosts_count_is_a_hint(tmp_path: Path) -> None:
    counted(tmp_path, 7, "proc/vmstat")
    killer = Killer(tmp_path)
    counted(tmp_path, 8, "proc/vmstat")
    assert killer.says().startswith("out of memory, it seems")


def test_a_kernel_that_does_not_count_leaves_a_question(tmp_path: Path) -> None:
    assert Killer(tmp_path).says() == "out of memory? the kernel does not tell"


def test_only_the_signal_that_the_kernel_sends_is_explained(tmp_path: Path) -> None:
    killer = Killer(tmp_path)
    assert how(signal.SIGKILL, killer).startswith("signal 9, SIGKILL (out of memory?")
    assert how(signal.SIGSEGV, killer) == "signal 11, SIGSEGV"
    assert how(1 << 8, killer) == "exit code 1"


def test_a_real_kernels_count_can_be_read() -> None:
    pid = os.fork()
    if pid == 0:
        os.kill(os.getpid(), signal.SIGKILL)
    _, status = os.waitpid(pid, 0)
    assert how(status, Killer()).startswith("signal 9, SIGKILL (")

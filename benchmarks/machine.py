"""What the figures were measured on; never which machine."""

from __future__ import annotations

import os
import platform
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from flow.config.machine import cpus

if TYPE_CHECKING:
    from benchmarks.stand import Stand


def describe(stand: Stand, append_only: str) -> list[str]:
    """Return what a reader must know to compare, one fact a line."""
    told = stand.info()
    gigabytes = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    server = told.get("server_name", "redis")
    number = told.get(f"{server}_version", told["redis_version"])
    libraries = ", ".join(
        f"{name} {version(name)}" for name in ("redis", "hiredis", "rq")
    )
    # What follows the number names who built the kernel, and for which machines.
    system = f"{platform.system()} {platform.release().partition('-')[0]}"
    return [
        f"{cpus()} CPUs ({_model()}), {gigabytes:.0f} GB, {system}",
        f"Python {platform.python_version()}, {libraries}",
        (
            f"{server} {number} ({told['mem_allocator']}) on a unix socket, "
            f"append-only {append_only}"
        ),
        f"load average at the end: {', '.join(f'{n:.1f}' for n in os.getloadavg())}",
    ]


def _model() -> str:
    """Return the processor's name, where the kernel tells it."""
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    except OSError:
        return platform.machine()
    names = [line.partition(":")[2] for line in lines if line.startswith("model name")]
    return names[0].strip() if names else platform.machine()

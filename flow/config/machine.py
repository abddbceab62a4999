"""What this machine gives: how many CPUs there are to use."""

from __future__ import annotations

import os
from pathlib import Path


def cpus(cgroup: Path = Path("/sys/fs/cgroup")) -> int:
    """Return how many CPUs this container may use, at least 1.

    The cgroup's quota (v2 cpu.max, v1 cpu.cfs_quota_us), else the affinity.
    """
    if hasattr(os, "sched_getaffinity"):
        allowed = len(os.sched_getaffinity(0))
    else:
        allowed = os.cpu_count() or 1
    quota = _quota(cgroup)
    return max(1, min(allowed, int(quota)) if quota else allowed)


def _quota(cgroup: Path) -> float | None:
    try:
        limit, _, period = (cgroup / "cpu.max").read_text().partition(" ")
    except OSError:
        try:
            limit = (cgroup / "cpu/cpu.cfs_quota_us").read_text()
            period = (cgroup / "cpu/cpu.cfs_period_us").read_text()
        except OSError:
            return None
    if limit.strip() in ("max", "-1"):
        return None
    return float(limit) / float(period)

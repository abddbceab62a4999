"""make compat: RQ's own tests with flow's worker in the place of RQ's.

RQ's source distribution brings its tests. They are fetched in the version that is
installed, run against a server of their own, and compared with ``not_applying.toml``:
a failure that is not listed there is a fault, and so is a listed one that passes now.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tarfile
import tempfile
import tomllib
from importlib.metadata import version
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
LISTED = HERE / "not_applying.toml"
# What has no worker in it says nothing of flow: utils, serializers, cron and the like.
FILES = (
    *("callbacks", "cli", "commands", "decorator", "dependencies", "executions"),
    *("group", "intermediate_queue", "job", "job_dependency", "job_lifecycle"),
    *("key_prefix", "queue", "queue_unique", "rate_limit", "registry", "repeat"),
    *("results", "retry", "scheduler", "timeouts", "webhooks", "worker"),
    *("worker_pool", "worker_registration"),
)
Found = dict[str, dict[str, Any]]


def main(words: list[str]) -> int:
    """Run the tests and judge what became of them; further words go to pytest."""
    listed = tomllib.loads(LISTED.read_text())
    with tempfile.TemporaryDirectory(prefix="flow-compat-") as folder:
        tests = fetch(Path(folder), version("rq"))
        found = run(tests, words)
    report(found, listed)
    faults = judge(found, listed, is_whole=not words)
    print(*(f"make compat: {fault}" for fault in faults), sep="\n")
    if faults and version("rq") != listed["rq"]:
        print(f"make compat: the list is of rq {listed['rq']}, not {version('rq')}")
    return 1 if faults else 0


def fetch(folder: Path, release: str) -> Path:
    """Return where RQ's tests of a release are, without RQ itself."""
    print(f"==> fetching the tests of rq {release}", flush=True)
    pip = [sys.executable, "-m", "pip", "-q", "--disable-pip-version-check", "download"]
    whole = ["--no-deps", "--no-binary=:all:", "--no-build-isolation"]
    subprocess.run([*pip, *whole, "--dest", folder, f"rq=={release}"], check=True)
    (archive,) = folder.glob("rq-*.tar.gz")
    with tarfile.open(archive) as packed:
        packed.extractall(folder, filter="data")
    place = folder / archive.name.removesuffix(".tar.gz")
    # The installed one is tested; this copy would be imported in its place.
    (place / "rq").rename(folder / "rq-itself")
    return place


def run(place: Path, words: list[str]) -> Found:
    """Return what became of each test."""
    print("==> running them with flow.workers.Worker (minutes)", flush=True)
    report = place / "report.json"
    files = [f"tests/test_{name}.py" for name in FILES]
    told = {
        "FLOW_COMPAT_REPORT": str(report),
        "FLOW_COMPAT_WORKED": str(place / "worked"),
        "FLOW_PROCESSES": "1",
        "PYTHONPATH": str(HERE),
        # Some run RQ's commands, which are installed where this Python is.
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
    }
    pytest = [sys.executable, "-m", "pytest", "-p", "in_rqs_place"]
    quiet = ["-p", "no:cacheprovider", "-q", "--tb=short", "--disable-warnings"]
    subprocess.run(
        [*pytest, *quiet, "--timeout=120", *files, *words],
        cwd=place,
        env={**os.environ, **told},
        stdout=None if words else subprocess.DEVNULL,
        stderr=None if words else subprocess.DEVNULL,
        start_new_session=True,  # some signal their whole group
        check=False,
    )
    found: Found = json.loads(report.read_text())
    return found


def judge(found: Found, listed: dict[str, Any], *, is_whole: bool) -> list[str]:
    """Return what is wrong, in words: new failures, and listed tests that pass."""
    expected = {test for reason in listed["reason"] for test in reason["tests"]}
    unsteady = set(listed.get("unsteady", []))
    failed = {name for name, one in found.items() if one["outcome"] == "failed"}
    faults = [
        f"fails and is not listed: {name}: {found[name]['said']}"
        for name in sorted(failed - expected - unsteady)
    ]
    for name in sorted(expected - failed - unsteady):
        if name in found:
            faults.append(
                f"is listed as not applying, but {found[name]['outcome']}: {name}"
            )
        elif is_whole:
            faults.append(f"is listed as not applying, but was not run: {name}")
    return faults


def report(found: Found, listed: dict[str, Any]) -> None:
    """Print the counts, as docs/rq-compatibility.md has them."""

    def count(outcome: str, *, with_worker: bool = False) -> int:
        ones = (one for one in found.values() if one["worked"] or not with_worker)
        return sum(one["outcome"] == outcome for one in ones)

    print(f"all:                     {len(found)}")
    print(f"  passed:                {count('passed')}")
    print(f"  failed:                {count('failed')}")
    print(f"  skipped by RQ itself:  {count('skipped')}")
    print("in which a worker of flow's worked:")
    print(f"  passed:                {count('passed', with_worker=True)}")
    print(f"  failed:                {count('failed', with_worker=True)}")
    for reason in listed["reason"]:
        print(f"{len(reason['tests']):4} do not apply: {reason['why']}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

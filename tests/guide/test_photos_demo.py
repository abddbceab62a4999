"""The example as ``make demo`` runs it: from the first picture to the last process."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import psutil
import pytest
from photos import samples

from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

IGNORED = shutil.ignore_patterns("media", ".flow", "__pycache__")


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


class Demo:
    """A demo under way, its log in a file."""

    def __init__(self, project: Path, *arguments: str) -> None:
        self.port = free_port()
        self.log = project / "demo.log"
        self.temporary = project.parents[1] / "t"
        self.temporary.mkdir()
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [
                    *(sys.executable, str(project / "demo.py")),
                    *("--port", str(self.port), *arguments),
                ],
                stdout=log,
                stderr=log,
                env=os.environ | {"TMPDIR": str(self.temporary)},
            )
        self.address = f"http://127.0.0.1:{self.port}"

    def said(self) -> str:
        return self.log.read_text(errors="replace")

    def is_running(self) -> bool:
        assert self.process.poll() is None, self.said()
        return f"photos is running: {self.address} (" in self.said()

    def family(self) -> list[psutil.Process]:
        """All processes of it, the server and what left its group included."""
        return psutil.Process(self.process.pid).children(recursive=True)


@pytest.fixture
def copy(project: Path) -> Iterator[Path]:
    """A copy of the example, in a path with a space that no socket's name fits in."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / ("my very long projects " * 4).strip() / "photos"
        shutil.copytree(project, place, ignore=IGNORED)
        yield place


def test_the_demo_once_puts_pictures_through_every_process(copy: Path) -> None:
    demo = Demo(copy, "--once")

    assert demo.process.wait(timeout=200) == 0, demo.said()
    said = demo.said()
    assert re.search(r"^upload +\d+ +web\.1$", said, re.MULTILINE), said
    assert re.search(r"^preview +\d+ +.*urgentworker\.1", said, re.MULTILINE), said
    for what in ("480 px", "960 px", "1600 px", "palette", "contact sheet"):
        assert re.search(rf"^{what} +\d+ +worker\.1$", said, re.MULTILINE), said
    assert re.search(r"^remove orphans +1 .*by the clock$", said, re.MULTILINE), said
    assert list(demo.temporary.iterdir()) == []
    assert not (copy / "media").exists()
    assert not (copy / ".flow").exists()


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_stopped_demo_leaves_no_process_behind(
    copy: Path, stop: signal.Signals
) -> None:
    demo = Demo(copy)
    wait_until(demo.is_running, timeout=120, waiting_for="the demo")
    seen = httpx.get(f"{demo.address}/state").json()
    assert len(seen["pictures"]) == len(samples.SCENES)
    family = demo.family()
    assert len(family) > 5

    demo.process.send_signal(stop)

    assert demo.process.wait(timeout=60) == 0, demo.said()
    _, alive = psutil.wait_procs(family, timeout=60)
    assert alive == []


def test_a_demo_that_cannot_start_says_why(copy: Path) -> None:
    (copy / "Procfile").write_text(
        "release: echo the database is full; exit 7\nweb: x\n"
    )

    demo = Demo(copy, "--once")

    assert demo.process.wait(timeout=120) == 1
    assert "the database is full" in demo.said()
    reason = "photos: the demo failed: flow start has ended by itself, with exit code 7"
    assert reason in demo.said()


def test_a_folder_of_photographs_can_be_added(copy: Path, tmp_path: Path) -> None:
    folder = tmp_path / "my pictures"
    (folder / "2019").mkdir(parents=True)
    (folder / "2019" / "café.jpg").write_bytes(samples.paint(20)[1])
    (folder / os.fsdecode(b"not utf-8 \xff.jpg")).write_bytes(samples.paint(21)[1])
    (folder / "broken.jpg").write_bytes(samples.paint(22)[1][:20_000])
    (folder / "notes.txt").write_text("notes")
    (folder / ".hidden.jpg").write_bytes(samples.paint(23)[1])
    os.mkfifo(folder / "pipe.jpg")
    demo = Demo(copy)
    wait_until(demo.is_running, timeout=120, waiting_for="the demo")

    added = subprocess.run(
        [sys.executable, "-m", "photos.add", str(folder)],
        cwd=copy,
        capture_output=True,
        text=True,
        errors="replace",
        timeout=60,
        check=False,
    )

    assert added.returncode == 0, added.stderr
    assert "[1/4] 2019/café.jpg: added\n" in added.stdout
    assert "broken.jpg: skipped: the picture is damaged" in added.stdout
    assert "notes.txt: skipped: this is not a JPEG" in added.stdout
    assert added.stdout.endswith("2 pictures added, 2 files skipped\n")
    wait_until(
        lambda: all(
            step["made_by"]
            for picture in httpx.get(f"{demo.address}/state").json()["pictures"]
            for step in picture["steps"]
        ),
        timeout=60,
        waiting_for="the renditions",
    )
    demo.process.send_signal(signal.SIGINT)
    assert demo.process.wait(timeout=60) == 0


def test_adding_to_nowhere_says_what_to_do(copy: Path, tmp_path: Path) -> None:
    def add(folder: Path) -> subprocess.CompletedProcess[str]:
        environ = {k: v for k, v in os.environ.items() if k != "REDIS_URL"}
        return subprocess.run(
            [sys.executable, "-m", "photos.add", str(folder)],
            cwd=copy,
            env=environ,
            capture_output=True,
            text=True,
            check=False,
        )

    missing = add(tmp_path / "none")
    assert missing.returncode == 2
    assert missing.stderr.endswith("none is not a folder\n")

    (tmp_path / "one.jpg").write_bytes(samples.paint(0)[1])
    unmigrated = add(tmp_path)
    assert unmigrated.returncode == 2
    assert "run python -m photos.migrate first" in unmigrated.stderr

    subprocess.run(
        [sys.executable, "-m", "photos.migrate"], cwd=copy, check=True, timeout=60
    )
    serverless = add(tmp_path)
    assert serverless.returncode == 2
    assert serverless.stderr.startswith("photos: REDIS_URL is not set")
    assert len(serverless.stderr.splitlines()) == 1

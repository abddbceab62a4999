"""Much output, long lines, slow readers, readers that go away: nothing is lost."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

import pytest

from tests.runner.started import Started
from tests.support.waiting import wait_until

LINES = 300_000
WRITER = """
import os, sys
name, count = sys.argv[1], int(sys.argv[2])
for start in range(0, count, 1000):
    lines = (f"{name} {i:07} {'x' * 90}\\n" for i in range(start, start + 1000))
    os.write(1, "".join(lines).encode())
"""


def numbers(output: bytes, name: str) -> list[int]:
    """Return the numbers of a writer's lines, in the order of the output.

    On a machine that is busy enough, a line may be shown in two parts.
    """
    label = f"{name}.1  | ".encode()
    own = [line for line in output.split(b"\n") if line.startswith(label)]
    text = b"".join(line.removeprefix(label) for line in own)
    found = re.findall(rb"(\w) (\d{7}) x{90}", text)
    assert b"".join(b"%s %s %s" % (*pair, b"x" * 90) for pair in found) == text
    return [int(number) for _, number in found]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "writer.py").write_text(WRITER)
    return tmp_path


def procfile(folder: Path, text: str) -> None:
    writer = f"{sys.executable} writer.py"
    (folder / "Procfile").write_text(text.replace("WRITER", writer))


def test_300_000_lines_of_three_processes_are_not_lost(folder: Path) -> None:
    one = f"WRITER {{0}} {LINES // 3}; sleep $NAP"
    procfile(folder, "".join(f"{name}: {one.format(name)}\n" for name in "abc"))
    with Started(folder, "start") as started:
        for name in "abc":
            started.wait_for(f"{name} {LINES // 3 - 1:07} ".encode())
        started.process.terminate()
        assert started.end() == 0
        for name in "abc":
            assert numbers(started.output, name) == list(range(LINES // 3))


def test_what_a_process_wrote_before_it_ended_is_not_lost(folder: Path) -> None:
    procfile(folder, "a: WRITER a 100000; exit 5\n")
    with Started(folder, "start") as started:
        assert started.end() == 5
        assert numbers(started.output, "a") == list(range(100_000))


def test_a_million_lines_are_shown_and_kept(folder: Path) -> None:
    procfile(folder, "a: yes | head -n 1000000\n")
    with Started(folder, "start") as started:
        assert started.end() == 0
        assert started.output.count(b"a.1  | y\n") == 1_000_000
    logs = (folder / ".flow" / "log").iterdir()
    kept = sum(log.read_bytes().count(b" app[a.1]: y\n") for log in logs)
    assert kept == 1_000_000


def test_a_hundred_megabytes_without_a_newline_are_shown(folder: Path) -> None:
    procfile(folder, "a: head -c 100000000 /dev/zero | tr '\\0' z\n")
    with Started(folder, "start") as started:
        assert started.end() == 0
        assert started.output.count(b"z") == 100_000_000


def test_a_slow_reader_loses_nothing(folder: Path) -> None:
    procfile(folder, "a: WRITER a 50000\n")
    reader, writer = os.pipe()
    with os.fdopen(writer, "wb") as stream:
        started = Started(folder, "start", stdout=stream)
    output = b""
    with started, os.fdopen(reader, "rb", buffering=0) as stream:
        while data := os.read(reader, 1500):
            output += data
        assert started.end() == 0
    assert numbers(output, "a") == list(range(50_000))


def test_a_reader_that_takes_nothing_does_not_stop_a_stop(folder: Path) -> None:
    procfile(folder, "a: touch up; WRITER a 100000\n")
    reader, writer = os.pipe()
    with os.fdopen(writer, "wb") as stream:
        started = Started(folder, "start", "--grace", "0.5", stdout=stream)
    with started:
        wait_until((folder / "up").exists, timeout=60, waiting_for="the writer")
        started.process.terminate()
        assert started.end() == 0
        started.nothing_left()
    os.close(reader)


def test_a_reader_that_goes_away_ends_the_session(folder: Path) -> None:
    procfile(folder, "a: WRITER a 1000000\nb: sleep $NAP\n")
    reader, writer = os.pipe()
    with os.fdopen(writer, "wb") as stream:
        started = Started(folder, "start", stdout=stream)
    with started:
        assert os.read(reader, 1000)
        os.close(reader)
        assert started.end() == 141
        started.nothing_left()


def test_a_full_disk_ends_the_session(folder: Path) -> None:
    procfile(folder, "a: echo hello; sleep $NAP\n")
    full = Path("/dev/full")
    with full.open("wb") as disk, Started(folder, "start", stdout=disk) as started:
        assert started.end() == 141
        started.nothing_left()


def test_output_into_a_file_is_appended_to_it(folder: Path) -> None:
    procfile(folder, "a: WRITER a 20000\n")
    path = folder / "log"
    path.write_text("before\n")
    with path.open("ab") as log, Started(folder, "start", stdout=log) as started:
        assert started.end() == 0
    assert path.read_bytes().startswith(b"before\n")
    assert numbers(path.read_bytes(), "a") == list(range(20_000))


def test_a_line_of_a_megabyte_and_invalid_bytes_come_through(folder: Path) -> None:
    script = "import os; [os.write(1, b'\\xff' * 65536) for _ in range(16)]"
    (folder / "long.py").write_text(f"{script}\nos.write(1, b'\\n')\n")
    (folder / "Procfile").write_text(f"a: {sys.executable} long.py\n")
    with Started(folder, "start") as started:
        assert started.end() == 0
        assert b"a.1  | " + b"\xff" * (1 << 20) + b"\n" in started.output


def test_a_prompt_without_a_newline_is_shown(folder: Path) -> None:
    procfile(folder, "a: printf 'name? '; sleep $NAP\n")
    with Started(folder, "start") as started:
        started.wait_for(b"a.1  | name? ")


def test_print_of_a_python_process_is_not_held_back(folder: Path) -> None:
    (folder / "print.py").write_text(
        "import os\nprint('here')\nos.read(os.pipe()[0], 1)\n"
    )
    (folder / "Procfile").write_text(f"a: {sys.executable} print.py\n")
    with Started(folder, "start") as started:
        started.wait_for(b"a.1  | here")


def test_a_stream_that_others_hold_open_is_not_waited_for(folder: Path) -> None:
    # The test holds the write end of the pipe, as a process of another user could.
    procfile(folder, "a: echo I am $$; read x < gate\n")
    os.mkfifo(folder / "gate")
    with Started(folder, "start") as started:
        started.wait_for(b"a.1  | I am ")
        (pid,) = re.findall(r"I am (\d+)\n", started.output.decode())
        with Path(f"/proc/{pid}/fd/1").open("wb"):
            (folder / "gate").write_text("go\n")
            assert started.end() == 0

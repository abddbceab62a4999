"""flow logs and the files behind it; the output as JSON."""

from __future__ import annotations

import json
import os
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from flow.runner.output import journal
from flow.runner.output.follower import Follower
from flow.runner.output.journal import Journal
from tests.runner.asking import flow
from tests.runner.started import Started

if TYPE_CHECKING:
    from pathlib import Path

LINE = re.compile(rb"2026-01-02T03:04:05\.000000\+00:00 app\[a\.1\]: (\d+)\n")


def now() -> datetime:
    return datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def a_journal(folder: Path, said: list[str], size: int = 1000) -> Journal:
    return Journal(folder, now, lambda: 0.0, said.append, size)


def test_the_log_is_kept_after_the_session(tmp_path: Path) -> None:
    (tmp_path / "Procfile").write_text("a: echo one; echo two\nb: sleep $NAP\n")
    with Started(tmp_path, "start") as started:
        assert started.end() == 0
    lines = flow(tmp_path, "logs", "-d", "a.1", "--source", "app").splitlines()
    assert [line.partition(" app[a.1]: ")[2] for line in lines] == ["one", "two"]
    assert datetime.fromisoformat(lines[0].partition(" ")[0]).tzinfo is not None
    assert flow(tmp_path, "logs", "-n", "1", "-s", "app", "-d", "a").endswith(
        "]: two\n"
    )
    assert "flow[flow]: a.1 ended with exit code 0" in flow(tmp_path, "logs")
    assert flow(tmp_path, "logs", "-d", "b.2") == ""


def test_a_tail_goes_on_to_the_end_of_the_session(tmp_path: Path) -> None:
    (tmp_path / "Procfile").write_text(
        "a: echo early; read x < gate; seq 20000; echo late\n"
    )
    os.mkfifo(tmp_path / "gate")
    with Started(tmp_path, "start") as started:
        started.wait_for(b"a.1  | early")
        with Started(tmp_path, "logs", "--tail", "-d", "a") as tail:
            tail.wait_for(b"app[a.1]: early")
            (tmp_path / "gate").write_text("go\n")
            assert tail.end() == 0
            found = re.findall(rb"app\[a\.1\]: (\w+)\n", tail.output)
            assert found[1:-1] == [b"%d" % n for n in range(1, 20001)]
            assert found[-1] == b"late"


def test_without_a_log_it_is_said(tmp_path: Path) -> None:
    (tmp_path / "Procfile").write_text("a: echo one\n")
    with Started(tmp_path, "start", "--no-log") as started:
        assert started.end() == 0
    assert "there is no log in" in flow(tmp_path, "logs", code=2)


def test_files_are_turned_over_and_old_ones_dropped(tmp_path: Path) -> None:
    log = a_journal(tmp_path / "log", [])
    for number in range(1000):
        log.feed("a.1", b"%d\n" % number)
    log.close()
    found = sorted(path.name for path in (tmp_path / "log").iterdir())
    assert found == sorted(journal.names())
    assert all(path.stat().st_size < 1100 for path in (tmp_path / "log").iterdir())
    last = journal.tail(tmp_path / "log", 50, lambda _: True)
    assert [int(LINE.fullmatch(line)[1]) for line in last] == [*range(950, 1000)]  # type: ignore[index]


def test_a_follower_misses_nothing_when_files_are_turned_over(tmp_path: Path) -> None:
    log = a_journal(tmp_path / "log", [])
    follower = Follower(tmp_path / "log")
    seen: list[bytes] = []
    for number in range(1000):
        log.feed("a.1", b"%d\n" % number)
        if number % 40 == 0:
            seen += follower.lines()
    seen += follower.lines()
    follower.close()
    log.close()
    assert [int(number) for number in LINE.findall(b"".join(seen))] == [*range(1000)]


def test_lines_of_two_processes_never_mix(tmp_path: Path) -> None:
    log = a_journal(tmp_path / "log", [])
    log.feed("a.1", b"one ")
    log.feed("b.1", b"two\n")
    log.feed("a.1", b"line\n")
    log.feed("b.1", b"unfinished")
    log.finish("b.1")
    log.close()
    text = (tmp_path / "log" / "flow.log").read_bytes()
    assert [line.rpartition(b"]: ")[2] for line in text.splitlines()] == [
        b"two",
        b"one line",
        b"unfinished",
    ]


def test_a_full_disk_for_the_log_does_not_stop_the_session(tmp_path: Path) -> None:
    (tmp_path / ".flow" / "log").mkdir(parents=True)
    (tmp_path / ".flow" / "log" / "flow.log").symlink_to("/dev/full")
    (tmp_path / "Procfile").write_text(
        "a: for i in $(seq 9); do echo $i; done; exit 4\n"
    )
    with Started(tmp_path, "start") as started:
        assert started.end() == 4
        assert b"a.1  | 9\n" in started.output
        assert started.output.count(b"no log is written: No space left on device") == 1


def test_each_line_is_an_object(tmp_path: Path) -> None:
    (tmp_path / "Procfile").write_text(
        r"""a: printf '{"x": "\\n"}\n\n\303\274 \377 \033[1mbold'""" + "\n"
    )
    with Started(tmp_path, "start", "--json") as started:
        assert started.end() == 0
    rows = [json.loads(line) for line in started.output.splitlines()]
    texts = [row["text"] for row in rows if row["dyno"] == "a.1"]
    assert texts == ['{"x": "\\n"}', "", "ü \\xff \x1b[1mbold"]
    assert all(datetime.fromisoformat(row["time"]) for row in rows)
    assert {row["dyno"] for row in rows} == {"a.1", "flow"}

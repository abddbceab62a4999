"""What happens when a process ends: all stop, or it starts again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psutil

from tests.runner.asking import dynos, flow, wait_for_dyno
from tests.runner.started import Started
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from pathlib import Path

SLEEP = "sleep $NAP"


def test_a_process_that_ends_is_started_again(tmp_path: Path) -> None:
    (tmp_path / "Procfile").write_text(f"a: echo x >> n; exit 3\nb: {SLEEP}\n")
    with Started(tmp_path, "start", "--on-exit", "restart") as started:
        started.wait_for(b"a.1 starts again at once")
        started.wait_for(b"a.1 starts again in ", times=2)
        wait_for_dyno(tmp_path, "a.1", "crashed")
        one = dynos(tmp_path)
        assert one["a.1"]["code"] == 3
        assert one["a.1"]["restarts"] >= 2
        assert (one["b.1"]["state"], one["b.1"]["restarts"]) == ("up", 0)
        started.process.terminate()
        assert started.end() == 0
        started.nothing_left()


def test_a_new_release_begins_with_a_restart_at_once_again(tmp_path: Path) -> None:
    (tmp_path / "Procfile").write_text(f"a: exit 1\nb: {SLEEP}\n")
    with Started(tmp_path, "start", "--on-exit", "restart") as started:
        started.wait_for(b"a.1 starts again at once")
        started.wait_for(b"a.1 starts again in ", times=2)
        flow(tmp_path, "config", "set", "A=1")
        started.wait_for(b"a.1 starts again at once", times=2)
        started.process.terminate()
        assert started.end() == 0


def test_twenty_crash_loops_leave_the_others_alone(tmp_path: Path) -> None:
    (tmp_path / "Procfile").write_text(f"a: exit 1\nb: echo up; {SLEEP}\n")
    with Started(tmp_path, "start", "--on-exit", "restart", "-c", "a=20") as started:
        started.wait_for(b"b.1  | up")
        started.wait_for(b"starts again in ", times=40)
        assert dynos(tmp_path)["b.1"]["restarts"] == 0
        assert not started.zombies()
        started.process.terminate()
        assert started.end() == 0
        started.nothing_left()


def test_what_a_crashed_process_left_is_gone_before_the_next_starts(
    tmp_path: Path,
) -> None:
    left = "(trap '' TERM; while :; do sleep 0.1; done) & (setsid sleep $NAP &)"
    (tmp_path / "Procfile").write_text(
        f"a: test -e once && {{ echo second; {SLEEP}; }}; touch once; {left}; exit 1\n"
    )
    arguments = ("--on-exit", "restart", "--grace", "0.5")
    with Started(tmp_path, "start", *arguments) as started:
        started.wait_for(b"a.1  | second")
        pid = dynos(tmp_path)["a.1"]["pid"]
        shells = [one for one in started.session_half().children() if one.pid != pid]
        assert [one for one in shells if one.status() != psutil.STATUS_ZOMBIE] == []


def test_a_stop_by_hand_is_not_undone(tmp_path: Path) -> None:
    (tmp_path / "Procfile").write_text(f"a: {SLEEP}\nb: {SLEEP}\n")
    with Started(tmp_path, "start", "--on-exit", "restart") as started:
        started.wait_for(b"b.1 started")
        assert flow(tmp_path, "ps:stop", "a") == "Stopping a.1... done\n"
        wait_for_dyno(tmp_path, "a.1", "down")
        assert b"starts again" not in started.output
        flow(tmp_path, "ps:restart", "a.1")
        wait_for_dyno(tmp_path, "a.1", "up")


def test_a_stop_by_hand_does_not_stop_the_others(tmp_path: Path) -> None:
    (tmp_path / "Procfile").write_text(f"a: {SLEEP}\nb: {SLEEP}\n")
    with Started(tmp_path, "start") as started:
        started.wait_for(b"b.1 started")
        flow(tmp_path, "ps:stop", "a.1")
        wait_for_dyno(tmp_path, "a.1", "down")
        assert dynos(tmp_path)["b.1"]["state"] == "up"


def test_a_crash_loop_can_be_stopped_by_hand(tmp_path: Path) -> None:
    (tmp_path / "Procfile").write_text(f"a: exit 1\nb: {SLEEP}\n")
    with Started(tmp_path, "start", "--on-exit", "restart") as started:
        started.wait_for(b"a.1 starts again in ", times=2)
        flow(tmp_path, "ps:stop", "a")
        wait_for_dyno(tmp_path, "a.1", "down")


def test_a_short_lived_type_may_end(tmp_path: Path) -> None:
    (tmp_path / "Procfile").write_text(f"a: echo done\nb: {SLEEP}\n")
    (tmp_path / "flow.toml").write_text("[processes.a]\nshort_lived = true\n")
    with Started(tmp_path, "start") as started:
        started.wait_for(b"a.1 ended with exit code 0")
        wait_for_dyno(tmp_path, "a.1", "complete")
        started.process.terminate()
        assert started.end() == 0


def test_a_short_lived_type_that_fails_is_a_failure(tmp_path: Path) -> None:
    (tmp_path / "Procfile").write_text(f"a: exit 4\nb: {SLEEP}\n")
    (tmp_path / "flow.toml").write_text("[processes.a]\nshort_lived = true\n")
    with Started(tmp_path, "start") as started:
        assert started.end() == 4


def test_a_session_of_short_lived_types_ends_with_the_last(tmp_path: Path) -> None:
    (tmp_path / "Procfile").write_text("a: echo one\nb: sleep 0.3; echo two\n")
    (tmp_path / "flow.toml").write_text(
        "[processes]\na.short_lived = true\nb.short_lived = true\n"
    )
    with Started(tmp_path, "start", "--on-exit", "restart") as started:
        assert started.end() == 0
        assert b"b.1  | two" in started.output


def test_a_process_that_cannot_start_is_tried_again(tmp_path: Path) -> None:
    (tmp_path / "Procfile").write_text(f"a: echo {'x' * 200_000}\nb: {SLEEP}\n")
    with Started(tmp_path, "start", "--on-exit", "restart") as started:
        started.wait_for(b"a.1 cannot be started: ", times=2)
        started.process.terminate()
        assert started.end() == 0


def test_a_stop_while_all_crash_ends_it(tmp_path: Path) -> None:
    (tmp_path / "Procfile").write_text("a: exit 1\n")
    with Started(tmp_path, "start", "--on-exit", "restart", "-c", "a=5") as started:
        started.wait_for(b"starts again in ", times=5)
        started.process.terminate()
        assert started.end() == 0
        wait_until(lambda: not started.left(), waiting_for="nothing left")

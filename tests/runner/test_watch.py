"""What a changed file restarts, and what it leaves alone."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path, PurePath
from typing import TYPE_CHECKING

import psutil
import pytest

from flow.errors import ConfigError
from flow.runner.declared.kind import kinds
from flow.runner.watching.ignored import is_ignored
from flow.runner.watching.touched import touched
from tests.runner.asking import dynos, flow, wait_for_dyno
from tests.runner.started import PROGRAM, Started
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

SLEEP = "sleep $NAP"
# Takes the program's usual beginning off the arguments, and the extra out of reach.
WITHOUT = "import sys; del sys.argv[1:4]; sys.modules['watchfiles'] = None; "


def settings(folder: Path, text: str) -> None:
    (folder / "flow.toml").write_text(text)


def watcher_of(started: Started) -> psutil.Process:
    """Return the process that watches the files."""
    children = started.session_half().children()
    return next(
        one for one in children if "flow.runner.watching.program" in str(one.cmdline())
    )


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[Started]:
    """Return a watching session of a and b, where only a follows Python files."""
    folder = tmp_path / "a place" / ("x" * 150)
    folder.mkdir(parents=True)
    (folder / "Procfile").write_text(f"a: echo up; {SLEEP}\nb: echo up; {SLEEP}\n")
    settings(folder, '[processes]\na.watch = ["*.py"]\nb.watch = ["pages/**/*.html"]\n')
    with Started(folder, "start", "--watch") as started:
        started.wait_for(b"| up", times=2)
        started.wait_for(b"watching ")
        yield started


def folder_of(started: Started) -> Path:
    return Path(psutil.Process(started.process.pid).cwd())


def test_a_changed_file_restarts_the_types_that_it_touches(pair: Started) -> None:
    folder = folder_of(pair)
    before = dynos(folder)
    (folder / "app.py").touch()
    pair.wait_for(b"app.py changed: restarting a.1\n")
    pair.wait_for(b"a.1 started", times=2)
    after = dynos(folder)
    assert after["a.1"]["pid"] != before["a.1"]["pid"]
    assert after["b.1"]["pid"] == before["b.1"]["pid"]
    (folder / "pages" / "shop").mkdir(parents=True)
    (folder / "pages" / "shop" / "new.html").write_text("new")
    pair.wait_for(b"pages/shop/new.html changed: restarting b.1\n")
    pair.process.terminate()
    assert pair.end() == 0
    pair.nothing_left()


def test_what_is_ignored_or_watched_by_none_restarts_nothing(pair: Started) -> None:
    folder = folder_of(pair)
    for name in ("notes.txt", ".hidden.py", "a.pyc", "shop.db-wal", "app.py~"):
        (folder / name).write_text("x")
    for name in (".git", "node_modules", "media", "lib/__pycache__"):
        (folder / name).mkdir(parents=True)
        (folder / name / "some.py").write_text("x")
    (folder / "last.py").write_text("x")
    # Changes come in order: what was there before it would have been named.
    pair.wait_for(b"last.py changed: restarting a.1\n")
    pair.wait_for(b"a.1 started", times=2)
    assert pair.output.count(b" changed: ") == 1
    assert {name: one["restarts"] for name, one in dynos(folder).items()} == {
        "a.1": 1,
        "b.1": 0,
    }


def test_many_changes_at_once_are_one_restart(pair: Started) -> None:
    folder, watching = folder_of(pair), watcher_of(pair)
    # It sees them all at once, however slow this machine writes them.
    watching.send_signal(signal.SIGSTOP)
    for number in range(50):
        (folder / f"m{number:02}.py").write_text("x")
    watching.send_signal(signal.SIGCONT)
    pair.wait_for(b"m00.py and 49 more changed: restarting a.1\n")
    pair.wait_for(b"a.1 started", times=2)
    (folder / "last.py").write_text("x")
    pair.wait_for(b"last.py changed: restarting a.1\n")
    assert pair.output.count(b" changed: ") == 2


def test_a_name_that_is_no_utf8_does_not_end_the_watching(pair: Started) -> None:
    folder = folder_of(pair)
    (Path(os.fsdecode(os.fsencode(folder) + b"/\xff.py"))).write_text("x")

    # A change beside it may be lost; those that come after it are not.
    def told() -> bool:
        (folder / "app.py").touch()
        return b"app.py changed: " in pair.output

    wait_until(told, timeout=60, every=1, waiting_for="a change after it")
    assert b"watched no more" not in pair.output


def test_the_end_of_the_program_that_watches_is_told(pair: Started) -> None:
    watcher_of(pair).kill()
    pair.wait_for(b"files are watched no more")
    assert {one["state"] for one in dynos(folder_of(pair)).values()} == {"up"}
    pair.process.terminate()
    assert pair.end() == 0


@pytest.mark.skipif(sys.platform != "linux", reason="orphans are adopted on Linux")
def test_nothing_watches_after_the_session_was_killed(pair: Started) -> None:
    pair.session_half().kill()
    assert pair.end() == 128 + signal.SIGKILL
    pair.nothing_left()


def test_a_stop_by_hand_is_not_undone_by_a_change(pair: Started) -> None:
    folder = folder_of(pair)
    flow(folder, "ps:stop", "a")
    wait_for_dyno(folder, "a.1", "down")
    (folder / "pages").mkdir()
    (folder / "app.py").touch()
    (folder / "pages" / "x.html").touch()
    pair.wait_for(b"x.html changed: restarting b.1\n")
    assert dynos(folder)["a.1"]["state"] == "down"


def test_without_patterns_every_type_is_restarted_but_those_left_out(
    tmp_path: Path,
) -> None:
    (tmp_path / "Procfile").write_text(f"a: {SLEEP}\nb: {SLEEP}\nc: {SLEEP}\n")
    settings(tmp_path, "[processes]\nb.watch = false\nc.watch = true\n")
    with Started(tmp_path, "start", "--watch") as started:
        started.wait_for(b"watching ")
        started.wait_for(b"c.1 started")
        (tmp_path / "style.css").touch()
        started.wait_for(b"style.css changed: restarting a.1, c.1\n")


def test_a_change_of_the_procfile_starts_what_it_says_now(tmp_path: Path) -> None:
    (tmp_path / "Procfile").write_text(f"a: echo old; {SLEEP}\n")
    with Started(tmp_path, "start", "--watch") as started:
        started.wait_for(b"watching ")
        started.wait_for(b"a.1  | old")
        (tmp_path / "Procfile").write_text("not a line of it\n")
        started.wait_for(b"Procfile changed; nothing is restarted: ")
        (tmp_path / "Procfile").write_text(f"a: echo new; {SLEEP}\n")
        started.wait_for(b"a.1  | new")


def test_a_slip_that_is_saved_does_not_end_the_session(tmp_path: Path) -> None:
    (tmp_path / "app.sh").write_text("exit 3\n")
    (tmp_path / "Procfile").write_text("a: . ./app.sh\n")
    with Started(tmp_path, "start", "--watch") as started:
        started.wait_for(b"watching ")
        started.wait_for(b"a.1 starts again in ", times=2)
        (tmp_path / "app.sh").write_text(f"echo fine; {SLEEP}\n")
        started.wait_for(b"a.1  | fine")
        started.process.terminate()
        assert started.end() == 0
        started.nothing_left()


def test_a_new_folder_is_what_is_in_it(pair: Started) -> None:
    folder = folder_of(pair)
    (folder / "empty.py").mkdir()
    (folder / "moved").mkdir()
    (folder / "moved.new").mkdir()
    (folder / "moved" / "one.py").write_text("x")
    pair.wait_for(b"moved/one.py changed: restarting a.1\n")
    (folder / "moved").rename(folder / "moved.new" / "there")
    pair.wait_for(b"there/one.py changed: restarting a.1\n")


def test_a_type_that_is_complete_is_begun_anew(tmp_path: Path) -> None:
    (tmp_path / "Procfile").write_text("a: echo built\n")
    settings(tmp_path, "[processes.a]\nshort_lived = true\n")
    with Started(tmp_path, "start", "--watch") as started:
        started.wait_for(b"watching ")
        wait_for_dyno(tmp_path, "a.1", "complete")
        (tmp_path / "style.css").touch()
        started.wait_for(b"a.1  | built", times=2)
        started.process.send_signal(signal.SIGINT)
        started.end()
        started.nothing_left()


def test_on_exit_stop_holds_with_watch_too(tmp_path: Path) -> None:
    (tmp_path / "Procfile").write_text("a: exit 4\n")
    with Started(tmp_path, "start", "--watch", "--on-exit", "stop") as started:
        assert started.end() == 4
        assert b"watched no more" not in started.output
        started.nothing_left()


def test_without_the_extra_it_says_what_to_install(tmp_path: Path) -> None:
    (tmp_path / "Procfile").write_text("a: exit 4\n")
    before = (sys.executable, "-c", WITHOUT + PROGRAM[-1])
    with Started(tmp_path, "start", "--watch", before=before) as started:
        assert started.end() == 2
        assert started.errors.count("\n") == 1
        assert 'pip install "flowjobs[watch]"' in started.errors


@pytest.mark.parametrize(
    ("path", "ignored"),
    [
        ("app.py", False),
        ("shop/media/views.py", False),
        ("shop/log/views.py", False),
        ("a.db.py", False),
        (".env", True),
        (".venv/lib/x.py", True),
        ("shop/__pycache__/x.cpython-313.pyc", True),
        ("shop/node_modules/x/index.js", True),
        ("media/cat.jpg", True),
        ("shop.sqlite3-journal", True),
        ("shop/.app.py.swp", True),
        ("shop/#app.py#", True),
        ("4913", True),
    ],
)
def test_files_that_say_nothing_about_the_code(path: str, *, ignored: bool) -> None:
    assert is_ignored(PurePath(path)) is ignored


@pytest.mark.parametrize(
    ("pattern", "path", "expected"),
    [
        ("**", "a/b", True),
        ("*.py", "app.py", True),
        ("*.py", "shop/app.py", True),
        ("*.py", "app.pyx", False),
        ("shop", "shop/deep/app.py", True),
        ("shop/", "lib/shop/app.py", True),
        ("./shop/*.py", "shop/app.py", True),
        ("shop/*.py", "shop/deep/app.py", False),
        ("shop/**/*.py", "shop/deep/app.py", True),
        ("shop/**/*.py", "shop/app.py", True),
        ("/app.py", "shop/app.py", False),
        ("a?.[py]", "ab.[py]", True),
        ("a?.py", "a/.py", False),
    ],
)
def test_what_a_pattern_names(pattern: str, path: str, *, expected: bool) -> None:
    assert touched([pattern], path) is expected


@pytest.mark.parametrize("value", [1, [1], [""], {"a": 1}])
def test_patterns_that_are_none_are_refused(value: object) -> None:
    with pytest.raises(ConfigError, match="watch must be a list of texts"):
        kinds({"a": {"watch": value}}, ["a"], ())


def wait_for(output: Path, text: str) -> None:
    wait_until(lambda: text in output.read_text(), timeout=60, waiting_for=f"{text!r}")


def test_what_flow_itself_writes_restarts_nothing(tmp_path: Path) -> None:
    (tmp_path / "Procfile").write_text(f"a: echo up; {SLEEP}\n")
    output = tmp_path / "output"
    with (
        output.open("wb") as file,
        Started(tmp_path, "start", "--watch", stdout=file) as started,
    ):
        for name in ("first.py", "second.py"):
            said = f"{name} changed: restarting a.1"
            wait_for(output, "watching ")
            (tmp_path / name).touch()
            wait_for(output, said)
        started.process.terminate()
        assert started.end() == 0
        assert "output" not in output.read_text()

"""``flow config`` and ``flow releases``, as a person types them."""

from __future__ import annotations

import getpass
import json
import os
import subprocess
from typing import TYPE_CHECKING

import pytest

from flow.runner.releases.store import ReleaseStore
from tests.runner.asking import dynos, flow, wait_for_dyno
from tests.runner.started import PROGRAM, Started, environment
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SECRET = "canary-7f3a"  # noqa: S105 - what must not be seen
SLEEP = "sleep $NAP"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "Procfile").write_text(
        f'web: echo "web has $A and $B."; {SLEEP}\nworker: echo "got $A."; {SLEEP}\n'
    )
    return tmp_path


@pytest.fixture
def running(folder: Path, free_port: int) -> Iterator[Started]:
    with Started(folder, "start", "-p", str(free_port), "--grace", "30") as started:
        started.wait_for(b"web has")
        started.wait_for(b"got")
        yield started


def test_config_vars_are_set_shown_and_removed(folder: Path) -> None:
    assert flow(folder, "config") == "=== Config Vars\n"
    said = flow(folder, "config:set", "A=1", "LONG=two\nlines", "Q=it's")
    assert said == "Set A, LONG, Q config vars... done, v1; flow start takes them\n"
    shown = '=== Config Vars of v1\nA:    1\nLONG: "two\\nlines"\nQ:    it\'s\n'
    assert flow(folder, "config") == shown
    assert flow(folder, "config:get", "LONG") == "two\nlines\n"
    assert flow(folder, "config", "get", "-s", "Q") == "Q='it'\"'\"'s'\n"
    assert flow(folder, "config", "-s").startswith("A=1\nLONG='two\nlines'\nQ=")
    flow(folder, "config", "unset", "LONG", "Q")
    assert json.loads(flow(folder, "config", "--json")) == {"A": "1"}
    assert flow(folder, "config", "unset", "NONE") == "Nothing changes\n"
    assert "no config var of that name" in flow(folder, "config:get", "Q", code=2)


def test_they_go_out_and_come_in_again(folder: Path) -> None:
    flow(folder, "config", "set", "A=1", "B=x\ny")
    for form in ("env", "json"):
        flow(folder, "config:export", "--format", form, "-o", f"out.{form}")
        assert (folder / f"out.{form}").stat().st_mode & 0o777 == 0o600
        flow(folder, "config", "unset", "A", "B")
        said = flow(folder, "config", "import", f"out.{form}")
        assert said.startswith("Set A, B config vars... done")
    printed = flow(folder, "config", "export")
    assert printed == (folder / "out.env").read_text()
    subprocess.run(
        [*PROGRAM, "config", "import", "-"],
        cwd=folder,
        env=environment(),
        input=b'C="${B}!"',
        stdout=subprocess.DEVNULL,
        check=True,
    )
    assert flow(folder, "config", "get", "C") == "x\ny!\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("set", "A"), "argument 1 is not of the form NAME=value"),
        (("set", "HEROKU_A=1"), "does not begin with HEROKU_"),
        (("import", "none.env"), "none.env: there is no such file"),
        (("import", "bad.env"), "bad.env:1:3: this byte is not UTF-8"),
        (("export", "-o", "no/such"), "no/such: No such file"),
        (("export", "-o", "pipe"), "pipe is no file; without -o it is printed"),
        (("-s", "get", "A"), "write options after get"),
    ],
)
def test_what_cannot_be_is_one_line_and_changes_nothing(
    folder: Path, arguments: tuple[str, ...], message: str
) -> None:
    (folder / "bad.env").write_bytes(b"A=\xff")
    os.mkfifo(folder / "pipe")
    said = flow(folder, "config", *arguments, code=2)
    assert message in said
    assert said.startswith("flow: ")
    assert said.count("\n") == 1
    assert ReleaseStore(folder / ".flow").all() == []


def test_outside_of_a_project_there_are_none(tmp_path: Path) -> None:
    for command in ("config", "releases"):
        said = flow(tmp_path, command, code=2)
        assert "belong to a project" in said
    assert not (tmp_path / ".flow").exists()


def test_twenty_who_set_different_ones_at_once_lose_none(folder: Path) -> None:
    setting = [
        subprocess.Popen(
            [*PROGRAM, "config", "set", f"N{number}={number}"],
            cwd=folder,
            env=environment(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        for number in range(20)
    ]
    for one in setting:
        said = one.communicate()[1]  # nothing, or for whom it waited
        assert one.returncode == 0, said
    store = ReleaseStore(folder / ".flow")
    assert store.config() == {f"N{number}": str(number) for number in range(20)}
    assert [one.version for one in store.all()] == list(range(20, 0, -1))


def test_a_change_waits_for_a_deployment_and_says_so(folder: Path) -> None:
    store = ReleaseStore(folder / ".flow")
    deployment = store.begin(what="Deploy 1a2b3c4")
    with Started(folder, "config", "set", "A=1") as setting:
        wait_until(
            lambda: "waiting for v1 (Deploy 1a2b3c4) to end" in setting.errors,
            timeout=60,
            waiting_for="the name of the deployment",
        )
        assert setting.process.poll() is None
        store.succeed(deployment)
        assert setting.end() == 0
    assert [one.version for one in store.all()] == [2, 1]
    assert store.config() == {"A": "1"}


def test_a_full_disk_is_one_line_and_leaves_the_old_ones(folder: Path) -> None:
    flow(folder, "config", "set", "A=1")
    ended = subprocess.run(
        ["sh", "-c", 'ulimit -f 0; exec "$@"', "sh", *PROGRAM, "config:set", "A=2"],
        cwd=folder,
        env=environment(),
        capture_output=True,
        check=False,
        text=True,
    )
    assert ended.returncode == 2
    assert ended.stderr == f"flow: {folder}/.flow/releases: File too large\n"
    assert flow(folder, "config", "get", "A") == "1\n"


# A small disk, which is gone with the namespace that it is mounted in; where that may
# not be had, files that cannot grow.
SMALL_FILES = "ulimit -f 20"
SMALL_DISK = f"mount -t tmpfs -o size=40k none .flow || {SMALL_FILES}"
FILL = """
number=0
while "$@" config set N$number=$(head -c 2000 /dev/zero | tr '\\0' x)
do number=$((number + 1)); done
"$@" config export --format json > found
echo $number
"""


def test_a_disk_that_fills_up_keeps_each_change_that_was_said_to_be_done(
    folder: Path,
) -> None:
    (folder / ".flow").mkdir()
    own = ["unshare", "--mount"]
    may = not subprocess.run(
        [*own, "true"], capture_output=True, check=False
    ).returncode
    script = f"{SMALL_DISK if may else SMALL_FILES}{FILL}"
    ended = subprocess.run(
        [*(own if may else []), "sh", "-c", script, "sh", *PROGRAM],
        cwd=folder,
        env=environment(),
        capture_output=True,
        check=True,
        text=True,
    )
    *_, count = ended.stdout.split()
    assert int(count) > 1
    assert json.loads((folder / "found").read_text()) == {
        f"N{number}": "x" * 2000 for number in range(int(count))
    }
    assert ended.stderr.splitlines()[-1].startswith(f"flow: {folder}/.flow/releases: ")


def test_an_editor_changes_them_in_one_release(folder: Path) -> None:
    flow(folder, "config", "set", "A=1", "B=2")
    (folder / "editor").write_text('#!/bin/sh\nsed -i s/=1/=3/ "$1"; echo C=4 >> $1\n')
    (folder / "editor").chmod(0o755)
    subprocess.run(
        [*PROGRAM, "config", "edit"],
        cwd=folder,
        env=environment(VISUAL="./editor"),
        stdout=subprocess.DEVNULL,
        check=True,
    )
    assert json.loads(flow(folder, "config", "--json")) == {
        "A": "3",
        "B": "2",
        "C": "4",
    }
    assert "v2  Set A, C config vars" in flow(folder, "releases")


def test_they_win_over_the_environment_which_wins_over_env_files(folder: Path) -> None:
    (folder / ".env").write_text("A=file\nB=file\nC=file\nD=${A}\n")
    flow(folder, "config", "set", "A=config", "PORT=6000")
    told = {"A": "real", "B": "real"}
    command = [*PROGRAM, "run", "echo $A $B $C $D $PORT"]
    ran = subprocess.check_output(
        command, cwd=folder, env=environment(**told), text=True
    )
    assert ran == "config real file config 6000\n"
    shown = subprocess.check_output(
        [*PROGRAM, "env"], cwd=folder, env=environment(**told), text=True
    )
    origins = {
        line.partition("=")[0]: line.partition("# ")[2] for line in shown.splitlines()
    }
    assert origins["A"] == "config v1, not the environment"
    assert origins["B"] == "the environment, not .env:2"
    assert origins["C"] == ".env:3"
    checked = flow(folder, "check")
    assert checked.endswith("config vars of v1: A, PORT\n")


def test_a_session_starts_with_them_and_says_what_they_win_over(folder: Path) -> None:
    flow(folder, "config", "set", "A=config", "B=too")
    with Started(folder, "start", environ={"A": "real", "B": "too"}) as started:
        started.wait_for(b"web has config and too.")
        said = b"config vars of v1 win over the environment: A\n"
        assert said in started.output


def test_a_batch_restarts_a_running_session_once(
    folder: Path, running: Started
) -> None:
    running.wait_for(b"web has  and .")
    said = flow(folder, "config", "set", "A=1", "B=2")
    assert said == "Set A, B config vars and restart web.1, worker.1... done, v1\n"
    running.wait_for(b"web has 1 and 2.")
    running.wait_for(b"got 1.")
    assert [dynos(folder)[name]["restarts"] for name in ("web.1", "worker.1")] == [1, 1]
    assert running.output.count(b"web has") == 2


def test_what_was_stopped_by_hand_stays_down(folder: Path, running: Started) -> None:
    running.wait_for(b"got .")
    flow(folder, "ps:stop", "worker")
    wait_for_dyno(folder, "worker.1", "down")
    assert "restart web.1..." in flow(folder, "config", "set", "A=1")
    running.wait_for(b"web has 1 and .")
    flow(folder, "ps:stop", "web")
    wait_for_dyno(folder, "web.1", "down")
    assert "restart nothing..." in flow(folder, "config", "set", "A=2")
    flow(folder, "ps:restart", "worker")
    running.wait_for(b"got 2.")


def test_a_secret_is_in_no_output_no_log_no_process_list_and_no_readable_file(
    folder: Path, running: Started
) -> None:
    (folder / "secrets").write_text(f"SECRET={SECRET}-1\nTOKEN='{SECRET}\n-2'\n")
    (folder / "secrets").chmod(0o600)
    said = flow(folder, "config", "import", "secrets")
    (folder / "secrets").unlink()
    running.wait_for(b"web has", times=2)
    said += flow(folder, "releases") + flow(folder, "releases", "--json")
    said += flow(folder, "releases:info") + flow(
        folder, "releases:info", "v1", "--json"
    )
    said += flow(folder, "config", "unset", "TOKEN") + flow(folder, "check")
    said += flow(folder, "ps") + flow(folder, "ps", "--json") + flow(folder, "env")
    said += flow(folder, "logs")
    commands = [" ".join(one.cmdline()) for one in running.left()]
    assert SECRET not in said + running.output.decode() + running.errors
    assert SECRET not in str(commands)
    assert flow(folder, "run", "echo $SECRET") == f"{SECRET}-1\n"
    for path in folder.rglob("*"):
        if path.is_file() and SECRET in path.read_text():
            assert path.name.endswith(".config.json")
            assert path.stat().st_mode & 0o077 == 0


def test_the_releases_are_listed_and_told(folder: Path) -> None:
    assert flow(folder, "releases") == "=== Releases\n"
    assert flow(folder, "releases:info", code=2) == "flow: there is no release yet\n"
    flow(folder, "config", "set", "A=1", "B=2")
    store = ReleaseStore(folder / ".flow")
    tree = store.begin(what="Deploy 1a2b3c4", commit="1a2b3c4", formation={"web": 2})
    store.fail(tree, "the release command returned 3")
    heading, failed, first = flow(folder, "releases").splitlines()
    assert heading == "=== Releases - Current: v1"
    assert failed.startswith(
        "v2  Deploy 1a2b3c4 (failed: the release command returned 3)  "
    )
    assert first.startswith("v1  Set A, B config vars  ")
    assert f" {getpass.getuser()}  20" in first
    assert first.endswith("ago)")
    assert len(flow(folder, "releases", "-n", "1").splitlines()) == 2
    newest, _ = json.loads(flow(folder, "releases", "--json"))
    assert (newest["name"], newest["status"]) == ("v2", "failed")
    assert newest["config"] == ["A", "B"]
    lines = flow(folder, "releases", "info", "2").splitlines()
    assert lines[0] == "=== Release v2"
    assert "Code:         1a2b3c4" in lines
    assert "Formation:    web=2" in lines
    assert "Config vars:  A, B" in lines
    assert "Code:         the working tree" in flow(folder, "releases:info", "v1")
    assert "no release v9" in flow(folder, "releases:info", "v9", code=2)

"""flow deploy and flow releases rollback: another release, or nothing changes."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
from typing import TYPE_CHECKING

import pytest

from flow.runner.releases.store import ReleaseStore
from tests.runner.asking import dynos, flow
from tests.runner.started import Started
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SLEEP = "sleep $NAP"
# Every process says its release and what is in the file "version" of its folder.
SAYS = "echo $HEROKU_RELEASE_VERSION has $(cat version)"
PROCFILE = f"web: {SAYS}; {SLEEP}\nworker: {SAYS}; {SLEEP}\n"
READY = '[processes]\nweb.ready = "log:has"\nworker.ready = "log:has"\n'


def project(folder: Path, procfile: str = PROCFILE, settings: str = READY) -> None:
    (folder / "Procfile").write_text(procfile)
    (folder / "flow.toml").write_text(settings)
    (folder / "version").write_text("one\n")


@pytest.fixture
def running(tmp_path: Path, free_port: int) -> Iterator[Started]:
    project(tmp_path)
    with Started(tmp_path, "start", "-p", str(free_port), "--grace", "5") as started:
        started.wait_for(b"worker.1 is up")
        started.wait_for(b"web.1 is up")
        yield started


def pids(folder: Path) -> dict[str, int]:
    return {name: one["pid"] for name, one in dynos(folder).items()}


def store(folder: Path) -> ReleaseStore:
    return ReleaseStore(folder / ".flow")


def test_the_files_as_they_are_take_over_from_what_runs(
    tmp_path: Path, running: Started
) -> None:
    flow(tmp_path, "ps:scale", "worker=2")
    running.wait_for(b"worker.2 is up")
    before = pids(tmp_path)
    (tmp_path / "version").write_text("two\n")

    said = flow(tmp_path, "deploy")

    assert "v1 is the current release" in said
    running.wait_for(b"web.1    | v1 has two")
    running.wait_for(b"worker.2 | v1 has two")
    after = pids(tmp_path)
    assert after.keys() == before.keys() == {"web.1", "worker.1", "worker.2"}
    assert not set(after.values()) & set(before.values())
    # What is edited later is no part of it.
    (tmp_path / "version").write_text("three\n")
    flow(tmp_path, "ps:restart", "worker.1")
    running.wait_for(b"worker.1 | v1 has two", times=2)
    (release,) = store(tmp_path).all()
    assert release.formation == {"web": 1, "worker": 2}


def test_what_can_run_twice_is_up_before_the_old_is_stopped(
    tmp_path: Path, running: Started
) -> None:
    flow(tmp_path, "deploy")
    text = running.output
    new = text.index(b"worker.1 | v1 has")
    # web has one port, and says nothing of how it could share it.
    said = b"v1: web.1 cannot run twice (docs/deploy.md: handover): stopping, then"
    pause = text.index(said)
    stopped = text.index(b"worker.1 was ended by SIGTERM")
    assert new < pause < text.index(b"web.1    | v1 has") < stopped


@pytest.mark.parametrize(
    ("command", "limit", "why"),
    [
        ("exit 3", "60", "the release process ended with exit code 3"),
        (SLEEP, "0.5", "the release process did not end within 0.5 s"),
    ],
)
def test_a_release_that_fails_or_hangs_changes_nothing(
    tmp_path: Path, running: Started, command: str, limit: str, why: str
) -> None:
    before = pids(tmp_path)
    project(tmp_path, f"release: echo here; {command}\n{PROCFILE}")

    with Started(tmp_path, "deploy", "--timeout", limit) as deploy:
        assert deploy.end() == 1
        assert f"v1 failed, nothing has changed: {why}".encode() in deploy.output
        deploy.nothing_left()

    assert pids(tmp_path) == before
    (release,) = store(tmp_path).all()
    assert (release.status, release.why) == ("failed", why)
    assert list((tmp_path / ".flow/releases/trees").iterdir()) == []
    assert b"deploying" not in running.output


def test_a_release_that_is_interrupted_changes_nothing(
    tmp_path: Path, running: Started
) -> None:
    before = pids(tmp_path)
    project(tmp_path, f"release: echo here; {SLEEP}\n{PROCFILE}")
    with Started(tmp_path, "deploy") as deploy:
        deploy.wait_for(b"release.1 | here")
        deploy.process.send_signal(signal.SIGINT)
        assert deploy.end() == 130
        assert b"v1 failed, nothing has changed: interrupted" in deploy.output
        deploy.nothing_left()
    assert pids(tmp_path) == before
    assert running.process.poll() is None


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_an_interrupt_while_the_new_ones_start_changes_nothing(
    tmp_path: Path, running: Started, number: signal.Signals
) -> None:
    before = pids(tmp_path)
    project(tmp_path, PROCFILE, '[processes.worker]\nready = "log:never"\n')
    with Started(tmp_path, "deploy") as deploy:
        running.wait_for(b"worker.1 | v1 has one")
        session_half = deploy.session_half()
        # SIGKILL is for the half that asks; Ctrl-C is told to both by a terminal.
        (session_half if number == signal.SIGKILL else deploy.process).send_signal(
            number
        )
        assert deploy.end() == 128 + number if number == signal.SIGKILL else 130
        running.wait_for(b"the new processes are stopped, the old ones stay")
    wait_until(
        lambda: running.output.count(b"worker.1 was ended by SIGTERM") == 1,
        waiting_for="the new one's end",
    )
    assert pids(tmp_path) == before
    (release,) = store(tmp_path).all()
    assert (release.status, release.why) == ("failed", "interrupted")


def test_an_interrupt_while_web_is_down_brings_the_old_one_back(
    tmp_path: Path, running: Started
) -> None:
    before = pids(tmp_path)
    project(tmp_path, PROCFILE, '[processes.web]\nready = "log:never"\n')
    with Started(tmp_path, "deploy") as deploy:
        # It cannot run twice on its port, so the old one is gone by now.
        running.wait_for(b"web.1    | v1 has one")
        deploy.process.send_signal(signal.SIGINT)
        assert deploy.end() == 130
    running.wait_for(b"web.1    | has one", times=2)
    assert pids(tmp_path)["worker.1"] == before["worker.1"]
    (release,) = store(tmp_path).all()
    assert (release.status, release.why) == ("failed", "interrupted")


def test_a_new_process_that_crashes_changes_nothing(
    tmp_path: Path, running: Started
) -> None:
    before = pids(tmp_path)
    project(tmp_path, f"web: {SAYS}; {SLEEP}\nworker: (sleep $NAP &) ; exit 7\n")
    said = flow(tmp_path, "deploy", code=1)
    assert "v1 failed, nothing has changed: worker.1 ended with exit code 7" in said
    assert pids(tmp_path) == before
    assert running.process.poll() is None


def test_a_new_web_that_crashes_is_followed_by_the_old(
    tmp_path: Path, running: Started
) -> None:
    before = pids(tmp_path)
    project(tmp_path, f"web: exit 7\nworker: {SAYS}; {SLEEP}\n")
    said = flow(tmp_path, "deploy", code=1)
    assert "v1 failed, nothing has changed: web.1 ended with exit code 7" in said
    running.wait_for(b"web.1    | has one", times=2)
    after = pids(tmp_path)
    assert after["worker.1"] == before["worker.1"]
    assert after["web.1"] != before["web.1"]


def test_a_type_comes_and_another_goes(tmp_path: Path, running: Started) -> None:
    project(
        tmp_path,
        f"web: {SAYS}; {SLEEP}\nclock: {SAYS}; {SLEEP}\n",
        '[processes]\nweb.ready = "log:has"\nclock.ready = "log:has"\n',
    )
    flow(tmp_path, "deploy")
    assert dynos(tmp_path).keys() == {"web.1", "clock.1"}
    flow(tmp_path, "ps:scale", "clock=2")
    running.wait_for(b"clock.2 is up")


def test_while_one_is_deployed_nothing_else_is_changed(
    tmp_path: Path, running: Started
) -> None:
    project(tmp_path, PROCFILE, '[processes.worker]\nready = "log:never"\n')
    with Started(tmp_path, "deploy") as deploy:
        running.wait_for(b"worker.1 | v1 has one")
        said = flow(tmp_path, "ps:scale", "worker=2", code=2)
        assert "a release is being deployed; try again once it is over" in said
        deploy.process.send_signal(signal.SIGINT)
        assert deploy.end() == 130
    flow(tmp_path, "ps:scale", "worker=2")


def test_a_rollback_brings_back_code_config_and_formation(  # noqa: PLR0915 - one history
    tmp_path: Path, running: Started
) -> None:
    odd = tmp_path / "a\nb \xfc.bin"
    odd.write_bytes(bytes(range(256)))
    odd.chmod(0o751)
    (tmp_path / "link").symlink_to("nowhere")
    flow(tmp_path, "deploy")
    first = store(tmp_path).get(1)
    assert first.tree
    taken = tmp_path / "taken"
    shutil.copytree(tmp_path / ".flow" / first.tree, taken, symlinks=True)
    # What runs may write into its folder: that is not what was deployed.
    (tmp_path / ".flow" / first.tree / "version").write_text("scribbled\n")
    change = store(tmp_path)
    change.succeed(
        change.begin(what="Set A", commit=None, tree=first.tree, config={"A": "1"})
    )
    odd.unlink()
    (tmp_path / "version").write_text("two\n")
    flow(tmp_path, "ps:scale", "worker=3")
    flow(tmp_path, "deploy")
    assert store(tmp_path).get(3).config == {"A": "1"}
    assert dynos(tmp_path).keys() == {"web.1", "worker.1", "worker.2", "worker.3"}

    said = flow(tmp_path, "releases:rollback", "v1")

    assert "v4 is the current release" in said
    now = store(tmp_path).current()
    assert now
    assert (now.version, now.what, now.config) == (4, "Rollback to v1", {})
    assert dynos(tmp_path).keys() == {"web.1", "worker.1"}
    assert now.tree
    same = subprocess.run(
        ["diff", "-r", "--no-dereference", taken, tmp_path / ".flow" / now.tree],
        capture_output=True,
        check=False,
    )
    assert (same.returncode, same.stdout) == (0, b"")
    assert (tmp_path / ".flow" / now.tree / odd.name).stat().st_mode & 0o777 == 0o751
    running.wait_for(b"worker.1 | v4 has one")
    assert json.loads((tmp_path / ".flow/formation.json").read_text())["worker"] == 1
    # Without a version: the release before the current one.
    assert "rolling back to v3" in flow(tmp_path, "releases", "rollback")


def test_a_rollback_to_what_never_was_changes_nothing(
    tmp_path: Path, running: Started
) -> None:
    before = pids(tmp_path)
    assert "no release before" in flow(tmp_path, "releases:rollback", code=2)
    assert "no release v9" in flow(tmp_path, "releases:rollback", "v9", code=2)
    assert pids(tmp_path) == before
    assert running.process.poll() is None


def git(folder: Path, *words: str) -> str:
    own = ("-c", "user.name=x", "-c", "user.email=x@example.org")
    return subprocess.run(
        ["git", *own, *words], cwd=folder, check=True, capture_output=True, text=True
    ).stdout.strip()


def test_a_commit_is_taken_as_it_was(tmp_path: Path) -> None:
    inner = tmp_path / "inner"
    inner.mkdir()
    project(inner)
    (inner / ".gitignore").write_text(".flow\nsecret\n")
    git(tmp_path, "init", "-q")
    git(tmp_path, "add", "-A")
    git(tmp_path, "commit", "-qm", "one")
    (inner / "version").write_text("two\n")
    (inner / "secret").write_text("x\n")
    before = git(tmp_path, "status", "--porcelain")

    assert "'nope' is no commit" in flow(inner, "deploy", "nope", code=2)
    said = flow(inner, "deploy", "HEAD")
    assert "no session runs; flow start --deployed starts it" in said
    flow(inner, "deploy")

    assert git(tmp_path, "status", "--porcelain") == before
    second, first = store(inner).all()
    commit = git(tmp_path, "rev-parse", "HEAD")
    assert (first.commit, first.what) == (commit, f"Deploy {commit[:8]}")
    assert second.what == f"Deploy the working tree, on {commit[:8]}"
    assert first.tree
    assert second.tree
    assert (inner / ".flow" / first.tree / "version").read_text() == "one\n"
    assert (inner / ".flow" / second.tree / "version").read_text() == "two\n"
    assert not (inner / ".flow" / second.tree / "secret").exists()


def test_a_session_starts_the_working_tree_or_what_is_deployed(
    tmp_path: Path, free_port: int
) -> None:
    project(tmp_path)
    (tmp_path / "version").write_text("two\n")
    flow(tmp_path, "deploy")
    tree = store(tmp_path).get(1).tree
    assert tree
    # What is lost of it is made again.
    shutil.rmtree(tmp_path / ".flow" / tree)
    (tmp_path / "version").write_text("three\n")
    with Started(tmp_path, "start", "-p", str(free_port)) as started:
        started.wait_for(b"the working tree; flow start --deployed starts v1 instead")
        started.wait_for(b"has three")
    with Started(tmp_path, "start", "-p", str(free_port), "--deployed") as started:
        started.wait_for(b"v1: Deploy the working tree")
        started.wait_for(b"worker.1 | v1 has two")


def test_a_commit_where_there_is_no_git_is_refused_with_the_reason(
    tmp_path: Path,
) -> None:
    project(tmp_path)
    said = flow(tmp_path, "deploy", "nope", code=2)
    assert "is in no git repository, so it has no commit 'nope'" in said
    assert not store(tmp_path).all()


def test_a_config_change_tells_what_was_deployed_its_new_release(
    tmp_path: Path, running: Started
) -> None:
    flow(tmp_path, "config", "set", "A=1")
    running.wait_for(b"web.1    | has one", times=2)  # it runs no release's code
    flow(tmp_path, "deploy")
    running.wait_for(b"web.1    | v2 has one")
    flow(tmp_path, "config", "set", "A=2")
    running.wait_for(b"web.1    | v3 has one")


def test_nothing_deployed_is_said(tmp_path: Path) -> None:
    project(tmp_path)
    assert "flow deploy does that" in flow(tmp_path, "start", "--deployed", code=2)


def test_a_session_that_watches_files_does_not_deploy(
    tmp_path: Path, free_port: int
) -> None:
    project(tmp_path)
    with Started(tmp_path, "start", "--watch", "-p", str(free_port)) as started:
        started.wait_for(b"worker.1 is up")
        said = flow(tmp_path, "deploy", code=1)
        assert "this session restarts what changed files touch" in said

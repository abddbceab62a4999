"""Releases are kept whole, in order, one at a time, and their secrets with them."""

from __future__ import annotations

import os
import resource
import signal
import stat
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from flow.errors import ReleaseError
from flow.runner.releases import store as stores
from flow.runner.releases.store import ReleaseStore
from tests.runner.started import ROOT, environment

if TYPE_CHECKING:
    from pathlib import Path

SECRET = "canary-7f3a"  # noqa: S105 - what must not be seen
BEGIN_AND_WAIT = """
import sys
from pathlib import Path
from flow.runner.releases.store import ReleaseStore
print(ReleaseStore(Path(sys.argv[1])).begin(what="Deploy 1a2b3c4").name, flush=True)
sys.stdin.read()
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / ".flow"


@pytest.fixture
def store(folder: Path) -> ReleaseStore:
    return ReleaseStore(folder, now=lambda: 1.5, by=lambda: "ana")


def another_that_waits(folder: Path) -> subprocess.Popen[str]:
    """Return a process that has begun a release and does not end it."""
    process = subprocess.Popen(
        [sys.executable, "-c", BEGIN_AND_WAIT, str(folder)],
        env=environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout
    assert process.stdout.readline().startswith("v")
    return process


def test_without_a_release_there_is_none_and_nothing_is_made(
    store: ReleaseStore, folder: Path
) -> None:
    assert store.current() is None
    assert store.all() == []
    with pytest.raises(ReleaseError, match="no release v1; flow releases lists them"):
        store.get(1)
    assert not folder.exists()


def test_a_release_is_pending_and_then_the_current_one(store: ReleaseStore) -> None:
    begun = store.begin(
        what="Deploy 1a2b3c4",
        commit="1a2b3c4",
        tree="trees/1a2b3c4",
        config={"A": "ä\n='\"#"},
        formation={"web": 2},
    )
    assert (begun.version, begun.status, begun.created) == (1, "pending", 1.5)
    assert store.current() is None
    assert store.all() == [begun]
    now = store.succeed(begun)
    assert now.status == "succeeded"
    assert store.current() == now
    assert [store.get(name) for name in (1, "1", "v1")] == [now] * 3
    assert (now.commit, now.tree, now.by) == ("1a2b3c4", "trees/1a2b3c4", "ana")
    assert (now.config, now.formation) == ({"A": "ä\n='\"#"}, {"web": 2})


def test_a_release_keeps_what_is_not_given_and_the_list_is_newest_first(
    store: ReleaseStore,
) -> None:
    store.succeed(store.begin(what="one", config={"A": "1"}, formation={"web": 2}))
    store.succeed(store.begin(what="two", config={"A": "2"}))
    third = store.begin(what="three", formation={"web": 3})
    assert (third.config, third.formation) == ({"A": "2"}, {"web": 3})
    assert [one.what for one in store.all()] == ["three", "two", "one"]
    assert store.get("v2").formation == {"web": 2}


def test_a_release_that_fails_leaves_the_current_one(store: ReleaseStore) -> None:
    first = store.succeed(store.begin(what="one", config={"A": "1"}))
    second = store.begin(what="two", config={"A": "2"})
    failed = store.fail(second, "the release command returned 3")
    assert store.current() == first
    assert store.get(2) == failed
    assert (failed.status, failed.why) == ("failed", "the release command returned 3")
    with pytest.raises(ReleaseError, match="v2 is not pending any more"):
        store.succeed(second)
    assert store.begin(what="three").config == {"A": "1"}


def test_config_vars_are_in_files_of_their_owner_alone_and_in_no_repr(
    store: ReleaseStore, folder: Path
) -> None:
    before = os.umask(0)
    try:
        release = store.succeed(store.begin(what="x", config={"A": SECRET}))
    finally:
        os.umask(before)
    assert SECRET not in repr(release) + repr(store.all()) + str(release.record())
    holding = [
        path
        for path in folder.rglob("*")
        if path.is_file() and SECRET in path.read_text()
    ]
    assert [path.name for path in holding] == ["v1.config.json"]
    for path in (folder, *folder.rglob("*")):
        if path.name != ".gitignore":
            assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path
    assert (folder / ".gitignore").read_text() == "*\n"


def test_while_one_is_made_others_wait_and_say_for_what(
    store: ReleaseStore, folder: Path
) -> None:
    with another_that_waits(folder) as other:
        (pending,) = store.all()
        assert (pending.status, pending.what) == ("pending", "Deploy 1a2b3c4")
        with pytest.raises(ReleaseError, match=r"^v1 \(Deploy 1a2b3c4\) is not finish"):
            store.begin(what="Set A config vars", patience=0)
        with pytest.raises(ReleaseError, match="one at a time"), store.turn(patience=0):
            pass
        other.kill()


def test_what_a_killed_process_left_pending_is_interrupted(
    store: ReleaseStore, folder: Path
) -> None:
    with another_that_waits(folder) as other:
        other.send_signal(signal.SIGKILL)
    (left,) = store.all()
    assert (left.status, left.why) == ("failed", "interrupted")
    assert store.get("v1") == left
    second = store.begin(what="two")
    assert [(one.version, one.status) for one in store.all()] == [
        (2, "pending"),
        (1, "failed"),
    ]
    assert store.succeed(second).version == 2


def test_looking_and_then_changing_is_one_turn(folder: Path) -> None:
    store, other = ReleaseStore(folder), ReleaseStore(folder)
    with store.turn():
        with pytest.raises(ReleaseError, match="another one is not finished yet"):
            other.begin(what="two", patience=0)
        store.succeed(store.begin(what="one"))
        with pytest.raises(ReleaseError, match="not finished yet"):
            other.begin(what="two", patience=0)
    assert other.begin(what="two", patience=0).version == 2


def test_a_kill_at_any_step_leaves_the_old_or_the_new_set(
    store: ReleaseStore, folder: Path, tmp_path: Path
) -> None:
    store.succeed(store.begin(what="the old one", config={"A": "old"}))
    program = [sys.executable, str(ROOT / "tests/runner/release_steps.py")]
    copies = tmp_path / "copies"
    copies.mkdir()
    told = subprocess.check_output(
        [*program, str(folder), str(copies)], env=environment(), text=True
    )
    found: list[str] = []
    for step in range(1, int(told) + 1):
        after = ReleaseStore(copies / str(step))
        current = after.current()
        assert current
        assert (current.version, current.config) in (
            (1, {"A": "old"}),
            (2, {"A": "new" * 1000}),
        )
        assert all(one.status != "pending" for one in after.all())
        found.append(current.what)
        after.succeed(after.begin(what="the next one", config={"A": "next"}))
        assert after.current() == after.all()[0]
        names = {path.name for path in (copies / str(step) / "releases").iterdir()}
        assert not [name for name in names if name.endswith(".new")]
    assert set(found) == {"the old one", "the new one"}
    assert found == sorted(found, reverse=True)
    assert len(found) > 15


@pytest.mark.parametrize("space", [0, 100, 3000])
def test_a_file_that_cannot_grow_leaves_the_old_set(
    store: ReleaseStore, folder: Path, space: int
) -> None:
    first = store.succeed(store.begin(what="one", config={"A": "old"}))
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (space, limits[1]))
    try:
        with pytest.raises(ReleaseError, match=r"releases.*: File too large"):
            store.begin(what="two", config={"A": SECRET * 1000})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert store.all() == [first]
    names = {path.name for path in (folder / "releases").iterdir()}
    assert names == {"lock", "v1.config.json", "v1.succeeded.json"}
    assert store.begin(what="two").version == 2


def test_a_full_disk_does_not_open_the_folder_to_git(
    store: ReleaseStore, folder: Path
) -> None:
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, limits[1]))
    try:
        with pytest.raises(ReleaseError):
            store.begin(what="one")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    store.begin(what="one", config={"A": SECRET})
    assert (folder / ".gitignore").read_text() == "*\n"


def test_a_pending_release_succeeds_where_nothing_can_be_written(
    store: ReleaseStore,
) -> None:
    begun = store.begin(what="one", config={"A": "1"})
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, limits[1]))
    try:
        assert store.succeed(begun) == store.current()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)


def test_the_oldest_releases_are_forgotten_but_never_the_current_one(
    store: ReleaseStore, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stores, "KEPT", 3)
    store.succeed(store.begin(what="one", config={"A": "1"}))
    for number in range(5):
        store.fail(store.begin(what=f"failing {number}"), "it must")
    assert [one.version for one in store.all()] == [6, 5, 4, 1]
    assert store.begin(what="next").config == {"A": "1"}
    configs = (folder / "releases").glob("*.config.json")
    assert {path.name for path in configs} == {
        f"v{number}.config.json" for number in (1, 5, 6, 7)
    }


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("v1.config.json", b'{"A": "' + SECRET.encode()),
        ("v1.config.json", b'{"A": ["' + SECRET.encode() + b'"]}'),
        ("v1.config.json", b"\xff" + SECRET.encode()),
        ("v1.succeeded.json", b"[]"),
        ("v1.succeeded.json", b'{"version": "1"}'),
    ],
)
def test_a_damaged_release_is_named_and_its_content_is_not(
    store: ReleaseStore, folder: Path, name: str, content: bytes
) -> None:
    store.succeed(store.begin(what="one", config={"A": SECRET}))
    (folder / "releases" / name).write_bytes(content)
    with pytest.raises(ReleaseError, match=r"releases/v1\.\w+\.json is ") as caught:
        store.current()
    assert SECRET not in str(caught.value)
    (folder / "releases" / "v1.succeeded.json").unlink()
    assert store.begin(what="two").version == 1


def test_a_folder_of_somebody_else_or_none_is_one_error(tmp_path: Path) -> None:
    (tmp_path / ".flow").write_text("a file")
    with pytest.raises(ReleaseError, match=r"\.flow"):
        ReleaseStore(tmp_path / ".flow").begin(what="one")

"""Where the server of a project keeps its socket and its files, and for whom."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from flow.errors import ConfigError
from flow.store import embedded
from tests.support.projectserver import User, get, put

if TYPE_CHECKING:
    from collections.abc import Callable


def mode(path: Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)


def test_a_project_path_of_150_characters_has_its_socket_elsewhere(
    project: Path, user: Callable[..., User], monkeypatch: pytest.MonkeyPatch
) -> None:
    long = project / ("p" * (150 - len(str(project)) - 1))
    long.mkdir()
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
    monkeypatch.setenv("TMPDIR", str(project))
    first = user(at=long / ".flow").ready()
    # Another process may have another idea of where the short folder is.
    monkeypatch.delenv("TMPDIR")
    server = embedded.join(long / ".flow")
    assert server is not None
    with server:
        assert server.url == first.url
        assert len(str(long)) == 150
        assert server.socket.parent == project / f"flow-{os.geteuid()}"
        assert mode(server.socket.parent) == 0o700
        assert mode(server.socket) == 0o600
        put(server.url, "key", "value")
        first.kill()
        assert get(server.url, "key") == "value"


def test_a_long_path_uses_the_users_runtime_folder(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    runtime = project / "run"
    runtime.mkdir(mode=0o700)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(runtime))
    long = project / ("p" * 150)
    long.mkdir()
    with embedded.start(long / ".flow") as server:
        assert server.socket.parent == runtime / "flow"
        assert get(server.url, "key") is None


def test_a_short_folder_of_another_user_is_refused(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
    monkeypatch.setenv("TMPDIR", str(project))
    # A link to a folder is as little ours as a folder of another user: it can turn.
    (project / f"flow-{os.geteuid()}").symlink_to("/usr")
    long = project / ("p" * 150)
    long.mkdir()
    with pytest.raises(ConfigError, match="is not a folder of user"):
        embedded.start(long / ".flow")


@pytest.mark.parametrize("name", ["with space", "100% off", "a#b?c=d&e", "späti", "'"])
def test_any_name_of_a_project_works(project: Path, name: str) -> None:
    state = project / name / ".flow"
    state.parent.mkdir()
    with embedded.start(state) as server:
        put(server.url, "key", "value")
        joined = embedded.join(state)
        assert joined is not None
        with joined:
            assert joined.url == server.url
            assert get(joined.url, "key") == "value"
        assert list((state / "redis").rglob("*.aof"))


@pytest.mark.skipif(sys.platform == "darwin", reason="its file names are all UTF-8")
def test_a_name_that_is_no_utf_8_works(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
    monkeypatch.setenv("TMPDIR", str(project))
    state = project / os.fsdecode(b"caf\xe9") / ".flow"
    state.parent.mkdir()
    with embedded.start(state) as server:
        put(server.url, "key", "value")
    with embedded.start(state) as server:
        assert get(server.url, "key") == "value"


def test_a_link_to_the_project_leads_to_the_same_server(project: Path) -> None:
    (project / "real").mkdir()
    (project / "link").symlink_to(project / "real")
    with (
        embedded.start(project / "real" / ".flow") as server,
        embedded.start(project / "link" / ".flow") as same,
    ):
        assert same.url == server.url
        assert not same.started


def test_everything_is_for_its_owner_alone_even_with_an_open_umask(
    state: Path,
) -> None:
    state.mkdir(mode=0o755)
    before = os.umask(0)
    try:
        with embedded.start(state) as server:
            put(server.url, "key", "value")
            folders = [state, *(path for path in state.rglob("*") if path.is_dir())]
            files = [path for path in state.rglob("*") if not path.is_dir()]
    finally:
        os.umask(before)
    assert server.socket in files
    assert {mode(folder) for folder in folders} == {0o700}
    assert {mode(path) for path in files if path.exists()} == {0o600}


def test_git_does_not_see_the_folder(project: Path, state: Path) -> None:
    with embedded.start(state):
        subprocess.run(["git", "init", "-q"], cwd=project, check=True)
        seen = subprocess.run(
            ["git", "status", "--porcelain"],
            cwd=project,
            check=True,
            capture_output=True,
        )
        assert seen.stdout == b""


def test_a_folder_of_another_user_is_refused(state: Path) -> None:
    foreign = Path("/usr")
    if os.geteuid() == 0:
        foreign = state
        foreign.mkdir()
        os.chown(foreign, 65534, -1)
    with pytest.raises(ConfigError, match="its owner is"):
        embedded.start(foreign)
    assert not (foreign / "server.lock").exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")
def test_a_server_of_another_user_is_not_joined(
    user: Callable[..., User], state: Path
) -> None:
    user().ready()
    os.chown(state, 65534, -1)
    with pytest.raises(ConfigError, match="is not a folder of user 0"):
        embedded.join(state)
    os.chown(state, 0, -1)


@pytest.mark.parametrize("where", ["/sys/.flow", "/no/such/project/.flow", "/dev/null"])
def test_a_place_that_cannot_be_written_is_named(where: str) -> None:
    with pytest.raises(ConfigError, match=where):
        embedded.start(Path(where))


def test_a_file_in_the_folders_place_is_named(state: Path) -> None:
    state.write_text("no folder")
    with pytest.raises(ConfigError, match=str(state)):
        embedded.start(state)
    assert embedded.join(state) is None

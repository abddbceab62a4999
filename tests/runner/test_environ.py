from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from flow.errors import ConfigError, EnvFileError
from flow.runner.declared.formation import Instance
from flow.runner.environment import environ

if TYPE_CHECKING:
    from pathlib import Path

REAL = {"PATH": "/usr/bin:/bin", "A": "real"}


def test_the_real_environment_wins_over_the_files(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("A=file\nB=file\n")
    (tmp_path / ".env.local").write_text("B=local\n")
    shared = environ.load(tmp_path, [], REAL)
    assert (shared["A"], shared["B"]) == ("real", "local")


def test_override_lets_the_files_win(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("A=file\n")
    assert environ.load(tmp_path, [], REAL, override=True)["A"] == "file"


def test_chosen_files_replace_both_and_must_exist(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("B=default\n")
    chosen = tmp_path / "other.env"
    with pytest.raises(EnvFileError, match="there is no such file"):
        environ.load(tmp_path, [chosen], REAL)
    chosen.write_text("C=chosen\n")
    shared = environ.load(tmp_path, [chosen], REAL)
    assert shared["C"] == "chosen"
    assert "B" not in shared


@pytest.mark.parametrize(
    ("given", "shared", "port"),
    [
        (7000, {"PORT": "6000"}, 7000),
        (None, {"PORT": "6000"}, 6000),
        (None, {"PORT": ""}, 5001),
        (None, {}, 5001),
    ],
)
def test_the_first_port_is_the_one_given_then_PORT_then_5001(  # noqa: N802 - its name
    given: int | None, shared: dict[str, str], port: int
) -> None:
    assert environ.base_port(given, shared) == port


@pytest.mark.parametrize("text", ["http", "0", "65536", "-1", "5001 ", "٣"])
def test_a_PORT_that_is_none_is_refused(text: str) -> None:  # noqa: N802 - its name
    with pytest.raises(ConfigError, match="a port is from 1 to 65535"):
        environ.base_port(None, {"PORT": text})


def test_a_process_is_told_its_name_its_port_and_its_time_to_end() -> None:
    own = environ.of(Instance("web", 2, "x", 5002), REAL, 10.0)
    added = {name: text for name, text in own.items() if name not in REAL}
    assert added == {"PORT": "5002", "DYNO": "web.2", "PS": "web.2", "FLOW_GRACE": "8"}


def test_python_children_do_not_hold_output_back(tmp_path: Path) -> None:
    assert environ.load(tmp_path, [], REAL)["PYTHONUNBUFFERED"] == "1"
    chosen = {**REAL, "PYTHONUNBUFFERED": ""}
    assert environ.load(tmp_path, [], chosen)["PYTHONUNBUFFERED"] == ""


def test_the_flow_that_runs_is_found_first(tmp_path: Path) -> None:
    own = _program(tmp_path / "own" / "flow")
    other = _program(tmp_path / "other" / "flow")
    path = environ.with_own_bin(str(other.parent), own.parent / "python")
    assert path == os.pathsep.join([str(own.parent), str(other.parent)])


def test_a_path_that_finds_it_already_is_left_alone(tmp_path: Path) -> None:
    own = _program(tmp_path / "own" / "flow")
    link = tmp_path / "bin" / "flow"
    link.parent.mkdir()
    link.symlink_to(own)
    path = environ.with_own_bin(str(link.parent), own.parent / "python")
    assert path == str(link.parent)


def test_a_system_python_without_flow_changes_nothing(tmp_path: Path) -> None:
    assert environ.with_own_bin("/bin", tmp_path / "bin" / "python") == "/bin"


def _program(path: Path) -> Path:
    path.parent.mkdir()
    path.touch(mode=0o755)
    return path

"""The set-up that `make` does, on a project so small that it needs no network."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import sysconfig
from typing import TYPE_CHECKING

import pytest

from tests.packaging.projects import ROOT, run
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from pathlib import Path

PROJECT = """
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"
[project]
name = "tiny"
version = "1"
dependencies = [{needs}]
[project.optional-dependencies]
embedded = []
[dependency-groups]
dev = []
[tool.hatch.build]
dev-mode-dirs = ["."]
[tool.hatch.build.targets.wheel]
bypass-selection = true
"""
# A make that runs under `make test` would say which folder it enters.
MAKE = ("make", "--no-print-directory")
# pip and hatchling come from this environment, nothing from an index.
OFFLINE = {
    "PIP_NO_INDEX": "1",
    "PIP_NO_BUILD_ISOLATION": "0",
    "PYTHONPATH": sysconfig.get_path("purelib"),
    "PYTHON": sys.executable,
    "MAKEFLAGS": "",
}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A clone with the real Makefile, in a folder that has a space in its name."""
    folder = tmp_path / "my clone"
    shutil.copytree(ROOT / ".ci", folder / ".ci")
    shutil.copy(ROOT / "Makefile", folder)
    (folder / "pyproject.toml").write_text(PROJECT.format(needs=""))
    return folder


def set_up(project: Path, code: int = 0, **env: str) -> str:
    environment = {**OFFLINE, **env}
    return run(*MAKE, "environment-dev", cwd=project, code=code, env=environment)


def fake_python(tmp_path: Path, script: str) -> str:
    """Write an interpreter that differs from this one as ``script`` says."""
    path = tmp_path / "python3"
    path.write_text(f'#!/bin/sh\n{script}\nexec "{sys.executable}" "$@"\n')
    path.chmod(0o755)
    return str(path)


def test_a_bare_make_names_every_target() -> None:
    words = run(*MAKE, cwd=ROOT)
    makefile = (ROOT / "Makefile").read_text()
    targets = set(re.findall(r"^(\w+):", makefile, re.MULTILINE)) - {"help"}
    assert "demo" in targets
    assert targets == set(re.findall(r"^  make (\w+)", words, re.MULTILINE))


def test_the_environment_is_made_once_and_found_again(project: Path) -> None:
    first = set_up(project)
    assert "making .venv" in first
    assert "installing" in first
    assert set_up(project) == ""


def test_a_change_of_the_project_installs_again_without_a_new_environment(
    project: Path,
) -> None:
    set_up(project)
    (project / "pyproject.toml").write_text(PROJECT.format(needs="") + "\n")
    again = set_up(project)
    assert "installing" in again
    assert "making" not in again


def test_an_environment_that_was_moved_is_made_anew(project: Path) -> None:
    set_up(project)
    moved = project.rename(project.with_name("elsewhere"))
    assert "making .venv" in set_up(moved)


def test_an_install_that_failed_is_done_again(project: Path) -> None:
    (project / "pyproject.toml").write_text(PROJECT.format(needs='"no-such-thing"'))
    assert "no-such-thing" in set_up(project, code=2)
    assert "no-such-thing" in set_up(project, code=2)


def test_an_environment_whose_python_is_gone_is_made_anew(project: Path) -> None:
    (project / ".venv/bin").mkdir(parents=True)
    (project / ".venv/bin/python").symlink_to("/usr/bin/python-that-was-upgraded")
    assert "making .venv" in set_up(project)


def test_an_environment_without_pip_gets_one(project: Path) -> None:
    run(sys.executable, "-m", "venv", "--without-pip", ".venv", cwd=project)
    # What comes after needs an index.
    words = set_up(project, code=2, PYTHONPATH="")
    assert "making" not in words
    run(project / ".venv/bin/python", "-m", "pip", "--version", cwd=project)


def start_set_up(project: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*MAKE, "environment-dev"],
        cwd=project,
        env={**os.environ, **OFFLINE},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def test_an_install_killed_half_way_is_done_again(project: Path) -> None:
    place = project / ".venv/.place"
    with start_set_up(project) as make:
        wait_until(place.exists, timeout=120, waiting_for="the environment")
        os.killpg(make.pid, signal.SIGKILL)
    assert not (project / ".venv/.stamp-dev").exists()
    assert "installing" in set_up(project)
    assert set_up(project) == ""


@pytest.mark.skipif(shutil.which("flock") is None, reason="no flock: makes do not wait")
def test_many_makes_at_once_make_one_environment(project: Path) -> None:
    makes = [start_set_up(project) for _ in range(4)]
    words = "".join(make.communicate(timeout=240)[0] for make in makes)
    assert [make.returncode for make in makes] == [0] * 4, words
    assert words.count("making .venv") == 1
    assert words.count("==> installing") == 1


def test_a_python_without_venv_is_told_which_package_is_missing(
    project: Path, tmp_path: Path
) -> None:
    (tmp_path / "ensurepip.py").write_text("raise ImportError('Debian has split it')")
    bare = fake_python(tmp_path, f'export PYTHONPATH="{tmp_path}"')
    words = set_up(project, code=2, PYTHON=bare)
    assert "python3-venv is missing" in words
    assert not (project / ".venv").exists()


def test_a_python_that_is_too_old_is_told(project: Path, tmp_path: Path) -> None:
    old = fake_python(
        tmp_path,
        f'''exec "{sys.executable}" -c "
import sys
sys.version_info = (3, 9, 1)
exec(sys.argv[1])" "$2"''',
    )
    words = set_up(project, code=2, PYTHON=old)
    assert "Python 3.11 or newer is needed" in words
    assert f"{old} is 3.9" in words


def test_no_python_at_all_is_told(project: Path) -> None:
    words = set_up(project, code=2, PYTHON="/no/such/python")
    assert "Python 3.11 or newer is needed" in words
    assert "/no/such/python" in words

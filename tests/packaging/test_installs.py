from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from tests.packaging.projects import copy_project, run

if TYPE_CHECKING:
    from pathlib import Path

    from tests.packaging.projects import Environment

ROLES = ["workers", "scheduler"]


@pytest.mark.parametrize("way", ["installed", "editable"])
def test_the_command_and_the_package_work_once_installed(
    way: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    environment: Environment = request.getfixturevalue(way)
    assert "Usage: flow" in environment.flow("--help", cwd=tmp_path)
    assert "Usage: flow" in run(
        environment.python, "-m", "flow", "--help", cwd=tmp_path
    )
    environment.run(
        "import flow, flow.workers, flow.scheduler; flow.task", cwd=tmp_path
    )


def test_the_installed_flow_is_the_wheels_and_not_this_checkout(
    installed: Environment, tmp_path: Path
) -> None:
    where = installed.run("import flow; print(flow.__file__)", cwd=tmp_path)
    assert where.startswith(str(installed.bin.parent))


@pytest.mark.parametrize("role", ROLES)
def test_an_installed_wheel_has_no_other_top_level_name(
    installed: Environment, role: str, tmp_path: Path
) -> None:
    words = installed.run(f"import {role}", cwd=tmp_path, code=1)
    assert f"ModuleNotFoundError: No module named '{role}'" in words


@pytest.mark.parametrize("role", ROLES)
def test_a_users_own_folder_and_flows_part_live_side_by_side(
    installed: Environment, role: str, shop: Path
) -> None:
    installed.run(
        f"import {role}, flow.{role}; assert {role}.OWNER == 'shop'", cwd=shop
    )
    installed.run(
        f"import flow.{role}, {role}; assert {role}.OWNER == 'shop'", cwd=shop
    )


@pytest.mark.parametrize("role", ROLES)
def test_a_users_own_folder_wins_over_an_editable_flow_too(
    editable: Environment, role: str, shop: Path
) -> None:
    editable.run(f"import {role}, flow.{role}; assert {role}.OWNER == 'shop'", cwd=shop)


@pytest.mark.parametrize("role", ROLES)
def test_an_editable_flow_refuses_its_folders_under_their_bare_names(
    editable: Environment, role: str, tmp_path: Path
) -> None:
    words = editable.run(f"import {role}", cwd=tmp_path, code=1)
    assert "ImportError" in words
    assert f"flow.{role}" in words


@pytest.mark.parametrize("role", ROLES)
def test_a_checkout_refuses_its_folders_under_their_bare_names(
    installed: Environment, role: str, clone: Path
) -> None:
    words = installed.run(f"import {role}", cwd=clone, code=1)
    assert "ImportError" in words
    assert f"flow.{role}" in words


def test_uv_sync_makes_an_environment_that_works(tmp_path: Path) -> None:
    project = copy_project(tmp_path / "clone")
    uv = [sys.executable, "-m", "uv", "sync", "--quiet", "--python", sys.executable]
    # The lock resolves every group; what is installed is what a user gets.
    run(*uv, "--no-dev", cwd=project)
    assert "Usage: flow" in run(project / ".venv/bin/flow", "--help", cwd=tmp_path)

"""What flow is told: by [tool.flow], by the environment, by the command line."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from flow import config
from flow.config import Project, given
from flow.config.given import Given
from flow.config.machine import cpus
from flow.config.values import memory
from flow.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping

GIVEN: Mapping[str, Any] = {
    "processes": None,
    "threads": 1,
    "concurrency": 100,
    "grace": None,
    "burst": False,
}


@pytest.fixture(autouse=True)
def nothing_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """No variable of whoever runs the tests counts."""
    recycling = ("FLOW_MAX_JOBS", "FLOW_MAX_MEMORY")
    processes = ("FLOW_PROCESSES", "WEB_CONCURRENCY")
    for name in ("FLOW_APP", "FLOW_GRACE", *processes, *recycling):
        monkeypatch.delenv(name, raising=False)


def project(folder: Path, settings: str) -> Project:
    (folder / "pyproject.toml").write_text(f"[tool.flow]\n{settings}\n")
    found = config.find_project(folder)
    assert found
    return found


def test_a_project_is_the_nearest_folder_upwards_that_says_so(tmp_path: Path) -> None:
    inner = tmp_path / "my shop" / "pictures" / "cats"
    inner.mkdir(parents=True)
    (tmp_path / "Procfile").write_text("worker: flow worker\n")
    assert config.find_project(inner) == Project(tmp_path)

    nearer = tmp_path / "my shop"
    (nearer / "pyproject.toml").write_text('[tool.flow]\napp = "shop.tasks"\n')
    found = config.find_project(inner)
    assert found
    assert (found.root, found.app, found.name) == (nearer, ("shop.tasks",), "shop")
    assert found.state == nearer / ".flow"


def test_a_pyproject_without_the_table_is_no_project(tmp_path: Path) -> None:
    (tmp_path / "Procfile").write_text("worker: flow worker\n")
    inner = tmp_path / "lib"
    inner.mkdir()
    (inner / "pyproject.toml").write_text("[tool.other]\n")
    found = config.find_project(inner)
    assert found
    assert found.root == tmp_path


def test_every_setting_is_read(tmp_path: Path) -> None:
    found = project(
        tmp_path,
        'app = ["shop.tasks", "shop.more"]\nname = "till"\nurgent = "express"\n'
        'queues = "low, mail"\nstrict = true\non_crash = "fail"\n'
        "[tool.flow.processes.web]\nready = 'port'",
    )
    assert found == Project(
        root=tmp_path,
        app=("shop.tasks", "shop.more"),
        name="till",
        urgent="express",
        queues=("low", "mail"),
        strict=True,
        on_crash="fail",
        processes={"web": {"ready": "port"}},
    )


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            "ap = 'shop'",
            "has no setting 'ap'; known: app, max_jobs, max_memory, name, on",
        ),
        ("root = '/'", "has no setting 'root'"),
        ("app = 5", "app must be a text or a list of texts, not 5"),
        ("app = 'shop tasks'", "app: 'shop tasks' is no name"),
        ("app = ['shop', '']", "app: '' is no name"),
        ("urgent = ''", "urgent: '' is no name"),
        ("queues = ['a:b']", "queues: 'a:b' is no name"),
        ("strict = 'yes'", "strict must be true or false, not 'yes'"),
        ("on_crash = 'explode'", "on_crash must be one of retry, fail: 'explode'"),
        ("max_jobs = true", "max_jobs must be a whole number from 0 on, not True"),
        ("max_jobs = -1", "max_jobs must be a whole number from 0 on, not -1"),
        ("max_memory = 512", "max_memory must be like 512MB or 1.5GB, not 512"),
        ("max_memory = 'MB'", "max_memory must be like 512MB or 1.5GB, not 'MB'"),
        ("app = ", "cannot be read"),
    ],
)
def test_a_setting_that_cannot_be_is_named_with_its_file(
    tmp_path: Path, settings: str, message: str
) -> None:
    with pytest.raises(ConfigError, match=message) as error:
        project(tmp_path, settings)
    assert str(tmp_path / "pyproject.toml") in str(error.value)
    assert "\n" not in str(error.value)


def test_a_pyproject_of_odd_bytes_is_named(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_bytes(b"[tool.flow]\napp = '\xff'\n")
    with pytest.raises(ConfigError, match=r"pyproject\.toml cannot be read"):
        config.find_project(tmp_path)


def test_a_tool_flow_that_is_no_table_is_refused(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool]\nflow = 5\n")
    with pytest.raises(ConfigError, match=r"\[tool\.flow\] is not a table"):
        config.find_project(tmp_path)


def test_the_app_is_named_by_the_option_then_the_environment_then_the_project(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = project(tmp_path, 'app = "shop.tasks"')
    assert config.with_app(found, None).app == ("shop.tasks",)
    (tmp_path / ".env").write_text("FLOW_APP=from_file.tasks\n")
    assert config.with_app(found, None).app == ("from_file.tasks",)
    monkeypatch.setenv("FLOW_APP", "told.tasks,told.more")
    assert config.with_app(found, None).app == ("told.tasks", "told.more")
    assert config.with_app(found, "given").app == ("given",)
    with pytest.raises(ConfigError, match="--app: 'no name' is no name"):
        config.with_app(found, "no name")


def test_an_app_gives_the_project_its_name_unless_it_has_one(tmp_path: Path) -> None:
    assert config.with_app(Project(tmp_path), "shop.tasks").name == "shop"
    assert config.with_app(Project(tmp_path, name="till"), "shop").name == "till"


def test_the_environment_wins_over_the_projects_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".env").write_text("SHOP_A=file\nSHOP_B=file\nSHOP_C=file\n")
    (tmp_path / ".env.local").write_text("SHOP_B=local\nSHOP_C=local\n")
    monkeypatch.setenv("SHOP_C", "told")
    told = config.environment(Project(tmp_path))
    assert [told[f"SHOP_{n}"] for n in "ABC"] == ["file", "local", "told"]
    assert config.environment(None) == dict(os.environ)


def test_processes_come_from_the_option_then_the_environment_then_the_cpus() -> None:
    both = {"FLOW_PROCESSES": "3", "WEB_CONCURRENCY": "5"}
    assert given.processes(7, both) == Given(7, "--processes")
    assert given.processes(None, both) == Given(3, "FLOW_PROCESSES")
    assert given.processes(None, {"WEB_CONCURRENCY": "5"}).value == 5
    usual = given.processes(None, {"FLOW_PROCESSES": "", "WEB_CONCURRENCY": ""})
    assert usual == Given(min(4, cpus()), "the CPUs here, at most 4")


def test_the_grace_comes_from_the_option_then_the_environment() -> None:
    assert given.grace(0, {"FLOW_GRACE": "8"}) == Given(0, "--grace")
    assert given.grace(None, {"FLOW_GRACE": "8.5"}) == Given(8.5, "FLOW_GRACE")
    assert given.grace(None, {}) == Given(25, "the default")


@pytest.mark.parametrize("text", ["0", "-1", "many", "inf", "nan", "1e999"])
def test_a_number_that_cannot_be_is_named_with_its_variable(text: str) -> None:
    with pytest.raises(
        ConfigError, match="FLOW_PROCESSES must be a whole number from 1"
    ):
        given.processes(None, {"FLOW_PROCESSES": text})
    with pytest.raises(ConfigError, match="FLOW_GRACE must be a number above 0, not"):
        given.grace(None, {"FLOW_GRACE": text})


def test_a_fraction_of_a_process_is_refused() -> None:
    with pytest.raises(ConfigError, match="FLOW_PROCESSES must be"):
        given.processes(None, {"FLOW_PROCESSES": "0.5"})


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"cpu.max": "100000 100000\n"}, 1),
        ({"cpu.max": "50000 100000\n"}, 1),
        ({"cpu.max": "max 100000\n"}, None),
        ({"cpu/cpu.cfs_quota_us": "100000", "cpu/cpu.cfs_period_us": "100000"}, 1),
        ({"cpu/cpu.cfs_quota_us": "-1\n", "cpu/cpu.cfs_period_us": "100000"}, None),
        ({"cpu.max": "999900000 100000\n"}, None),
        ({}, None),
    ],
)
def test_the_cpus_are_those_that_the_container_may_use(
    tmp_path: Path, files: dict[str, str], expected: int | None
) -> None:
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    assert cpus(tmp_path) == (expected or cpus(Path("/nowhere")))


def test_a_worker_says_where_its_numbers_come_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FLOW_PROCESSES", "3")
    found = project(tmp_path, "strict = true\non_crash = 'fail'")
    told = config.worker(found, ("urgent", "default"), {**GIVEN, "grace": 8.0})
    assert (told.queues, told.strict, told.on_crash) == (
        ("urgent", "default"),
        True,
        "fail",
    )
    assert (told.processes, told.threads, told.concurrency) == (3, 1, 100)
    assert told.grace == 8
    assert told.reasons["processes"] == "processes: 3 (FLOW_PROCESSES)"
    assert told.reasons["grace"] == "grace 8 s (--grace)"


def test_recycling_is_told_by_the_option_then_the_environment_then_the_project(
    tmp_path: Path,
) -> None:
    said = project(tmp_path, "max_jobs = 7\nmax_memory = '1.5GB'")
    told = {"FLOW_MAX_JOBS": "9", "FLOW_MAX_MEMORY": "300 mb"}
    assert given.max_jobs(0, told, said) == Given(0, "--max-jobs")
    assert given.max_jobs(None, told, said) == Given(9, "FLOW_MAX_JOBS")
    assert given.max_jobs(None, {}, said) == Given(7, "[tool.flow] max_jobs")
    assert given.max_memory("1kb", told, said) == Given(1024, "--max-memory")
    assert given.max_memory(None, told, said).value == 300 << 20
    assert given.max_memory(None, {}, said).value == 3 << 29
    assert config.worker(said, ("default",), GIVEN).max_memory == 3 << 29


@pytest.mark.parametrize(
    "text", ["512", "MB", "-1MB", "1.MB", "1e3MB", "1TB", "", "²MB"]
)
def test_an_amount_of_memory_that_cannot_be_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="--max-memory must be like 512MB"):
        memory(text, "--max-memory")

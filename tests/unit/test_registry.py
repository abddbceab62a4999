"""The registry, and loading the app's modules."""

from __future__ import annotations

import sys
import textwrap
from typing import TYPE_CHECKING

import pytest

from flow.errors import AppError, InvalidTask
from flow.registry import Declaration, Registry, load_app

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def declared(path: str, **options: object) -> Declaration:
    return Declaration(path, len, **{"name": path, **options})  # type: ignore[arg-type]


def test_a_task_is_found_by_its_path_and_by_its_name() -> None:
    registry = Registry()
    report = declared("shop.tasks.report", name="nightly report")
    registry.add(report)
    assert registry.find("shop.tasks.report") is report
    assert registry.find("nightly report") is report
    assert registry.find("shop.tasks.other") is None


def test_two_tasks_of_one_name_are_refused_and_the_first_stays() -> None:
    registry = Registry()
    registry.add(declared("shop.a.report", name="report"))
    with pytest.raises(
        InvalidTask,
        match=r"two tasks are named 'report': shop\.a\.report and shop\.b\.report;",
    ):
        registry.add(declared("shop.b.report", name="report"))
    assert [task.path for task in registry] == ["shop.a.report"]


def test_a_module_that_is_loaded_again_replaces_its_own_tasks() -> None:
    registry = Registry()
    registry.add(declared("shop.tasks.resize"))
    again = declared("shop.tasks.resize", timeout=3)
    registry.add(again)
    assert list(registry) == [again]


def test_queues_are_listed_once_in_the_order_of_declaration() -> None:
    registry = Registry()
    for number, queue in enumerate(["mail", None, "reports", "mail"]):
        registry.add(declared(f"shop.tasks.t{number}", queue=queue))
    registry.add(declared("shop.tasks.charge", urgent=True))
    assert registry.queues() == ["mail", "reports"]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder whose modules do not stay in this process."""
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    before = set(sys.modules)
    folder = tmp_path / "a project"
    folder.mkdir()
    yield folder
    for name in set(sys.modules) - before:
        del sys.modules[name]


def write(folder: Path, name: str, source: str) -> None:
    path = folder / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(textwrap.dedent(source))


def test_the_apps_modules_are_imported_from_its_folder(project: Path) -> None:
    write(project, "regshop/__init__.py", "")
    write(project, "regshop/tasks.py", "from regshop import more\nDONE = more.DONE\n")
    write(project, "regshop/more.py", "DONE = True\n")
    load_app(["regshop.tasks", "regshop.more"], project)
    assert sys.modules["regshop.tasks"].DONE
    assert str(project) in sys.path
    load_app(["regshop.tasks"], project)
    assert sys.path.count(str(project)) == 1


@pytest.mark.parametrize(
    ("module", "missing"),
    [
        ("regnowhere", "regnowhere"),
        ("regnowhere.tasks", "regnowhere"),
        ("regempty.tasks", "regempty.tasks"),
    ],
)
def test_a_missing_module_is_named_with_where_it_was_looked_for(
    project: Path, module: str, missing: str
) -> None:
    write(project, "regempty/__init__.py", "")
    with pytest.raises(AppError, match=f"there is no module '{missing}'") as error:
        load_app([module], project)
    assert f"looked for {module!r} in {project}" in str(error.value)
    assert "[tool.flow] app" in str(error.value)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (
            "1 / 0",
            r"fails while it is imported: ZeroDivisionError: division by zero \(",
        ),
        (
            "import regdriver",
            r"fails while it is imported: No module named 'regdriver' \(.+\.py:\d+\); ",
        ),
        (
            "import regbad.more",
            "fails while it is imported: No module named 'regbad.mo",
        ),
        ("from json import nothing", "fails while it is imported: ImportError"),
        ("def broken(:", "fails while it is imported: SyntaxError"),
        ("raise SystemExit(3)", r"fails while it is imported: SystemExit: 3 \("),
        ("raise ModuleNotFoundError", "fails while it is imported: "),
    ],
)
def test_a_module_that_fails_is_told_apart_from_a_missing_one(
    project: Path, source: str, message: str
) -> None:
    write(project, "regbad/__init__.py", "")
    write(project, "regbad/tasks.py", source)
    with pytest.raises(
        AppError, match=f"the app's module 'regbad.tasks' {message}"
    ) as e:
        load_app(["regbad.tasks"], project)
    assert "\n" not in str(e.value)


def test_what_flow_refuses_is_told_with_the_apps_own_line(project: Path) -> None:
    write(project, "regwrong.py", "from flow import task\ntask(ttl=0)(print)\n")
    with pytest.raises(AppError, match=r"ttl=0 is too small; .+regwrong\.py:2\)$"):
        load_app(["regwrong"], project)

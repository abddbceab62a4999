from __future__ import annotations

import zipfile
from typing import TYPE_CHECKING

from tests.packaging.projects import ROOT

if TYPE_CHECKING:
    from pathlib import Path

METADATA = {"METADATA", "WHEEL", "RECORD", "entry_points.txt", "licenses/LICENSE"}


def source_files(clone: Path, folder: str) -> set[str]:
    """Name the files of a folder of the repository, not following links."""
    return {
        path.relative_to(clone).as_posix()
        for path in (clone / folder).rglob("*")
        if path.is_file() and not path.is_symlink() and path.suffix != ".pyc"
    }


def contents(wheel: Path) -> list[str]:
    with zipfile.ZipFile(wheel) as archive:
        return archive.namelist()


def test_the_wheel_holds_one_import_package_and_all_of_its_files(
    clone: Path, wheel: Path
) -> None:
    parts = source_files(clone, "workers") | source_files(clone, "scheduler")
    code = source_files(clone, "flow") | {f"flow/{name}" for name in parts}
    about = {name for name in contents(wheel) if ".dist-info/" in name}
    assert set(contents(wheel)) - about == code
    assert {name.split("/", 1)[1] for name in about} == METADATA


def test_no_file_is_in_the_wheel_twice(wheel: Path) -> None:
    assert len(contents(wheel)) == len(set(contents(wheel)))


def test_the_wheel_has_the_scripts_the_typing_mark_and_both_roles(wheel: Path) -> None:
    assert {
        "flow/store/lua/enqueue.lua",
        "flow/py.typed",
        "flow/workers/__init__.py",
        "flow/scheduler/__init__.py",
    } <= set(contents(wheel))


def test_the_wheel_built_from_the_sdist_is_the_same(
    wheel: Path, wheel_of_sdist: Path
) -> None:
    with zipfile.ZipFile(wheel) as one, zipfile.ZipFile(wheel_of_sdist) as other:
        assert {name: one.read(name) for name in one.namelist()} == {
            name: other.read(name) for name in other.namelist()
        }


def test_the_sdist_has_the_folders_but_not_the_links(sdist_folder: Path) -> None:
    assert (sdist_folder / "workers/__init__.py").is_file()
    assert (sdist_folder / "scheduler/__init__.py").is_file()
    assert not (sdist_folder / "flow/workers").exists()
    assert not (sdist_folder / "flow/scheduler").exists()


def test_the_parts_are_links_in_a_clone() -> None:
    assert (ROOT / "flow/workers").readlink().as_posix() == "../workers"
    assert (ROOT / "flow/scheduler").readlink().as_posix() == "../scheduler"

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.packaging.projects import Environment, build, copy_project, run

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="session")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """This repository as it is now: an editor may be at work in the original."""
    return copy_project(tmp_path_factory.mktemp("source") / "clone")


@pytest.fixture(scope="session")
def wheel(clone: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("wheel") / "dist"
    return build("--wheel", source=clone, out=out)


@pytest.fixture(scope="session")
def sdist(clone: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("sdist") / "dist"
    return build("--sdist", source=clone, out=out)


@pytest.fixture(scope="session")
def sdist_folder(sdist: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sdist, unpacked."""
    folder = tmp_path_factory.mktemp("unpacked")
    run("tar", "-xzf", sdist, cwd=folder)
    return folder / sdist.name.removesuffix(".tar.gz")


@pytest.fixture(scope="session")
def wheel_of_sdist(
    sdist_folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    out = tmp_path_factory.mktemp("wheel-of-sdist") / "dist"
    return build("--wheel", source=sdist_folder, out=out)


@pytest.fixture(scope="session")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """The environment of a user who installed the wheel."""
    environment = Environment(tmp_path_factory.mktemp("installed") / "venv")
    environment.install(wheel)
    return environment


@pytest.fixture(scope="session")
def editable(clone: Path, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """The environment of a contributor: `pip install -e` of a clone."""
    environment = Environment(tmp_path_factory.mktemp("editable") / "venv")
    environment.install("-e", clone)
    return environment


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """A user's project, whose own folders have the names of flow's parts."""
    for name in ("workers", "scheduler"):
        package = tmp_path / "shop" / name
        package.mkdir(parents=True)
        (package / "__init__.py").write_text("OWNER = 'shop'\n")
    return tmp_path / "shop"

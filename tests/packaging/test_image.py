from __future__ import annotations

import pytest

from tests.packaging.compose import command_of
from tests.packaging.image import Image, instructions
from tests.packaging.projects import ROOT


@pytest.fixture(scope="session")
def image(tmp_path_factory: pytest.TempPathFactory) -> Image:
    made = Image(tmp_path_factory.mktemp("image"))
    made.replay()
    return made


def test_the_images_steps_make_an_environment_where_the_app_runs(image: Image) -> None:
    where = image.run("python -c 'import sys; print(sys.prefix)'")
    assert where.strip() == str(image.root / "venv")
    image.run("python -c 'import photos.tasks, photos.web'")
    assert "Usage: flow" in image.run("flow --help")


def test_the_image_can_run_the_release_step(image: Image) -> None:
    image.run(command_of("release"))
    assert (image.root / "data/photos.sqlite3").is_file()


def test_the_image_carries_neither_pip_nor_the_sources(image: Image) -> None:
    installed = image.root / "venv/bin"
    assert (installed / "flow").is_file()
    assert not list(installed.glob("pip*"))
    assert {path.name for path in (image.root / "app").iterdir()} == {
        "Procfile",
        "pyproject.toml",
    }


def test_the_image_does_not_run_as_root() -> None:
    words = instructions()
    assert ("USER", "app") in words
    assert words.index(("USER", "app")) > max(
        number for number, (word, _) in enumerate(words) if word == "RUN"
    )


def test_the_builder_is_sent_what_the_image_copies_and_no_more() -> None:
    ignored, *rules = [
        line
        for line in (ROOT / ".dockerignore").read_text().splitlines()
        if line and not line.startswith("#")
    ]
    assert ignored == "*"
    copied = {
        source.removesuffix("/Procfile").removesuffix("/pyproject.toml")
        for word, rest in instructions()
        if word == "COPY" and not rest.startswith("--from=")
        for source in rest.split()[:-1]
    }
    assert {rule[1:] for rule in rules if rule.startswith("!")} == copied

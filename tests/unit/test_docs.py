"""The documents against the code: what one has and the other lacks is an error."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import click
import pytest

from flow import config
from flow.cli import cli
from flow.tasks import CallOptions, TaskOptions
from tests.support.pages import DOCS, ROOT, names, page, section

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PAGES = sorted([*DOCS.rglob("*.md"), ROOT / "README.md", ROOT / "CONTRIBUTING.md"])
LINK = re.compile(r"\]\((?!https?:)([^)\s]+)\)")
CODE_PATH = re.compile(r"`((?:flow|workers|scheduler|tests|examples)/[\w./-]+)`")
FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
ENVIRONMENT = re.compile(
    r'(?:told|shared|environ|environment\(\w+\))(?:\.get\(|\[)"([A-Z_]+)"'
)


def test_every_setting_of_the_project_is_explained() -> None:
    settings = set(config.Project.__dataclass_fields__) - {"root"}
    assert names(section(page("configuration.md"), "## [tool.flow]")) == settings


def test_every_variable_that_flow_reads_or_sets_is_explained() -> None:
    explained = names(section(page("configuration.md"), "## Environment"))
    sources = [
        path
        for folder in ("flow", "workers", "scheduler")
        for path in (ROOT / folder).rglob("*.py")
    ]
    code = "\n".join(path.read_text() for path in sources)
    used = set(re.findall(r"\b(FLOW_[A-Z]+)\b", code)) | set(ENVIRONMENT.findall(code))
    settings = (ROOT / "flow/config").glob("*.py")
    told = "\n".join(path.read_text() for path in settings)
    used |= set(re.findall(r'"([A-Z]+_[A-Z]+)"', told))
    assert used - explained == set()
    unknown = [name for name in explained if f'"{name}"' not in code]
    assert unknown == []


def commands(
    group: click.Group, path: str = "flow"
) -> Iterator[tuple[str, click.Command]]:
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command
        yield f"{path} {name}", command
        if isinstance(command, click.Group):
            yield from commands(command, f"{path} {name}")


def options(command: click.Command) -> set[str]:
    found = [one for one in command.params if isinstance(one, click.Option)]
    return {word for option in found for word in (*option.opts, *option.secondary_opts)}


def test_every_option_of_every_command_is_explained() -> None:
    pages = "\n".join(path.read_text("utf-8") for path in DOCS.glob("*.md"))
    explained = set(re.findall(r"`(?:[^`]* )?(--?[a-z][\w-]*)[^`]*`", pages))
    missing = {path: options(command) - explained for path, command in commands(cli)}
    assert {path: words for path, words in missing.items() if words} == {}


@pytest.mark.parametrize("role", ["worker", "clock", "health", "redis"])
def test_the_configuration_has_just_the_options_of_each_role(role: str) -> None:
    explained = names(section(page("configuration.md"), f"### flow {role}"))
    known: set[str] = set()
    for path, command in commands(cli):
        # The commands of a group stand below it.
        known |= options(command) if path.split()[1] == role else set()
    assert explained == known


@pytest.mark.parametrize(
    ("heading", "known"),
    [("### Options of a task", TaskOptions), ("### Options of one call", CallOptions)],
)
def test_every_option_of_a_task_is_explained(
    heading: str, known: type[TaskOptions | CallOptions]
) -> None:
    assert names(section(page("tasks.md"), heading)) == set(known.__annotations__)


def anchors(text: str) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", FENCE.sub("", text), re.MULTILINE)
    return {
        re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")
        for heading in headings
    }


@pytest.mark.parametrize("source", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_and_every_path_leads_somewhere(source: Path) -> None:
    text = FENCE.sub("", source.read_text("utf-8"))
    broken = [path for path in CODE_PATH.findall(text) if not (ROOT / path).exists()]
    for link in LINK.findall(text):
        target, _, anchor = link.partition("#")
        path = (source.parent / target).resolve() if target else source
        if not path.exists() or (
            anchor and anchor not in anchors(path.read_text("utf-8"))
        ):
            broken.append(link)
    assert broken == []


def test_the_index_names_every_page() -> None:
    linked = {(DOCS / link).resolve() for link in LINK.findall(page("README.md"))}
    pages = set(DOCS.glob("*.md")) - {DOCS / "README.md"}
    assert linked == {*pages, DOCS / "decisions"}


def test_every_decision_has_its_number_and_says_what_was_decided() -> None:
    for path in (DOCS / "decisions").glob("*.md"):
        number, text = int(path.name[:4]), path.read_text("utf-8")
        assert text.startswith(f"# {number}. "), path.name
        assert "\n**Decided**: " in text, path.name


def test_every_test_that_a_page_names_exists() -> None:
    text = "\n".join(source.read_text("utf-8") for source in PAGES)
    named = set(re.findall(r"`(test_\w+)`", text))
    sources = (file.read_text("utf-8") for file in (ROOT / "tests").rglob("test_*.py"))
    known = set(re.findall(r"^def (test_\w+)", "\n".join(sources), re.MULTILINE))
    assert named
    assert named <= known

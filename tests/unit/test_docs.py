"""The documents against the code: what one has and the other lacks is an error."""

from __future__ import annotations

import inspect
import re
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING

import click
import pytest

from flow import config, keys
from flow.cli import cli
from flow.record import Status
from flow.tasks import CallOptions, TaskOptions

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
LUA = ROOT / "flow" / "store" / "lua"
PAGES = sorted([*DOCS.rglob("*.md"), ROOT / "README.md", ROOT / "CONTRIBUTING.md"])
LINK = re.compile(r"\]\((?!https?:)([^)\s]+)\)")
CODE_PATH = re.compile(r"`((?:flow|workers|scheduler|tests|examples)/[\w./-]+)`")
FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
ENVIRONMENT = re.compile(r'(?:told|shared|environ)(?:\.get\(|\[)"([A-Z_]+)"')


def page(name: str) -> str:
    return (DOCS / name).read_text("utf-8")


def section(text: str, heading: str) -> str:
    """Return what stands below a heading, down to the next one of its rank."""
    rank = heading.partition(" ")[0]
    _, found, below = f"\n{text}".partition(f"\n{heading}\n")
    assert found, f"there is no {heading!r}"
    return re.split(rf"\n#{{1,{len(rank)}}} ", below)[0]


def first_column(text: str) -> list[list[str]]:
    """Return the words in backticks in the first cell of each row of the tables."""
    cells = re.findall(r"^\|([^|]*)\|", text, re.MULTILINE)
    return [words for cell in cells if (words := re.findall(r"`([^`]+)`", cell))]


def names(text: str) -> set[str]:
    return {word for words in first_column(text) for word in words}


def anonymous(key: str) -> str:
    return re.sub(r"<\w+>", "*", key)


def documented_keys() -> set[str]:
    return {
        anonymous(key)
        for key in names(section(page("keys-and-scripts.md"), "## Keys"))
        if ":" in key
    }


def python_keys() -> set[str]:
    """Return what flow/keys.py makes, a star for each argument."""
    made = {
        value
        for value in vars(keys).values()
        if isinstance(value, str) and value.startswith(("rq:", "flow:"))
    }
    for function in vars(keys).values():
        if inspect.isfunction(function):
            made.add(function(*["*" for _ in inspect.signature(function).parameters]))
    return made


def lua_keys() -> set[str]:
    """Return how the keys begin that the scripts make."""
    text = "\n".join(path.read_text() for path in LUA.rglob("*.lua"))
    return set(re.findall(r"'((?:rq|flow):[a-z][\w:]*)'", text))


def test_every_key_of_the_code_is_in_the_catalogue() -> None:
    documented = documented_keys()
    missing = [
        key
        for key in python_keys()
        if not any(fnmatchcase(row, key) for row in documented)
    ]
    missing += [
        key for key in lua_keys() if not any(row.startswith(key) for row in documented)
    ]
    assert missing == []


def test_every_key_of_the_catalogue_is_in_the_code() -> None:
    registry = keys.registry("*", "*")
    patterns = python_keys() - {registry} | {
        keys.registry(status, "*") for status in Status
    }
    begins = tuple(key for key in lua_keys() if key.endswith(":"))
    unknown = [
        row
        for row in documented_keys()
        if not row.startswith(begins)
        and not any(fnmatchcase(row, key) for key in patterns)
    ]
    assert unknown == []


def test_every_field_that_flow_adds_to_a_job_is_explained() -> None:
    sources = [*LUA.rglob("*.lua"), ROOT / "flow" / "codec.py"]
    written = set(
        re.findall(
            r"['\"](flow_\w+)['\"]", "\n".join(path.read_text() for path in sources)
        )
    )
    explained = section(
        page("keys-and-scripts.md"), "### Fields of a job's hash that are flow's"
    )
    # A name that no hash has: it asks for nothing in the place of a large payload.
    assert names(explained) == written - {"flow_none"}


def test_every_script_and_every_part_is_explained() -> None:
    text = page("keys-and-scripts.md")
    scripts = set(re.findall(r"^### (.+)$", section(text, "## Scripts"), re.MULTILINE))
    assert scripts == {path.stem for path in LUA.glob("*.lua")}
    assert names(section(text, "## Parts")) == {
        path.stem for path in (LUA / "parts").glob("*.lua")
    }


def test_every_state_is_explained_and_every_transition_names_scripts() -> None:
    text = page("states.md")
    assert names(section(text, "## The states")) == set(Status)
    for row in re.findall(
        r"^\|.*\|$", section(text, "## The transitions"), re.MULTILINE
    )[2:]:
        by = row.rsplit("|", 2)[1]
        scripts = re.findall(r"`(\w+)`", by) or [by.strip()]
        assert set(scripts) <= {path.stem for path in LUA.glob("*.lua")} | {
            "the server, by itself"
        }


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
        if isinstance(command, click.Group) and command.commands:
            yield from commands(command, f"{path} {name}")
        else:
            yield f"{path} {name}", command


def options(command: click.Command) -> set[str]:
    found = [one for one in command.params if isinstance(one, click.Option)]
    return {word for option in found for word in (*option.opts, *option.secondary_opts)}


def test_every_option_of_every_command_is_explained() -> None:
    text = section(page("configuration.md"), "## Commands")
    explained = {
        heading: names(section(text, f"### {heading}"))
        for heading in re.findall(r"^### (.+)$", text, re.MULTILINE)
    }
    known: dict[str, set[str]] = {}
    for path, command in commands(cli):
        heading = path if path in explained else path.rpartition(" ")[0]
        known.setdefault(heading, set()).update(options(command))
        assert path in text, f"{path} is nowhere"
    assert explained == known


@pytest.mark.parametrize(
    ("heading", "known"),
    [("### Options of a task", TaskOptions), ("### Options of one call", CallOptions)],
)
def test_every_option_of_a_task_is_explained(
    heading: str, known: type[TaskOptions] | type[CallOptions]
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
    linked = {
        (DOCS / link.partition("#")[0]).resolve()
        for link in LINK.findall(page("README.md"))
    }
    assert linked == set(DOCS.rglob("*.md")) - {DOCS / "README.md"}


def test_decisions_are_numbered_without_a_gap() -> None:
    for number, path in enumerate(sorted((DOCS / "decisions").glob("*.md")), start=1):
        assert path.name.startswith(f"{number:04}-")
        assert path.read_text("utf-8").startswith(f"# {number}. ")

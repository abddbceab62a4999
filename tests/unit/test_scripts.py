"""The scripts and the parts that they are put together from."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from flow.store.scripts import USE

LUA = Path(__file__).parents[2] / "flow/store/lua"
SCRIPTS = sorted(path.stem for path in LUA.glob("*.lua"))
DEFINED = re.compile(r"^local (?:function )?(\w+)", re.MULTILINE)


def code(path: str) -> str:
    return re.sub(r"--.*", "", (LUA / path).read_text())


PARTS = {path.stem: code(f"parts/{path.name}") for path in LUA.glob("parts/*.lua")}
GIVES = {name: set(DEFINED.findall(text)) for name, text in PARTS.items()}


def words(text: str) -> set[str]:
    return set(re.findall(r"\w+", text))


def reached(text: str, named: list[str]) -> set[str]:
    """Return the parts that a text rests on, those of its parts among them."""
    found: set[str] = set()
    todo = [text]
    while todo:
        used = words(todo.pop())
        new = {part for part in named if part not in found and GIVES[part] & used}
        found |= new
        todo += [PARTS[part] for part in new]
    return found


@pytest.mark.parametrize("script", SCRIPTS)
def test_a_script_names_the_parts_that_it_rests_on_and_no_others(script: str) -> None:
    use = USE.search((LUA / f"{script}.lua").read_text())
    named = use[1].split() if use else []
    text = code(f"{script}.lua")
    assert reached(text, named) == set(named)
    own = set(re.findall(r"local function (\w+)", text))
    known = own.union(*(GIVES[part] for part in named))
    called = set(re.findall(r"\b(\w+)\(", text))
    of_parts = set().union(*GIVES.values())
    assert called & of_parts <= known


def test_each_part_is_used() -> None:
    texts = [(LUA / f"{script}.lua").read_text() for script in SCRIPTS]
    named = {
        part for text in texts if (use := USE.search(text)) for part in use[1].split()
    }
    assert named == set(PARTS)

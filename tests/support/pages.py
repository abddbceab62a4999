"""The documents, as tests read them."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"


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


def acl() -> list[str]:
    """Return the rights of the user that the security page describes."""
    (rule,) = re.findall(r"^```acl\n([^`]*)^```", page("security.md"), re.MULTILINE)
    words: list[str] = rule.split()
    assert words[:2] == ["user", "app"]
    return words[2:]

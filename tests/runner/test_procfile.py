from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flow.errors import ProcfileError
from flow.runner.declared import procfile

if TYPE_CHECKING:
    from pathlib import Path

NAMES = st.from_regex(r"[A-Za-z0-9_-]+", fullmatch=True).filter(
    lambda name: name != procfile.RELEASE
)
COMMANDS = st.text(
    st.characters(exclude_characters="\0\r\n", exclude_categories=["Cs"]), min_size=1
).filter(lambda command: command.lstrip() == command)

# One row a rule of docs/procfile.md: the text, and the command of web.
ACCEPTED = [
    ("web: run", "run"),
    ("web:run", "run"),
    ("web:\t run", "run"),
    ("web: run  # not a comment", "run  # not a comment"),
    ("web: A=1 b && c", "A=1 b && c"),
    ("web: echo a: b", "echo a: b"),
    ("# web: other\n\n  # more\n\t\nweb: run", "run"),
    ("web: run\r\nworker: work\r\n", "run"),
    ("\ufeffweb: run", "run"),
    ("web: run\\", "run\\"),
    ("web: echo ü\u2028x\x0cy", "echo ü\u2028x\x0cy"),
]
REFUSED = [
    ("web run", "1:4"),
    ("web", "1:4"),
    (" web: run", "1:1"),
    (": run", "1:1"),
    ("we b: run", "1:3"),
    ("wéb: run", "1:2"),
    ("web.1: run", "1:4"),
    ("worker: x\nweb:", "2:5"),
    ("web:   ", "1:5"),
    ("web: a\0b", "1:7"),
    ("web: a\rworker: b", "1:7"),
    ("web: a\n\nweb: b", "3:1"),
]


@pytest.mark.parametrize(("text", "command"), ACCEPTED)
def test_a_line_means_what_the_table_says(text: str, command: str) -> None:
    assert procfile.parse(text, "Procfile").require("web").command == command


@pytest.mark.parametrize(("text", "place"), REFUSED)
def test_a_wrong_line_is_named_with_its_column(text: str, place: str) -> None:
    with pytest.raises(ProcfileError, match=f"^Procfile:{place}: "):
        procfile.parse(text, "Procfile")


def test_a_name_twice_names_both_lines() -> None:
    with pytest.raises(ProcfileError, match=r"^P:3:1: web is already on line 1$"):
        procfile.parse("web: a\nworker: b\nweb: c\n", "P")


@pytest.mark.parametrize("text", ["", "# nothing\n", "release: migrate\n"])
def test_a_procfile_without_a_process_is_refused(text: str) -> None:
    with pytest.raises(ProcfileError, match="declares no process"):
        procfile.parse(text, "Procfile")


@given(st.dictionaries(NAMES, COMMANDS, min_size=1), st.sampled_from(["\n", "\r\n"]))
def test_what_is_written_is_read_in_its_order(
    entries: dict[str, str], newline: str
) -> None:
    text = "".join(f"{name}: {entries[name]}{newline}" for name in entries)
    read = procfile.parse(text, "Procfile").types
    assert [(entry.name, entry.command) for entry in read] == list(entries.items())


@given(st.text())
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        assert procfile.parse(text, "Procfile").types
    except ProcfileError as error:
        assert "Procfile" in str(error)  # noqa: PT017 - both outcomes are right


def test_release_is_no_process() -> None:
    listed = procfile.parse("release: migrate\nweb: run\n", "Procfile")
    assert [entry.name for entry in listed.types] == ["web"]
    with pytest.raises(ProcfileError, match="release is no process"):
        listed.require("release")


def test_an_unknown_process_names_the_known_ones() -> None:
    listed = procfile.parse("web: run\nworker: work\n", "Procfile")
    with pytest.raises(ProcfileError, match=r"no process 'wrk'; it has: web, worker"):
        listed.require("wrk")


def test_a_missing_procfile_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(ProcfileError, match="flow init proposes one"):
        procfile.read(tmp_path / "Procfile")


def test_a_procfile_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    binary = tmp_path / "Procfile"
    binary.write_bytes("web: é\na: é".encode() + b"\xff")
    with pytest.raises(ProcfileError, match=f"{binary}:2:5: this byte is not UTF-8"):
        procfile.read(binary)
    with pytest.raises(ProcfileError, match="Is a directory"):
        procfile.read(tmp_path)

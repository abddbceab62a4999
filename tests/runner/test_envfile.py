from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flow import envfile
from flow.errors import EnvFileError

if TYPE_CHECKING:
    from pathlib import Path

NAMES = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,10}", fullmatch=True)
TEXT = st.text(st.characters(exclude_characters="\0\r", exclude_categories=["Cs"]))

# One row a rule of docs/env.md.
ACCEPTED = [
    ("A=1", "1"),
    ("A=", ""),
    ("A = 1", "1"),
    ("  A=1", "1"),
    ("export A=1", "1"),
    ("A=foo bar baz", "foo bar baz"),
    ("A=foo  ", "foo"),
    ("A=it's", "it's"),
    ("A=a#b", "a#b"),
    ("A=a # comment", "a"),
    ("A='a # b' # comment", "a # b"),
    ('A="a # b"', "a # b"),
    ('A="two\nlines"', "two\nlines"),
    ("A='two\nlines'", "two\nlines"),
    (r'A="a\nb"', "a\nb"),
    (r"A='a\nb'", r"a\nb"),
    (r'A="say \"hi\""', 'say "hi"'),
    (r"A=C:\new", r"C:\new"),
    ("A=${HOME_DIR}/x", "/home/me/x"),
    ('A="${HOME_DIR}/x"', "/home/me/x"),
    ("A='${HOME_DIR}/x'", "${HOME_DIR}/x"),
    ("A=${NOWHERE}", ""),
    ("A=${NOWHERE:-d}", "d"),
    ("A=${EMPTY:-d}", "d"),
    ("A=${HOME_DIR:-d}", "/home/me"),
    ("A=pa$$word$1", "pa$$word$1"),
    ("A=$HOME_DIR", "$HOME_DIR"),
    ("A=1\r\n", "1"),
    ("\ufeffA=1", "1"),
    ("# comment\n\n   # another\nA=1", "1"),
    ("A=1\nA=2", "2"),
    ("A=ü", "ü"),
    ("B=1\nA=${B}2", "12"),
]
REFUSED = [
    ("A", "1:2"),
    ("A=1\nB C", "2:4"),
    ("\n\n1A=2", "3:1"),
    ("  export A-B=1", "1:10"),
    ("A B=1", "1:1"),
    ("é=1", "1:1"),
    ("  =1", "1:3"),
    ('A="open', "1:3"),
    ("B=1\nA='open\nC=2", "2:3"),
    ('A="a" b', "1:3"),
    ("A=${B:-${C}}", "1:3"),
    ("A=${B} ${B:?}", "1:8"),
    ("A=${", "1:3"),
    ('A="x\n${B} ${"', "2:6"),
    (r'A="\${B}"', "1:4"),
    ("A=a\0b", "1:4"),
]


@pytest.mark.parametrize(("text", "value"), ACCEPTED)
def test_a_line_means_what_the_table_says(text: str, value: str) -> None:
    real = {"HOME_DIR": "/home/me", "EMPTY": ""}
    assert envfile.parse(text, ".env", above=real)["A"] == value


@pytest.mark.parametrize(("text", "place"), REFUSED)
def test_a_wrong_line_is_named_with_its_column(text: str, place: str) -> None:
    with pytest.raises(EnvFileError, match=rf"^shop/\.env:{place}: "):
        envfile.parse(text, "shop/.env")


@pytest.mark.parametrize("text", ["S3CRET", "-S3CRET=S3CRET", 'A="S3CRET" x'])
def test_a_message_shows_nothing_of_the_line(text: str) -> None:
    with pytest.raises(EnvFileError) as caught:
        envfile.parse(text, ".env")
    assert "S3CRET" not in str(caught.value)


@given(st.dictionaries(NAMES, TEXT))
def test_what_is_in_single_quotes_comes_back_as_it_is(values: dict[str, str]) -> None:
    def quoted(text: str) -> str:
        return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"

    text = "\n".join(f"{name}={quoted(value)}" for name, value in values.items())
    assert envfile.parse(text, ".env") == values


@given(TEXT)
def test_any_text_is_read_or_refused_with_a_line(text: str) -> None:
    try:
        values = envfile.parse(text, ".env")
    except EnvFileError as error:
        assert str(error).startswith(".env:")  # noqa: PT017 - both outcomes are right
    else:
        assert all(name.isidentifier() for name in values)


def test_a_later_file_wins_and_sees_the_earlier_one(tmp_path: Path) -> None:
    first, second = envfile.files(tmp_path)
    first.write_text("A=1\nB=2\n")
    second.write_text("B=3\nC=${A}${B}\n")
    assert envfile.read(first, second, environ={}) == {"A": "1", "B": "3", "C": "13"}


def test_a_reference_sees_what_the_process_will_see(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("A=file\nB=${A}\n")
    path, real = tmp_path / ".env", {"A": "real"}
    assert envfile.read(path, environ=real)["B"] == "real"
    assert envfile.read(path, environ=real, override=True)["B"] == "file"


def test_a_missing_file_is_an_error_only_if_it_was_asked_for(tmp_path: Path) -> None:
    missing = tmp_path / ".env.test"
    assert envfile.read(missing) == {}
    with pytest.raises(EnvFileError, match=r"\.env\.test: there is no such file"):
        envfile.read(missing, required=True)


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    folder, binary = tmp_path / "folder", tmp_path / "binary"
    folder.mkdir()
    binary.write_bytes("A=1\nB=é".encode() + b"\xff\xfe")
    reasons = {folder: ": Is a directory", binary: ":2:4: this byte is not UTF-8"}
    for path, reason in reasons.items():
        with pytest.raises(EnvFileError, match=f"{path}{reason}"):
            envfile.read(path)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_permission_is_named(tmp_path: Path) -> None:
    path = tmp_path / ".env"
    path.touch(mode=0)
    with pytest.raises(EnvFileError, match="Permission denied"):
        envfile.read(path)

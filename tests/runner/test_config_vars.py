"""What config vars may be, and how they are written down and read again."""

from __future__ import annotations

import json
import shlex
import subprocess
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flow.errors import ConfigError
from flow.runner.releases import configvars, edited, written
from flow.runner.releases.store import ReleaseStore

if TYPE_CHECKING:
    from pathlib import Path

SECRET = "canary-7f3a"  # noqa: S105 - what must not be seen
NAMES = st.from_regex(r"[A-Z][A-Z0-9_]{0,8}", fullmatch=True)
# What quoting goes wrong with, more often than by chance.
AWKWARD = st.text("ab '\"\\\n\r\t#${}=é\u2028\x1b", max_size=12)
VALUES = AWKWARD | st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12
)


@pytest.mark.parametrize("name", ["A", "a1", "_A", "A__B", "HEROKU", "X_HEROKU_"])
def test_a_name_has_letters_digits_and_underscores(name: str) -> None:
    assert configvars.assignments([f"{name}=x"]) == {name: "x"}


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("", "argument 2: .* only letters"),
        ("1A", "argument 2: .* no digit first"),
        ("A-B", "argument 2: .* only letters"),
        ("A B", "argument 2: .* only letters"),
        ("Ä", "argument 2: .* only letters"),
        ("A\n", "argument 2: .* only letters"),
        ("__A", "__A: .* does not begin with __"),
        ("HEROKU_A", "HEROKU_A: .* does not begin with HEROKU_"),
    ],
)
def test_a_name_that_cannot_be_is_one_clear_error(name: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message) as caught:
        configvars.assignments(["B=1", f"{name}={SECRET}"])
    assert SECRET not in str(caught.value)


def test_a_secret_that_was_mistyped_as_a_name_is_not_shown() -> None:
    for word in (SECRET, f"postgres://me:{SECRET}@host/db?ssl=1"):
        with pytest.raises(ConfigError, match=r"^argument 1") as caught:
            configvars.assignments([word])
        assert SECRET not in str(caught.value)


@pytest.mark.parametrize("value", ["", "=", "a=b", "x\ny", "é'\"#", " a "])
def test_a_value_is_whatever_follows_the_first_equals_sign(value: str) -> None:
    assert configvars.assignments([f"A={value}"]) == {"A": value}


@pytest.mark.parametrize(
    ("value", "message"),
    [("a\0b", "A: its value holds a NUL"), ("\udcff", "A: its value is no UTF-8")],
)
def test_a_value_that_no_process_could_get_is_refused(value: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        configvars.assignments([f"A={value}"])


@pytest.mark.parametrize("letter", ["x", "é"])
def test_64_kb_of_names_and_values_are_kept_and_not_a_byte_more(
    tmp_path: Path, letter: str
) -> None:
    store = ReleaseStore(tmp_path / ".flow")
    room = (64 << 10) - len("SECOND") - len("A1")
    value = letter * (room // len(letter.encode()))
    full = configvars.change(store, {"SECOND": value, "A": "1"})
    assert full
    assert configvars.size(full.config) == 64 << 10
    with pytest.raises(ConfigError, match=r"65,537 bytes.*at most 65,536.*SECOND \("):
        configvars.change(store, {"A": "12"})
    assert store.config() == full.config
    assert configvars.change(store, {"A": ""})


def test_a_change_is_a_release_that_says_what_it_did(tmp_path: Path) -> None:
    store = ReleaseStore(tmp_path / ".flow")
    configvars.change(store, {"A": "1", "B": "2"})
    configvars.change(store, {"B": None, "NONE": None})
    configvars.change(store, {"A": None, "C": "3"})
    many = {f"N{number}": "x" for number in range(12)}
    configvars.change(store, many)
    assert configvars.change(store, {"C": "3", "NONE": None}) is None
    assert [one.what for one in store.all()] == [
        f"Set {', '.join(list(many)[:10])} and 2 more config vars",
        "Set C; Remove A config vars",
        "Remove B config vars",
        "Set A, B config vars",
    ]


def test_a_change_keeps_the_code_and_the_formation(tmp_path: Path) -> None:
    store = ReleaseStore(tmp_path / ".flow")
    store.succeed(
        store.begin(what="Deploy", commit="1a2b", tree="trees/1", formation={"web": 2})
    )
    release = configvars.change(store, {"A": "1"})
    assert release
    assert (release.commit, release.tree) == ("1a2b", "trees/1")
    assert (release.config, release.formation) == ({"A": "1"}, {"web": 2})


@given(st.dictionaries(NAMES, VALUES, max_size=4))
def test_what_is_exported_is_imported_byte_for_byte(config: dict[str, str]) -> None:
    assert written.read(written.as_json(config), "x", {}) == config
    try:
        text = written.as_env(config)
    except ConfigError:
        # Single quotes keep ${ from being expanded, and have no escape for CRLF.
        assert any("\r" in value for value in config.values())
    else:
        assert written.read(text, "x", {"A": "another"}) == config


def test_a_value_without_a_form_in_env_files_is_named() -> None:
    with pytest.raises(ConfigError, match=r"^A has a value .* export it as JSON"):
        written.as_env({"A": f"{SECRET}${{\r\n"})


def test_values_of_every_kind_have_a_form_in_env_files() -> None:
    kinds = ["", " a", "it's", '"a"', "a #b", "${A}", "$A", "a\nb'c\"", "C:\\new", "\\"]
    config = {f"V{number}": value for number, value in enumerate(kinds)}
    assert written.read(written.as_env(config), "x", {}) == config


def test_an_imported_env_file_is_read_as_flow_reads_one() -> None:
    text = "\ufeffexport A=1 # one\r\nB=\"${A} ${HOME}\"\nC='${A}'\n"
    found = written.read(text, "x.env", {"HOME": "/h"})
    assert found == {"A": "1", "B": "1 /h", "C": "${A}"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (f"A=1\nB='{SECRET}", r"^x:2:3: a quote is left open"),
        (f"A=1\n{SECRET}", r"^x:2:12: there is no '='"),
        (f"__A={SECRET}", r"^__A: .* does not begin with __"),
        (f'{{\n"A": "{SECRET}}}', r"^x:2: this is no JSON object"),
        (f'{{"A": ["{SECRET}"]}}', r"^x: entry 1: its value is no text"),
        ('{"A": ' + "[" * 100_000, r"^x:? ?.*(no JSON object|no text)"),
        (f'{{"B": "", "{SECRET}": ""}}', r"^x: entry 2: the name"),
        (f'{{"A": "{SECRET}\\u0000"}}', r"^A: its value holds a NUL"),
        (f'{{"A": "{SECRET}\\ud800"}}', r"^A: its value is no UTF-8"),
    ],
)
def test_what_cannot_be_imported_is_named_and_not_shown(
    text: str, message: str
) -> None:
    with pytest.raises(ConfigError, match=message) as caught:
        written.read(text, "x", {})
    assert SECRET not in str(caught.value)


def test_a_shell_reads_what_is_printed_for_it() -> None:
    value = 'it\'s\n$HOME \\ "x"'
    line = f'A={shlex.quote(value)}; printf %s "$A"'
    assert subprocess.check_output(["sh", "-c", line], text=True) == value


def test_an_editor_gets_a_private_file_and_what_differs_is_returned(
    tmp_path: Path,
) -> None:
    store = ReleaseStore(tmp_path / ".flow")
    current = configvars.change(store, {"A": SECRET, "B": "2"})
    editor = tmp_path / "editor"
    editor.write_text(
        "#!/bin/sh\n"
        f'ls -ld "$1" > {tmp_path}/seen; ps -f -p $$ >> {tmp_path}/seen\n'
        f'cat "$1" > {tmp_path}/text; cp "$1" "$1~"; echo C=3 >> "$1"\n'
        'sed -i /^B/d "$1"\n'
    )
    editor.chmod(0o755)
    changes = edited.edit(tmp_path / ".flow", current, str(editor), _never)
    assert changes == {"C": "3", "B": None}
    assert (tmp_path / "seen").read_text().startswith("-rw-------")
    assert SECRET not in (tmp_path / "seen").read_text()
    assert (tmp_path / "text").read_text().endswith(f"\nA={SECRET}\nB=2\n")
    assert not (tmp_path / ".flow" / "edit").exists()


def test_an_edited_text_with_a_mistake_is_edited_again_or_dropped(
    tmp_path: Path,
) -> None:
    told: list[str] = []

    def again(wrong: str) -> bool:
        told.append(wrong)
        return len(told) < 2

    changes = edited.edit(tmp_path / ".flow", None, "sh -c 'echo A >> $0'", again)
    assert changes == {}
    assert told == ["config.env:3:2: there is no '='; write NAME=value"] * 2


@pytest.mark.parametrize(
    ("editor", "message"),
    [
        ("false", "the editor 'false' ended with 1; nothing changes"),
        ("no-such-editor", "cannot be started: .*; set EDITOR"),
        ("'", "cannot be started"),
    ],
)
def test_an_editor_that_fails_changes_nothing(
    tmp_path: Path, editor: str, message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        edited.edit(tmp_path / ".flow", None, editor, _never)
    assert not (tmp_path / ".flow" / "edit").exists()


def test_an_emptied_file_removes_nothing_and_json_is_edited_where_it_must_be(
    tmp_path: Path,
) -> None:
    folder = tmp_path / ".flow"
    store = ReleaseStore(folder)
    current = configvars.change(store, {"A": "${\r\n", "B": "2"})
    assert edited.edit(folder, current, "truncate -s 0", _never) == {}
    sed = "sed -i s/2/3/"
    assert edited.edit(folder, current, sed, _never) == {"B": "3"}
    assert json.loads(written.as_json(store.config()))["A"] == "${\r\n"


def _never(wrong: str) -> bool:
    raise AssertionError(wrong)

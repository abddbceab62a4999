r"""The published cases of honcho's own tests, replayed where flow agrees.

The cases follow tests/test_environ.py of honcho 2.0.0, Copyright (c) 2012-2024
Nick Stenning, MIT licence. Where flow differs on purpose, the reason stands beside
the case, and in docs/procfile.md and docs/env.md.
"""

from __future__ import annotations

import pytest

from flow import envfile
from flow.errors import EnvFileError, ProcfileError
from flow.runner.declared import formation, procfile

SAME_ENV = [
    ("FOO=bar\n", {"FOO": "bar"}),
    ("FOO=bar\nBAZ=qux\n", {"FOO": "bar", "BAZ": "qux"}),
    ("FOO=bar", {"FOO": "bar"}),
    ("#commented: command\n", {}),
    ("MYVAR='hello\"world'\n", {"MYVAR": 'hello"world'}),
    ('MYVAR="hello\'world"\n', {"MYVAR": "hello'world"}),
    ("MYVAR='\"surrounded\"'\n", {"MYVAR": '"surrounded"'}),
    ("MYVAR=user@domain.com\n", {"MYVAR": "user@domain.com"}),
    ("MYVAR=~pun|u@|0n$=\n", {"MYVAR": "~pun|u@|0n$="}),
    ("MYVAR=⋃ñᴉ—☪ó∂ǝ\n", {"MYVAR": "⋃ñᴉ—☪ó∂ǝ"}),  # noqa: RUF001 - honcho's case
    ("MYVAR='sp ace'\n", {"MYVAR": "sp ace"}),
    (r"NEWLINES='foo\nbar'", {"NEWLINES": r"foo\nbar"}),
    (r"TABS='foo\tbar'", {"TABS": r"foo\tbar"}),
    (r"DOLLAR='foo\$bar'", {"DOLLAR": r"foo\$bar"}),
]
OTHER_ENV = [
    # honcho: "escaped"; a backslash outside quotes is a letter, as in Windows' paths.
    (r"MYVAR=\"escaped\"", {"MYVAR": r"\"escaped\""}),
]
REFUSED_ENV = [
    "-foo=command\n",  # honcho skips it: the variable is missing without a word
    "ṀẎṾẠṚ=value\n",  # likewise; no shell could read the name
]
SAME_PROCFILE = [
    ("web: command\n", {"web": "command"}),
    (
        "foo: python foo.py\nbar: python bar.py\n",
        {"foo": "python foo.py", "bar": "python bar.py"},
    ),
    ("web: command", {"web": "command"}),
    ("-foo_bar: command\n", {"-foo_bar": "command"}),
    (
        'web: sh -c "echo $FOOBAR" >/dev/null 2>&1\n',
        {"web": 'sh -c "echo $FOOBAR" >/dev/null 2>&1'},
    ),
    (
        "\none: onecommand\ntwo: twocommand\nthree: twocommand\nfour: fourcommand\n",
        {
            "one": "onecommand",
            "two": "twocommand",
            "three": "twocommand",
            "four": "fourcommand",
        },
    ),
]
REFUSED_PROCFILE = [
    "#commented: command\n",  # honcho starts nothing and ends with 0
    "+foo: command\n",  # honcho skips it: the process is missing without a word
    "foo: echo 123\nfoo: echo 123\n",  # honcho refuses it, too
]
FORMATIONS = [
    ("foo: c", "", 5001, [("foo.1", 5001)]),
    ("foo: c\nbar: d", "", 8000, [("foo.1", 8000), ("bar.1", 8100)]),
    ("foo: c", "foo=3", 5001, [("foo.1", 5001), ("foo.2", 5002), ("foo.3", 5003)]),
    (
        "foo: c\nbar: d",
        "foo=3,bar=2",
        4000,
        [
            ("foo.1", 4000),
            ("foo.2", 4001),
            ("foo.3", 4002),
            ("bar.1", 4100),
            ("bar.2", 4101),
        ],
    ),
]


@pytest.mark.parametrize(("text", "values"), [*SAME_ENV, *OTHER_ENV])
def test_env_files_of_honcho_are_read(text: str, values: dict[str, str]) -> None:
    assert envfile.parse(text, ".env") == values


@pytest.mark.parametrize("text", REFUSED_ENV)
def test_what_honcho_skips_in_env_is_refused(text: str) -> None:
    with pytest.raises(EnvFileError):
        envfile.parse(text, ".env")


@pytest.mark.parametrize(("text", "commands"), SAME_PROCFILE)
def test_procfiles_of_honcho_are_read(text: str, commands: dict[str, str]) -> None:
    found = procfile.parse(text, "Procfile").types
    assert [(entry.name, entry.command) for entry in found] == list(commands.items())


@pytest.mark.parametrize("text", REFUSED_PROCFILE)
def test_what_honcho_skips_in_a_procfile_is_refused(text: str) -> None:
    with pytest.raises(ProcfileError):
        procfile.parse(text, "Procfile")


@pytest.mark.parametrize(("text", "wanted", "base", "found"), FORMATIONS)
def test_formations_and_ports_are_honchos(
    text: str, wanted: str, base: int, found: list[tuple[str, int]]
) -> None:
    counts = formation.counts(wanted) if wanted else {}
    made = formation.instances(procfile.parse(text, "Procfile"), (), counts, base)
    assert [(one.name, one.port) for one in made] == found

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from flow.cli import cli
from flow.runner.declared import platforms, procfile
from flow.runner.declared.check import check

if TYPE_CHECKING:
    from pathlib import Path

# The text, the place of the warning, and a part of it.
DOUBTFUL = [
    ("Web: x", "1:1", "Heroku renames it and Kubernetes refuses it"),
    ("web: x\nmy_worker: x", "2:1", "Kubernetes refuses it"),
    ("web: x\n-a: x", "2:1", "Kubernetes refuses it"),
    (f"{'w' * 64}: x", "1:1", "at most 63 characters"),
    ("web-1: x", "1:1", "heroku local"),
    ("web: run \\", "1:10", "continues nothing"),
    ("web:  run &", "1:11", "in the background"),
    ("web: gunicorn app --bind 0.0.0.0:8000", "1:34", "web listens on 8000"),
    ("web: uvicorn a:b --port 8000", "1:25", "web listens on 8000"),
    ("web: rails s -p 3000", "1:17", "web listens on 3000"),
]
FINE = [
    "web: uvicorn a:b --port $PORT",
    "web: uvicorn a:b --port ${PORT:-8000}",
    "web: gunicorn app",
    "worker: serve --port 8000",
    "web: a && b",
    "web: a 2>&1",
    "web: mkdir -p 2026",
]


@pytest.mark.parametrize(("text", "place", "said"), DOUBTFUL)
def test_what_a_platform_refuses_is_a_warning_with_its_place(
    text: str, place: str, said: str
) -> None:
    found = platforms.of_procfile(procfile.parse(text, "P"))
    warnings = [doubt.said("P") for doubt in found]
    assert any(
        warning.startswith(f"P:{place}: ") and said in warning for warning in warnings
    ), warnings


@pytest.mark.parametrize("text", FINE)
def test_what_a_platform_takes_is_no_warning(text: str) -> None:
    assert list(platforms.of_procfile(procfile.parse(text, "P"))) == []


def test_all_that_is_wrong_is_said_at_once(tmp_path: Path) -> None:
    path = tmp_path / "Procfile"
    path.write_text("web x\nworker:\na: 1\na: 2\n")
    (tmp_path / ".env").write_text("A\nB=1\n1C=2\n")
    report = check(path, [], {}, override=False)
    places = [
        text.removeprefix(f"{tmp_path}/").split(": ")[0] for text in report.errors
    ]
    assert places == [
        "Procfile:1:4",
        "Procfile:2:8",
        "Procfile:4:1",
        ".env:1:2",
        ".env:3:1",
    ]


def test_names_that_heroku_keeps_are_a_warning(tmp_path: Path) -> None:
    (tmp_path / "Procfile").write_text("web: x\n")
    big = "x" * (64 << 10)
    (tmp_path / ".env").write_text(f"export HEROKU_A=1\n__B=2\nC={big}\n")
    report = check(tmp_path / "Procfile", [], {}, override=False)
    assert report.errors == ()
    first, second, third = report.warnings
    assert first.endswith(".env:1:8: Heroku keeps names that begin with HEROKU_")
    assert second.endswith(".env:2:1: Heroku keeps names that begin with __")
    assert third.endswith("Heroku takes 65536")


@pytest.mark.parametrize(
    ("text", "arguments", "code"),
    [
        ("web: x", [], 0),
        ("web: x", ["--strict"], 0),
        ("Web: x", [], 0),
        ("Web: x", ["--strict"], 1),
        ("web", [], 1),
        (None, [], 1),
    ],
)
def test_the_exit_code_is_for_ci(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    text: str | None,
    arguments: list[str],
    code: int,
) -> None:
    monkeypatch.chdir(tmp_path)
    if text is not None:
        (tmp_path / "Procfile").write_text(f"{text}\n")
    ended = CliRunner().invoke(cli, ["check", *arguments])
    assert ended.exit_code == code
    assert ended.output.count("\n") == 1 + ended.output.count("error: ") + (
        ended.output.count("warning: ")
    )


@pytest.mark.parametrize("name", ["procfile", "Procfile.txt", "PROCFILE"])
def test_a_misspelt_procfile_is_pointed_out(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("web: x\n")
    report = check(tmp_path / "Procfile", [], {}, override=False)
    assert f"{name}: the name must be Procfile" in "\n".join(report.errors)

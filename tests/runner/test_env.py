from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING

import pytest

from flow.runner.environment.origin import Value, masked
from tests.runner.started import PROGRAM, environment

if TYPE_CHECKING:
    from pathlib import Path


def env(folder: Path, *arguments: str, **more: str) -> str:
    ended = subprocess.run(
        [*PROGRAM, "env", *arguments],
        cwd=folder,
        env=environment(**more),
        capture_output=True,
        check=True,
        text=True,
    )
    assert ended.stderr == ""
    return ended.stdout


def origins(folder: Path, *arguments: str, **more: str) -> dict[str, tuple[str, str]]:
    table = json.loads(env(folder, "--json", *arguments, **more))
    return {name: (row["value"], row["origin"]) for name, row in table.items()}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "Procfile").write_text("web: x\nworker: y\n")
    (tmp_path / ".env").write_text("A=1\n\nB=2\nC=3\nSAME=s\n")
    (tmp_path / ".env.local").write_text("C=4\n")
    return tmp_path


def test_each_value_has_its_origin(folder: Path) -> None:
    found = origins(folder, B="real", SAME="s")
    assert found["A"] == ("1", f"{folder}/.env:1")
    assert found["B"] == ("real", f"the environment, not {folder}/.env:3")
    assert found["C"] == ("4", f"{folder}/.env.local:1")
    assert found["SAME"] == ("s", f"the environment, not {folder}/.env:5")
    assert found["PORT"] == ("5001", "flow")
    assert "HOME" not in found


def test_override_turns_the_origin_round(folder: Path) -> None:
    assert origins(folder, "--override", B="real")["B"] == ("2", f"{folder}/.env:3")


def test_a_process_has_a_name_and_a_port_of_its_own(folder: Path) -> None:
    found = origins(folder, "worker", "-p", "7000")
    assert (found["PORT"][0], found["DYNO"][0]) == ("7100", "worker.1")
    assert found["FLOW_GRACE"] == ("8", "flow")


def test_all_shows_what_is_only_passed_on(folder: Path) -> None:
    assert origins(folder, "--all", X="y")["X"] == ("y", "the environment")


def test_the_text_is_aligned_and_names_files_briefly(folder: Path) -> None:
    lines = env(folder).splitlines()
    assert any(line.startswith("A=1 ") and line.endswith("# .env:1") for line in lines)


def test_a_value_of_several_lines_stays_on_one(folder: Path) -> None:
    (folder / ".env").write_text('A="x\ny\x1b[2J"\n')
    assert 'A="x\\ny\\u001b[2J"' in env(folder)


@pytest.mark.parametrize(
    ("name", "text", "shown"),
    [
        ("SECRET_KEY", "x", "***"),
        ("AWS_ACCESS_KEY_ID", "x", "***"),
        ("DB_PASSWORD", "x", "***"),
        ("GITHUB_TOKEN", "x", "***"),
        ("api_key", "x", "***"),
        ("SECRET_KEY", "", ""),
        ("A", "-----BEGIN PRIVATE KEY-----\nx", "***"),
        ("A", "redis://me:pw@host:1/0", "redis://me:***@host:1/0"),
        ("A", "redis://:p/w@x@host", "redis://:p/w@x@host"),
        ("A", "amqps://me:p%40w@h/?a=1", "amqps://me:***@h/?a=1"),
        ("A", "redis://h/0?password=x&db=1", "redis://h/0?password=***&db=1"),
        ("A", "a=redis://u:p@h b=redis://u:q@h", "a=redis://u:***@h b=redis://u:***@h"),
        ("A", "https://host/path", "https://host/path"),
        ("A", "ghp_0123456789abcdef", "***"),
        ("A", "sk_live_0123456789abcdef", "***"),
        ("A", "Bearer eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.x-y_z", "Bearer ***"),
        ("A", "task_live_0123456789", "task_live_0123456789"),
        ("PWD", "/home/me", "/home/me"),
        ("DEBUG", "1", "1"),
    ],
)
def test_what_looks_like_a_secret_is_hidden(name: str, text: str, shown: str) -> None:
    assert masked(Value(name, text, "")).text == shown


def test_secrets_are_shown_when_asked_for(folder: Path) -> None:
    (folder / ".env").write_text("MY_TOKEN=S3CRET\n")
    assert "S3CRET" not in env(folder)
    assert "S3CRET" not in env(folder, "--json")
    assert "MY_TOKEN=S3CRET" in env(folder, "--show-secrets")

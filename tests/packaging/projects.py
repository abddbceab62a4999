"""Copies of this repository, and environments to install them in."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
NOT_COPIED = shutil.ignore_patterns(
    ".git", ".venv", ".flow", "__pycache__", "*_cache", ".hypothesis", "dist", "uv.lock"
)


def run(
    *command: str | Path, cwd: Path, code: int = 0, env: dict[str, str] | None = None
) -> str:
    """Run a command that should exit with ``code``; return all that it wrote."""
    done = subprocess.run(
        command,
        cwd=cwd,
        check=False,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=240,
        env={**os.environ, "NO_COLOR": "1", **(env or {})},
    )
    assert done.returncode == code, f"{command} in {cwd}: {done.stdout}"
    return done.stdout


def copy_project(to: Path) -> Path:
    """Copy this repository as a clone would have it, links as links."""
    shutil.copytree(ROOT, to, symlinks=True, ignore=NOT_COPIED)
    return to


def build(*options: str, source: Path, out: Path) -> Path:
    """Build an sdist or a wheel with the tools of this environment; return the file."""
    hatchling = [sys.executable, "-m", "build", "--no-isolation", *options]
    run(*hatchling, "--outdir", out, source, cwd=out.parent)
    (made,) = out.iterdir()
    return made


class Environment:
    """A fresh virtual environment that sees this one's packages, but not its flow."""

    def __init__(self, path: Path) -> None:
        """Make it at ``path``."""
        self.bin = path / "bin"
        self.python = self.bin / "python"
        run(sys.executable, "-m", "venv", "--without-pip", path, cwd=path.parent)
        packages = self.run("import sysconfig; print(sysconfig.get_path('purelib'))")
        # A plain line in a .pth file: the .pth files in that folder, an editable flow
        # among them, are not followed.
        borrowed = Path(packages.strip()) / "borrowed.pth"
        borrowed.write_text(sysconfig.get_path("purelib"))

    def install(self, *what: str | Path) -> None:
        """Install from local files only; the borrowed packages are the dependencies."""
        pip = [sys.executable, "-m", "pip", "--python", str(self.python), "install"]
        local = ["--no-deps", "--no-index", "--no-build-isolation", "--quiet"]
        run(*pip, *local, *what, cwd=self.bin)

    def run(self, source: str, *, cwd: Path | None = None, code: int = 0) -> str:
        """Run a piece of Python in ``cwd``; return what it wrote."""
        return run(self.python, "-c", source, cwd=cwd or self.bin, code=code)

    def flow(self, *arguments: str, cwd: Path) -> str:
        """Run the command ``flow`` of this environment."""
        return run(self.bin / "flow", *arguments, cwd=cwd)

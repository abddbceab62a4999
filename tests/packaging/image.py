"""Replays the Dockerfile in a folder, as far as that goes without a container."""

from __future__ import annotations

import os
import re
import shutil
import sys
from pathlib import Path

from tests.packaging.projects import NOT_COPIED, ROOT, run

# The image's own top-level folders; in a replay they are folders of a folder.
OWN_FOLDER = re.compile(r"(?<![\w./])/(src|wheels|venv|app|data)\b")


def instructions() -> list[tuple[str, str]]:
    """Return the Dockerfile's instructions: a word, and what follows it."""
    text = re.sub(r"^#.*\n", "", (ROOT / "Dockerfile").read_text(), flags=re.MULTILINE)
    lines = text.replace("\\\n", " ").splitlines()
    pairs = [line.split(maxsplit=1) for line in lines if line.strip()]
    return [(word, " ".join(rest.split())) for word, rest in pairs]


class Image:
    """A folder in which the Dockerfile's steps are done one after the other."""

    def __init__(self, root: Path) -> None:
        """Begin with an empty one."""
        self.root = root
        self.workdir = root
        tools = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        self.environ = {"PATH": tools}

    def here(self, text: str) -> str:
        """Return a piece of the Dockerfile with the image's folders put in here."""
        return OWN_FOLDER.sub(rf"{self.root}/\1", text)

    def replay(self) -> None:
        """Do all steps but those that need a container: FROM, USER, useradd."""
        for word, rest in instructions():
            words = [w for w in self.here(rest).split() if not w.startswith("--mount=")]
            if word == "WORKDIR":
                self.workdir = Path(words[0])
                self.workdir.mkdir(parents=True, exist_ok=True)
            elif word == "COPY" and not words[0].startswith("--from="):
                self.copy(words)
            elif word == "RUN" and words[0] != "useradd":
                self.run(" ".join(words))
            elif word == "ENV":
                pairs = (pair.split("=", 1) for pair in words)
                self.environ |= {
                    k: v.replace("$PATH", self.environ["PATH"]) for k, v in pairs
                }

    def copy(self, words: list[str]) -> None:
        """Copy from the build context, which is this repository."""
        *sources, target = words
        into = self.workdir / target
        for source in sources:
            if (ROOT / source).is_dir():
                shutil.copytree(ROOT / source, into, symlinks=True, ignore=NOT_COPIED)
            else:
                into.mkdir(parents=True, exist_ok=True)
                shutil.copy(ROOT / source, into)

    def run(self, command: str) -> str:
        """Run a shell command as the image would; return what it wrote."""
        return run("/bin/sh", "-c", command, cwd=self.workdir, env=self.environ)

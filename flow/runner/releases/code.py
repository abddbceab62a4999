"""Where the code of a release comes from: the working tree, or a commit."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from flow.errors import ReleaseError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

# What is no code, where no git says what is ignored.
SKIPPED = {".flow", ".git", ".venv", "venv", "node_modules", "__pycache__"}
HOOKS = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX")
SHORT = 8  # digits of a commit in a description


@dataclass(frozen=True, slots=True)
class Code:
    """The code of a release.

    Args:
        what: in words, for the list.
        commit: the commit, if it is one.
        fill: puts it into an empty folder.
    """

    what: str
    commit: str | None
    fill: Callable[[Path], None]


def working_tree(root: Path) -> Code:
    """Return the files of a folder as they are: what git tracks or would track."""
    head = _git(root, "rev-parse", "--verify", "-q", "HEAD^{commit}", check=False)
    commit = head.strip()
    name = f"the working tree, on {commit[:SHORT]}" if commit else "the working tree"
    if commit and not _git(root, "status", "--porcelain", "--", "."):
        return of_commit(root, commit)

    def fill(folder: Path) -> None:
        for path in _files(root):
            _copy(root / path, folder / path)

    return Code(f"Deploy {name}", None, fill)


def of_commit(root: Path, ref: str) -> Code:
    """Return the files of a folder as they are in a commit.

    Args:
        root: a folder in a git repository.
        ref: the commit, or what names it.

    Raises:
        ReleaseError: there is no such commit.
    """
    found = _git(
        root, "rev-parse", "--verify", "-q", "--end-of-options", f"{ref}^{{commit}}",
        check=False,
    )  # fmt: skip
    if not (commit := found.strip()):
        raise ReleaseError(_no_commit(root, ref))

    def fill(folder: Path) -> None:
        top = Path(_git(root, "rev-parse", "--show-toplevel").removesuffix("\n"))
        inside = root.resolve().relative_to(top.resolve()).as_posix()
        tree = commit if inside == "." else f"{commit}:{inside}"
        with tempfile.TemporaryDirectory() as scratch:
            # An index of its own: neither the files here nor what is staged change.
            index = {"GIT_INDEX_FILE": str(Path(scratch, "index"))}
            _git(top, "read-tree", tree, more=index)
            _git(top, "checkout-index", "-a", f"--prefix={folder}/", more=index)

    return Code(f"Deploy {commit[:SHORT]}", commit, fill)


def _no_commit(root: Path, ref: str) -> str:
    _git(root, "--version")  # the reason may be that there is no git at all
    if _is_in_git(root):
        return f"{ref!r} is no commit of the repository of {root}"
    return (
        f"{root} is in no git repository, so it has no commit {ref!r}; flow deploy"
        " without one takes the files as they are"
    )


def _is_in_git(root: Path) -> bool:
    return _git(root, "rev-parse", "--is-inside-work-tree", check=False) == "true\n"


def _files(root: Path) -> Iterator[str]:
    """Yield the files of a working tree, relative to it."""
    if _is_in_git(root):
        listed = _git(
            root, "ls-files", "-z", "--cached", "--others", "--exclude-standard"
        )
        yield from dict.fromkeys(filter(None, listed.split("\0")))
        return
    for folder, folders, files in os.walk(root):
        folders[:] = [name for name in folders if name not in SKIPPED]
        links = [name for name in folders if Path(folder, name).is_symlink()]
        for name in (*files, *links):
            yield Path(folder, name).relative_to(root).as_posix()


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_symlink() or source.is_file():
        shutil.copy2(source, target, follow_symlinks=False)
    elif source.is_dir():  # a submodule
        ignored = shutil.ignore_patterns(*SKIPPED)
        shutil.copytree(source, target, symlinks=True, ignore=ignored)


def _environ() -> dict[str, str]:
    # In a hook of git these name the repository that was pushed to.
    return {name: text for name, text in os.environ.items() if name not in HOOKS}


def _git(
    folder: Path, *words: str, check: bool = True, more: dict[str, str] | None = None
) -> str:
    try:
        ended = subprocess.run(  # noqa: S603 - what is given is no shell's text
            ["git", *words],  # noqa: S607 - the git of whoever deploys
            cwd=folder,
            env={**_environ(), **(more or {})},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
        )
    except FileNotFoundError:
        if check:
            raise ReleaseError("git is not installed, and a commit needs it") from None
        return ""
    if check and ended.returncode:
        said = ended.stderr.decode(errors="replace").strip()
        raise ReleaseError(f"git {words[0]} failed: {said}")
    return os.fsdecode(ended.stdout) if not ended.returncode else ""

"""Loads the scripts of store/lua, each behind the parts that it uses."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

USE = re.compile(r"^-- use:(.*)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Script:
    """A script as the server runs it.

    Args:
        name: the file's name without its ending.
        source: its text, behind the parts that it uses.
        sha: what EVALSHA calls it by.
    """

    name: str
    source: str
    sha: str


@cache
def load(name: str) -> Script:
    """Return the script of that name.

    Raises:
        FileNotFoundError: there is none, or a part that it uses is missing.
    """
    body = _read(f"{name}.lua")
    use = USE.search(body)
    parts = [_read(f"parts/{part}.lua") for part in (use[1].split() if use else ())]
    source = "\n".join([*parts, body])
    # EVALSHA names a script by its SHA-1: nothing here rests on its strength.
    sha = hashlib.sha1(source.encode(), usedforsecurity=False).hexdigest()
    return Script(name, source, sha)


def _read(path: str) -> str:
    return (files("flow.store") / "lua" / path).read_text("utf-8")

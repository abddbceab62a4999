"""Whether a file that changed concerns a process type: its ``watch = [...]``."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

WORDS = re.compile(r"\*\*/|\*\*|\*|\?|[^*?]+")
MEANING = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}


def touched(patterns: Iterable[str], path: str) -> bool:
    """Return whether one of the patterns names a file, or a folder that it is in.

    Args:
        patterns: ``*`` and ``?`` stay within one name, ``**`` does not; without a
            slash before its end, a pattern holds in every folder.
        path: from the folder that is watched, with slashes.
    """
    return any(_expression(pattern).fullmatch(path) for pattern in patterns)


@cache
def _expression(pattern: str) -> re.Pattern[str]:
    text = pattern.removeprefix("./").rstrip("/")
    if "/" not in text:
        text = f"**/{text}"
    words = WORDS.findall(text.removeprefix("/"))
    body = "".join(MEANING.get(word) or re.escape(word) for word in words)
    return re.compile(f"{body}(?:/.*)?", re.DOTALL)

"""What the platforms would refuse or change, though flow itself runs it.

Each rule names its source; the whole of it is in docs/procfile.md.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from flow.runner.declared.procfile import Mistake

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from flow.envfile import Setting
    from flow.runner.declared.procfile import Entry, Procfile

LABEL = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")  # RFC 1123
LONGEST = 63  # characters of such a label
FIXED_PORT = re.compile(
    r"(?:--port[= ]|(?<!mkdir) -p ?|--?b(?:ind)?[= ]\S*:)(\d{2,5})\b"
)
MOST = 64 << 10  # bytes of all config vars of a Heroku app together


def of_procfile(procfile: Procfile) -> Iterator[Mistake]:
    """Yield the warnings about a Procfile, in its order."""
    for entry in procfile.entries:
        for column, text in (*_of_name(entry.name), *_of_command(entry)):
            yield Mistake(entry.line, column, text)


def of_settings(settings: Mapping[str, Setting]) -> Iterator[str]:
    """Yield the warnings about what .env files say, each with its place."""
    for name, setting in settings.items():
        # devcenter.heroku.com/articles/config-vars, "Config var policies"
        if name.startswith(("__", "HEROKU_")):
            reserved = "__" if name.startswith("__") else "HEROKU_"
            where = f"{setting.where}:{setting.column}"
            yield f"{where}: Heroku keeps names that begin with {reserved}"
    size = sum(
        len(name.encode()) + len(setting.value.encode())
        for name, setting in settings.items()
    )
    if size > MOST:
        yield f".env: {size} bytes of names and values; Heroku takes {MOST}"


def _of_name(name: str) -> Iterator[tuple[int, str]]:
    if not LABEL.fullmatch(name):
        # buildpacks-procfile corrects such names; Kubernetes' API refuses them.
        what = "lower-case letters, digits and inner '-' only"
        yield 1, f"{name}: Heroku renames it and Kubernetes refuses it: {what}"
    if len(name) > LONGEST:
        yield 1, f"{name}: Heroku and Kubernetes take at most {LONGEST} characters"
    if "-" in name:
        # github.com/heroku/cli issue 3653, mended by pull request 3883
        yield 1, f"{name}: heroku local of the CLI from 11.1 on may refuse a '-'"


def _of_command(entry: Entry) -> Iterator[tuple[int, str]]:
    end = entry.column + len(entry.command)
    if entry.command.endswith("\\"):
        yield end - 1, "a trailing backslash continues nothing: lines are never joined"
    if re.search(r"(?<![&>\\])&$", entry.command.rstrip()):
        yield end - 1, "a process in the background ends at once for whoever started it"
    fixed = FIXED_PORT.search(entry.command)
    if entry.name == "web" and fixed and "PORT" not in entry.command:
        column = entry.column + fixed.start(1)
        yield column, f"web listens on {fixed[1]}; Heroku expects it on $PORT"

"""A real browser, driven over a pipe by the DevTools protocol."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
import subprocess
import sys
from itertools import count
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

PROGRAM = shutil.which("chromium") or shutil.which("google-chrome")
OPTIONS = (
    "--headless",
    "--no-sandbox",  # it asks one page of ours, and may be root's
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-breakpad",
    "--no-first-run",
    "--remote-debugging-pipe",
)
# It reads what to do from descriptor 3, and answers on 4.
ON_3_AND_4 = """
import os, sys
os.dup2(int(sys.argv[1]), 3)
os.dup2(int(sys.argv[2]), 4)
os.execv(sys.argv[3], sys.argv[3:])
"""


class Browser:
    """One page of it.

    Args:
        asks: where what to do is written.
        told: where it answers.
    """

    def __init__(self, asks: int, told: int) -> None:
        self._asks, self._told = asks, told
        self._rest = b""
        self._numbers = count(1)
        page = self.do("Target.createTarget", url="about:blank")["targetId"]
        attached = self.do("Target.attachToTarget", targetId=page, flatten=True)
        self._session: str | None = attached["sessionId"]

    def open(self, address: str, first: str) -> None:
        """Go to a page; ``first`` is run before any script of its own."""
        self.do("Page.enable")
        self.do("Page.addScriptToEvaluateOnNewDocument", source=first)
        self.do("Page.navigate", url=address)

    def value(self, expression: str) -> Any:  # noqa: ANN401 - whatever the page has
        """Return what an expression is on the page."""
        answer = self.do("Runtime.evaluate", expression=expression, returnByValue=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def do(self, method: str, **parameters: object) -> dict[str, Any]:
        """Return the answer to one command; events are passed over."""
        number = next(self._numbers)
        command = {"id": number, "method": method, "params": parameters}
        if session := getattr(self, "_session", None):
            command["sessionId"] = session
        os.write(self._asks, json.dumps(command).encode() + b"\0")
        while (answer := self._next()).get("id") != number:
            pass
        assert "error" not in answer, answer
        result: dict[str, Any] = answer["result"]
        return result

    def _next(self) -> dict[str, Any]:
        while b"\0" not in self._rest:
            data = os.read(self._told, 65536)
            assert data, "the browser has ended"
            self._rest += data
        message, _, self._rest = self._rest.partition(b"\0")
        said: dict[str, Any] = json.loads(message)
        return said


@contextlib.contextmanager
def browser(folder: Path) -> Generator[Browser]:
    """Run a browser that keeps its own things in a folder."""
    assert PROGRAM is not None
    theirs, asks = os.pipe()
    told, answers = os.pipe()
    # High numbers, so that neither stands where the other is to go.
    ends = [fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, 10) for end in (theirs, answers)]
    process = subprocess.Popen(
        [
            *(sys.executable, "-c", ON_3_AND_4, *map(str, ends), PROGRAM),
            *(*OPTIONS, f"--user-data-dir={folder}"),
        ],
        pass_fds=ends,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    for end in (theirs, answers, *ends):
        os.close(end)
    try:
        yield Browser(asks, told)
    finally:
        os.close(asks)  # then it ends by itself
        os.close(told)
        process.wait(60)

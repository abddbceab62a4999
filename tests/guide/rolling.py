"""The example app, deployed again and again while visitors use it."""

from __future__ import annotations

import shutil
import sys
import threading
from typing import TYPE_CHECKING, Any, cast

import httpx

from tests.runner.asking import flow
from tests.runner.started import ROOT, Started
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from pathlib import Path

EXAMPLE = ROOT / "examples/photos"
sys.path.insert(0, str(EXAMPLE))
ENDED = {"finished"}


class Visitor(threading.Thread):
    """Looks at the page all the time, and brings pictures."""

    def __init__(self, port: int, *, keeps: bool) -> None:
        super().__init__()
        self.gone = threading.Event()
        self.codes: list[int] = []
        self.failures: list[str] = []
        self.pictures: set[str] = set()
        self._address = f"http://127.0.0.1:{port}"
        self._headers = {} if keeps else {"Connection": "close"}

    def run(self) -> None:
        """Visit until it is told to go."""
        address = self._address
        with httpx.Client(
            base_url=address, headers=self._headers, timeout=120
        ) as client:
            while not self.gone.is_set():
                try:
                    self._visit(client)
                except httpx.HTTPError as error:
                    self.failures.append(repr(error))

    def _visit(self, client: httpx.Client) -> None:
        from photos import samples  # noqa: PLC0415 - the path is set above

        for _ in range(10):
            self.codes.append(client.get("/").status_code)
        picture = samples.paint(len(self.codes) // 10 % 5)[1]
        answer = client.post("/pictures", files={"picture": ("a.jpg", picture)})
        self.codes.append(answer.status_code)
        self.pictures.add(answer.json()["id"])


def deploy_under_load(folder: Path, redis_url: str, port: int, times: int) -> Started:
    """Deploy the app so often under load; return the session, which has ended."""
    project = folder / "photos"
    leave = shutil.ignore_patterns("media", ".flow", "__pycache__")
    shutil.copytree(EXAMPLE, project, ignore=leave)
    environ = {"REDIS_URL": redis_url, "PHOTOS_MEDIA": str(folder / "media")}
    with Started(project, "start", "-p", str(port), environ=environ) as session:
        session.wait_for(b"web.1 is up")
        visitors = [Visitor(port, keeps=keeps) for keeps in (True, False)]
        for visitor in visitors:
            visitor.start()
        try:
            for _ in range(times):
                _deploy(project, environ)
        finally:
            for visitor in visitors:
                visitor.gone.set()
                visitor.join(240)
        assert [visitor.failures for visitor in visitors] == [[], []]
        assert {code for one in visitors for code in one.codes} == {200, 201}
        _all_are_made(port, {one for visitor in visitors for one in visitor.pictures})
        assert b"crash" not in session.output
        assert f"=== Releases - Current: v{times}" in flow(project, "releases")
        flow(project, "stop")
        assert session.end() == 0
    return session


def _deploy(project: Path, environ: dict[str, str]) -> None:
    with Started(project, "deploy", environ=environ) as deploy:
        assert deploy.end(240) == 0, deploy.output.decode()


def _all_are_made(port: int, pictures: set[str]) -> None:
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as client:

        def made() -> bool:
            found = cast("dict[str, Any]", client.get("/state").json())["pictures"]
            shown = {one["id"]: {s["state"] for s in one["steps"]} for one in found}
            return all(shown.get(one) == ENDED for one in pictures)

        wait_until(made, timeout=120, every=0.2, waiting_for="every picture's jobs")

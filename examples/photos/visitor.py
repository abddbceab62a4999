"""A visitor of the page, who does what a browser does: looks, uploads, publishes."""

from __future__ import annotations

import http.client
import json
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypedDict, cast

if TYPE_CHECKING:
    from collections.abc import Mapping

PATIENCE = 30  # seconds for an answer


class SeenStep(TypedDict):
    """A step of a picture, as far as the demo looks at it."""

    name: str
    state: str
    made_by: str | None


class SeenPicture(TypedDict):
    """A picture, likewise."""

    name: str
    received_by: str
    steps: list[SeenStep]


class SeenChore(TypedDict):
    """A chore, likewise."""

    name: str
    made_by: str


class Seen(TypedDict):
    """What the page shows."""

    pictures: list[SeenPicture]
    chores: list[SeenChore]


class BadAnswer(Exception):
    """The page answered with an error; the message holds what it said."""


@dataclass(frozen=True)
class Visitor:
    """Asks the page that listens on a port of this machine."""

    port: int

    def look(self) -> Seen:
        """Return what the page shows.

        Raises:
            OSError: nobody answers yet.
            BadAnswer: the answer is an error.
        """
        return cast("Seen", json.loads(self._ask("GET", "/state")))

    def upload(self, name: str, content: bytes) -> None:
        """Send a picture, as the page's form does; raises as ``look``."""
        boundary = uuid.uuid4().hex
        head = (
            f"--{boundary}\r\nContent-Type: application/octet-stream\r\n"
            f'Content-Disposition: form-data; name="picture"; filename="{name}"\r\n\r\n'
        )
        body = head.encode() + content + f"\r\n--{boundary}--\r\n".encode()
        kind = f"multipart/form-data; boundary={boundary}"
        self._ask("POST", "/pictures", body, {"Content-Type": kind})

    def publish(self) -> None:
        """Ask for a contact sheet; raises as ``look``."""
        self._ask("POST", "/contact-sheet")

    def _ask(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> bytes:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, PATIENCE)
        try:
            connection.request(method, path, body, headers or {})
            answer = connection.getresponse()
            said = answer.read()
        finally:
            connection.close()
        if answer.status >= http.client.BAD_REQUEST:
            raise BadAnswer(f"{method} {path}: {answer.status} {said.decode()}")
        return said

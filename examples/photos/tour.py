"""The pictures of the demo, put through the app, and who made what of them."""

from __future__ import annotations

import contextlib
import time
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from photos import samples
from session import Failed

if TYPE_CHECKING:
    from collections.abc import Iterable

    from session import Session
    from visitor import Seen, Visitor

PATIENCE = 90.0  # seconds for everything
LOOK = 0.2  # seconds between two looks
CHORES = {"contact sheet", "remove orphans"}


@dataclass(frozen=True)
class Tour:
    """One visit to a running app.

    Args:
        session: the app.
        visitor: who asks its page.
        deadline: on the monotonic clock, in seconds.
    """

    session: Session
    visitor: Visitor
    deadline: float = field(default_factory=lambda: time.monotonic() + PATIENCE)

    def first_look(self) -> Seen:
        """Wait until the page answers, and return what it shows."""
        while True:
            with contextlib.suppress(ConnectionError):
                return self.visitor.look()
            self._pause("the page does not answer")

    def upload(self, pictures: Iterable[tuple[str, bytes]]) -> None:
        """Send pictures, one after the other."""
        for name, content in pictures:
            self.visitor.upload(name, content)

    def everything(self) -> str:
        """Put the handful through, and return a table of who made what.

        Raises:
            Failed: a job failed, or something is still missing at the deadline.
        """
        self.first_look()
        self.upload(samples.handful())
        self._until_all_is_made()
        self.visitor.publish()
        number = len(samples.SCENES)
        while not _made_by(seen := self._until_all_is_made(), "urgentworker"):
            # Both workers take previews, and this time the other one was quicker.
            self.upload([samples.paint(number)])
            number += 1
        # Only the clock ever asks for the removal of orphans.
        while CHORES - {chore["name"] for chore in seen["chores"]}:
            self._pause(
                "the contact sheet or the clock's removal of orphans is missing"
            )
            seen = self.visitor.look()
        return table(seen)

    def _until_all_is_made(self) -> Seen:
        while missing := _missing(seen := self.visitor.look()):
            self._pause("missing: " + ", ".join(missing))
        return seen

    def _pause(self, reason: str) -> None:
        if time.monotonic() > self.deadline:
            raise Failed(f"after {PATIENCE:g} seconds, {reason}")
        self.session.pause(LOOK)


def _missing(seen: Seen) -> list[str]:
    missing: list[str] = []
    for picture in seen["pictures"]:
        for step in picture["steps"]:
            name = f"{step['name']} of {picture['name']}"
            if step["state"] == "failed":
                raise Failed(f"the job for {name} failed")
            if not step["made_by"]:
                missing.append(name)
    return missing


def _made_by(seen: Seen, role: str) -> bool:
    makers = [step["made_by"] for one in seen["pictures"] for step in one["steps"]]
    return any((maker or "").startswith(f"{role}.") for maker in makers)


def table(seen: Seen) -> str:
    """Return what was made, how often, and by which process."""
    makers: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for picture in seen["pictures"]:
        makers["upload"][picture["received_by"]] += 1
        for step in picture["steps"]:
            width = " px" if step["name"].isdigit() else ""
            makers[step["name"] + width][step["made_by"] or "nobody"] += 1
    for chore in seen["chores"]:
        due = ", enqueued by the clock" if chore["name"] == "remove orphans" else ""
        makers[chore["name"]][chore["made_by"] + due] += 1
    rows = [f"{what:<16}{by.total():>8}  {_told(by)}" for what, by in makers.items()]
    return "\n".join(["", f"{'what':<16}{'how many':>8}  made by", *rows, ""])


def _told(makers: Counter[str]) -> str:
    if len(makers) == 1:
        return next(iter(makers))
    return ", ".join(f"{maker} ({number})" for maker, number in makers.most_common())

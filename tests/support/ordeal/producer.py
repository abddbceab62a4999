"""A producer, as a process of its own: it may be killed, and started again.

Its journal says what it has tried to send, and of what it knows that it was sent.
"""

from __future__ import annotations

import random
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from flow.errors import ServerUnreachable
from tests.support.ordeal import tasks

if TYPE_CHECKING:
    from collections.abc import Callable

PAUSE = threading.Event()
STRIDE = 1_000_000  # serials of one producer


class Producer:
    """Sends jobs until it is sure of so many.

    Args:
        journal: its file.
        first: its first serial.
        count: how many.
        pace: seconds between two calls, on average.

    """

    def __init__(self, journal: Path, first: int, count: int, pace: float) -> None:
        """Go on after what the journal has."""
        journal.touch()
        lines = [line.split() for line in journal.read_text().splitlines()]
        self._journal = journal
        self._pace = pace
        self._left = count - sum(int(many) for word, _, many in lines if word == "sure")
        tried = [int(at) + int(many) for word, at, many in lines if word == "try"]
        self._next = max([first, *tried])

    def run(self) -> None:
        """Send all."""
        while self._left > 0:
            at = self._next
            chance = random.Random(at)  # noqa: S311 - the same each time
            kind = chance.choice(KINDS)
            many = chance.randint(20, 60) if kind is send_many else 3
            self._note("try", at, many)
            PAUSE.wait(chance.uniform(0, 2 * self._pace))
            self._next += many
            try:
                kind(range(at, at + many), chance)
            except ServerUnreachable:
                continue  # perhaps it was sent
            self._note("sure", at, many)
            self._left -= many

    def _note(self, word: str, at: int, many: int) -> None:
        with self._journal.open("a") as file:
            file.write(f"{word} {at} {many}\n")


def send_many(serials: range, _: random.Random) -> None:
    tasks.quick.enqueue_many([(serial,) for serial in serials])


def send_family(serials: range, chance: random.Random) -> None:
    """Send a parent, and two that wait for it."""
    parent, *children = serials
    job = tasks.nap.enqueue(parent, chance.uniform(0, 0.05))
    for child in children:
        tasks.quick.options(depends_on=job).enqueue(child)


def send_later(serials: range, chance: random.Random) -> None:
    for serial in serials:
        tasks.quick.enqueue_in(chance.uniform(0.05, 1.5), serial)


def send_naps(serials: range, chance: random.Random) -> None:
    one, two, three = serials
    tasks.nap.enqueue(one, chance.uniform(0, 0.15))
    tasks.anap.enqueue(two, chance.uniform(0, 1))
    tasks.once.enqueue(three, chance.uniform(0, 0.05))


def send_others(serials: range, _: random.Random) -> None:
    one, two, three = serials
    tasks.hurry.enqueue(one)
    tasks.shaky.enqueue(two)
    tasks.quick.options(at_front=True).enqueue(three)


KINDS: list[Callable[[range, random.Random], None]] = [
    *(send_many, send_family, send_later, send_naps, send_others),
]

if __name__ == "__main__":
    name, number, total, pace = sys.argv[1:]
    Producer(Path(name), int(number) * STRIDE, int(total), float(pace)).run()

"""A clock whose turns a test takes one by one, on a real server."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flow.record import Invocation, JobRecord
from flow.registry import Policy
from flow.scheduler.leader import Leader
from flow.scheduler.record import Record
from flow.scheduler.ticker import Ticker
from flow.schedules.entries import entry
from flow.schedules.missed import count
from flow.store.entry import Rule
from flow.store.roster import Roster
from flow.store.schedules import Schedules
from flow.store.timetable import Timetable
from flow.upkeep.steady import Steady
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from flow.store.client import Store
    from flow.store.schedules import Note, Scheduled

APP = "shop"


class Turning:
    """The leader and the ticker of one clock.

    Args:
        store: where the jobs are.
        name: the clock's name.
    """

    def __init__(self, store: Store, name: str = "hand") -> None:
        self.store = store
        self.timetable = Timetable(store.link, APP)
        self.roster = Roster(store.link, APP, count)
        self.schedules = Schedules(store.link, APP)
        self.record = Record(Steady())
        self.leader = Leader(self.timetable, name, self.record, lambda: None)
        self.ticker = Ticker(self.timetable, self.leader, self.record)
        # Half a minute from its ticks: no test may meet one by chance.
        self._minute = Rule("every", f"60@{self.timetable.time() - 30_000}")

    def declare(
        self,
        schedule: str = "beat",
        rule: Rule | None = None,
        word: str = "x",
        **policy: Any,  # noqa: ANN401 - as a user gives it
    ) -> None:
        """Make a schedule, by default one of a minute."""
        record = JobRecord(schedule, Invocation("shop.beat", (word,)), "default")
        made = entry(
            schedule,
            rule or self._minute,
            Policy(**policy),
            record,
            self.timetable.time(),
        )
        self.roster.declare([made], "dynamic")

    def rewind(self, ms: int, schedule: str = "beat") -> int:
        """Have a schedule stand so much earlier, as after a downtime; return where."""
        cursor = self.stands(schedule) - ms
        self.at(cursor, schedule)
        return cursor

    def at(self, cursor: int, schedule: str = "beat") -> None:
        """Have a schedule stand at a tick."""
        command = self.store.link.command
        command("HSET", f"flow:clock:{APP}:schedule:{schedule}", "cursor", cursor)
        command("ZADD", f"flow:clock:{APP}:next", cursor, schedule)

    def stands(self, schedule: str = "beat") -> int:
        cursor = self.find(schedule).cursor
        assert cursor is not None
        return cursor

    def wakes(self, schedule: str = "beat") -> int:
        """Return when a schedule is due next, in ms since 1970."""
        score = self.store.link.command("ZSCORE", f"flow:clock:{APP}:next", schedule)
        return int(float(score))

    def find(self, schedule: str = "beat") -> Scheduled:
        found = self.schedules.find(schedule)
        assert found
        return found

    def turn(self) -> None:
        """Lead, and take turns until nothing is due."""
        self.leader.run_once()
        wait_until(lambda: self.ticker.run_once() > 0, waiting_for="the end of work")

    def ledger(self, schedule: str = "beat") -> list[Note]:
        """Return the ledger's entries, the oldest first."""
        return self.schedules.history(schedule, 10_000)[::-1]

    def left_out(self, schedule: str = "beat") -> dict[str, int]:
        """Return how many ticks were left out, by reason."""
        counts: dict[str, int] = {}
        for note in self.ledger(schedule):
            if note.outcome == "skipped":
                counts[note.reason] = counts.get(note.reason, 0) + note.count
        return counts

    def fired(self, schedule: str = "beat") -> list[int]:
        """Return the ticks that fired, in the order in which they did."""
        return [n.tick for n in self.ledger(schedule) if n.outcome == "fired"]

    def queued(self) -> list[str]:
        raw = self.store.link.command("LRANGE", "rq:queue:default", 0, -1)
        return [one.decode() for one in raw]

    def status(self, job: str, value: str) -> None:
        """Have a job stand as if a worker had brought it there."""
        self.store.link.command("HSET", f"rq:job:{job}", "status", value)
        if value == "started":
            self.store.link.command("LREM", "rq:queue:default", 0, job)
        if value == "failed":
            self.store.link.command("EXPIRE", f"rq:job:{job}", 60)

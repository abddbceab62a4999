"""Lost replies of the clock's scripts."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from flow import schedules
from flow.codec import fields
from flow.store.entry import Entry, Rule, Step
from flow.store.rqscheduler import Entries, Move, Planned
from tests.scheduler.turning import Turning
from tests.support.losses.losing import loses
from tests.support.shop import tasks
from tests.support.turns import record

if TYPE_CHECKING:
    from tests.support.losses.losing import Losing

MINUTE = 60_000  # ms
ENTRIES = "rq:scheduler:scheduled_jobs"
BEGAN = datetime(2026, 1, 1, tzinfo=UTC)


def at(n: int) -> int:
    """Return the tick number ``n`` of a schedule of the past, in ms since 1970."""
    return int(BEGAN.timestamp()) * 1000 + n * MINUTE


def stands(losing: Losing, schedule: str = "beat") -> int:
    """Return a schedule's next tick as the server has it."""
    return Turning(losing.store).stands(schedule)


def entry(losing: Losing, ago: float = 1.0) -> Planned:
    """Return an entry of rq-scheduler that is due since so many seconds."""
    one = record()
    command = losing.store.link.command
    command("HSET", f"rq:job:{one.id}", *fields(one, time.time()))
    score = f"{time.time() - ago:.17g}"
    command("ZADD", ENTRIES, score, one.id)
    return Planned(one.id, score, None)


@loses("tick")
def tick(losing: Losing) -> None:
    clock = Turning(losing.away)
    clock.declare()
    clock.at(at(0))
    token = Turning(losing.store).timetable.lead("hand", "", 60).token
    (due,) = clock.timetable.due(1).due
    for n in losing.rounds("tick"):
        now, then = at(n), at(n + 1)
        step = Step(due, str(now), "fire", now, now, 1, now, then, then)
        clock.timetable.tick(token, [step])
        assert stands(losing) == then
    assert clock.queued() == [f"beat-{at(n)}" for n in range(losing.times)]
    assert clock.fired() == [at(n) for n in range(losing.times)]


@loses("due")
def due(losing: Losing) -> None:
    clock = Turning(losing.away)
    clock.declare()
    clock.at(at(0))
    for _ in losing.rounds("due"):
        (one,) = clock.timetable.due(10).due
        assert one.cursor == str(at(0))


@loses("coming")
def coming(losing: Losing) -> None:
    clock = Turning(losing.away)
    clock.declare()
    clock.at(at(0))
    for _ in losing.rounds("coming"):
        (one,) = clock.timetable.coming(at(0), at(1), 0, 10)
        assert one.cursor == str(at(0))


@loses("lead", "resign")
def lead_and_resign(losing: Losing) -> None:
    """A leader whose reply was lost finds that it leads, and leaves once."""
    clock = Turning(losing.away)
    for _ in losing.rounds("lead", "resign"):
        winner = clock.timetable.lead("other", "", 60)
        assert winner.token == ""  # its own first call won; it waits as a standby does
        losing.store.link.command("DEL", "flow:clock:shop:leader")
        token = clock.timetable.lead("hand", "", 60).token
        losing.lose("resign")
        clock.timetable.resign(token)
        assert clock.timetable.leader() == ""


@loses("lead")
def go_on_leading(losing: Losing) -> None:
    clock = Turning(losing.away)
    token = Turning(losing.store).timetable.lead("hand", "", 60).token
    for _ in losing.rounds("lead"):
        assert clock.timetable.lead("hand", token, 60).token == token


@loses("declare", "seal")
def declare_and_seal(losing: Losing) -> None:
    clock = Turning(losing.away)
    rule = Rule("every", "60")
    for n in losing.rounds("declare", "seal"):
        one = Entry(f"beat-{n}", "1", rule, "{}", "allow", at(n), at(n), "b", {"a": 1})
        clock.roster.declare([one], release=n)
        assert clock.roster.declared() - {f"beat-{n - 1}"} == {one.id}
        losing.lose("seal")
        clock.roster.seal([one.id], n, "print")
        assert clock.roster.declared() == {one.id}
        assert clock.roster.standing() == (n, "print")


@loses("replan")
def replan(losing: Losing) -> None:
    clock = Turning(losing.away)
    clock.declare()
    revision = clock.find().revision
    for n in losing.rounds("replan"):
        clock.at(at(n))
        clock.timetable.replan([("beat", revision, at(n), at(n + 1), at(n + 1))])
        assert stands(losing) == at(n + 1)


@loses("restore")
def restore(losing: Losing) -> None:
    clock = Turning(losing.away)
    clock.declare()
    for _ in losing.rounds("restore"):
        losing.store.link.command("DEL", "flow:clock:shop:next")
        clock.timetable.restore(["beat"])
        assert clock.wakes() == clock.stands()


@loses("pause", "resume")
def pause_and_resume(losing: Losing) -> None:
    schedules.upsert("beat", tasks.report, every=3600)
    for _ in losing.rounds("pause", "resume"):
        schedules.pause("beat")
        assert schedules.find("beat").paused
        losing.lose("resume")
        schedules.resume("beat")
        assert not schedules.find("beat").paused


@loses("skip_next")
def skip_next(losing: Losing) -> None:
    schedules.upsert("beat", tasks.report, every=3600)
    for n in losing.rounds("skip_next"):
        schedules.skip_next("beat", n)
        assert schedules.find("beat").skip == n


@loses("backfill")
def backfill(losing: Losing) -> None:
    clock = Turning(losing.away)
    schedules.upsert("beat", tasks.report, every=60)
    expected: list[str] = []
    for n in losing.rounds("backfill", "backfill"):
        expected.append(schedules.run_now("beat").id)
        start = BEGAN + timedelta(minutes=2 * n)
        losing.lose("backfill")
        schedules.backfill("beat", start, start + timedelta(minutes=2))
        expected += [f"beat-{at(2 * n)}", f"beat-{at(2 * n + 1)}"]
    queued = clock.queued()
    assert [job_id for job_id in queued if job_id in set(expected)] == expected


@loses("remove", "declare")
def make_and_remove(losing: Losing) -> None:
    for n in losing.rounds("declare", "remove"):
        schedules.upsert(f"beat-{n}", tasks.report, every=3600)
        losing.lose("remove")
        schedules.remove(f"beat-{n}")
        assert Turning(losing.store).schedules.find(f"beat-{n}") is None


@loses("adopt")
def adopt(losing: Losing) -> None:
    clock = Turning(losing.away)
    expected: list[str] = []
    for n in losing.rounds("adopt"):
        one = entry(losing)
        following = f"{time.time() + 3600:.17g}" if n % 2 else ""
        Entries(losing.away.link).adopt([Move(one, following, b"")])
        expected.append(one.job)
    assert clock.queued() == expected


@loses("take_over")
def take_over(losing: Losing) -> None:
    command = losing.store.link.command
    rule = Rule("every", "60")
    for n in losing.rounds("take_over"):
        one = entry(losing, ago=-600)
        made = Entry(f"beat-{n}", "1", rule, "{}", "allow", 5, 5, "b", {"a": 1})
        Entries(losing.away.link).take_over(one, "shop", made if n % 2 else None)
        assert command("ZSCORE", ENTRIES, one.job) is None
        delayed = command("ZSCORE", "rq:scheduled:default", one.job)
        assert (delayed is None) == bool(n % 2)
        found = command("HGET", "flow:clock:shop:ids", made.id)
        assert found == (b"dynamic" if n % 2 else None)

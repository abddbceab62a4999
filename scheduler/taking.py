"""Taking over rq-scheduler's entries: what each of them becomes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flow.errors import InvalidSchedule
from flow.registry import Policy
from flow.scheduler import rq
from flow.scheduler.localtime import local_zone
from flow.schedules.entries import entry_of, slug
from flow.schedules.rules import recurrence
from flow.store.entry import Rule
from flow.store.rqscheduler import Entries
from flow.store.timetable import Timetable

if TYPE_CHECKING:
    from flow.store.client import Store
    from flow.store.entry import Entry
    from flow.store.rqscheduler import Planned

ALL = 1_000_000  # entries: rq-scheduler itself reads them all in each round
# What rq-scheduler's one job per entry has of its last tick, or of the entry.
NOT_KEPT = frozenset(
    (
        *("created_at", "enqueued_at", "started_at", "ended_at", "last_heartbeat"),
        *("status", "worker_name", "result", "exc_info", "success", "meta"),
    )
)
OF_THE_ENTRY = ("interval", "repeat", "cron_string", "use_local_timezone")


@dataclass(frozen=True, slots=True)
class Taken:
    """What an entry becomes: a schedule or a delayed job; nothing when it stays."""

    entry: Planned
    becomes: str
    why: str
    made: Entry | None = None


class Taking:
    """Takes over the entries of one Redis.

    Args:
        store: where they are.
        app: the app whose schedules they become.
        tz: the zone of entries in local time; this machine's by default.
    """

    def __init__(self, store: Store, app: str, tz: str | None = None) -> None:
        """Prepare; nothing is read yet."""
        self._entries = Entries(store.link)
        self._timetable = Timetable(store.link, app)
        self._app = app
        self._tz = tz

    def look(self) -> list[Taken]:
        """Return what each entry would become."""
        known = set(self._timetable.ids())
        found: list[Taken] = []
        for entry in self._entries.until("+inf", ALL):
            one = self._judged(entry)
            if one.made is not None and one.made.id in known:
                one = Taken(entry, "", f"there is a schedule {one.made.id} already")
            elif one.made is not None:
                known.add(one.made.id)
            found.append(one)
        return found

    def take(self) -> list[Taken]:
        """Take over what can be; each in one step, so that no tick is lost or double.

        Returns:
            What each entry became.
        """
        return [self._take(one) if one.becomes else one for one in self.look()]

    def _take(self, one: Taken) -> Taken:
        if self._entries.take_over(one.entry, self._app, one.made):
            return one
        return Taken(one.entry, "", "changed meanwhile; import again")

    def _judged(self, entry: Planned) -> Taken:
        fields: dict[str, Any] = dict(self._entries.fields(entry.job))
        if "origin" not in fields:
            return Taken(entry, "", "its job is gone")
        meta = rq.meta_of(entry.meta)
        if meta.get("repeat") is not None:
            return Taken(entry, "", f"{meta['repeat']} times more, then it ends")
        rule = self._rule(meta, entry)
        if rule is None:
            return Taken(entry, "delayed job", "once")
        # Where it stood: not before its first tick, nor without one that is overdue.
        first = max(1, round(float(entry.score) * 1000))
        job = _job(fields, meta)
        try:
            made = entry_of(slug(entry.job), rule, Policy(), job, first - 1)
        except InvalidSchedule as error:
            return Taken(entry, "", str(error))
        return Taken(entry, "schedule", recurrence(rule, made.id).describe(), made)

    def _rule(self, meta: dict[str, Any], entry: Planned) -> Rule | None:
        if meta.get("interval"):
            anchor = round(float(entry.score) * 1000)
            return Rule("every", f"{int(meta['interval'])}@{anchor}")
        if not meta.get("cron_string"):
            return None
        written = str(meta["cron_string"])
        local = str(local_zone()) if self._tz is None else self._tz
        zone = local if meta.get("use_local_timezone") else ""
        return Rule("cron", rq.expression(written) or written, zone)


def _job(fields: dict[str, Any], meta: dict[str, Any]) -> dict[str, Any]:
    kept = {name: value for name, value in fields.items() if name not in NOT_KEPT}
    own = {name: value for name, value in meta.items() if name not in OF_THE_ENTRY}
    if own:
        kept["meta"] = rq.packed(own)
    if kept.get("result_ttl") == b"-1":
        # rq-scheduler keeps its one job for ever; here each tick has its own.
        del kept["result_ttl"]
    return kept

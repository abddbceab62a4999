"""Files written for ``rq cron``: what they register recurs as it does there."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from rq.cron import CronJob

from flow.recurrence import Cron
from flow.scheduler import cronfile

if TYPE_CHECKING:
    from pathlib import Path

NAME = "tests-support-shop-plain-add"


@pytest.mark.parametrize(
    "expression", ["0 7 * * *", "0 7 * * * 30", "*/5 9-17 * * mon-fri 15", "@hourly"]
)
def test_an_expression_means_what_it_means_to_rq(
    tmp_path: Path, expression: str
) -> None:
    file = tmp_path / "registered.py"
    file.write_text(
        "from rq import cron\nfrom tests.support.shop import plain\n\n"
        f"cron.register(plain.add, queue_name='mail', cron={expression!r})\n"
    )
    found, own = (cronfile.entries([str(file)], 0, ids)[0] for ids in ([], [NAME]))
    # What the app declares for the same task stays as it is.
    assert (found.id, own.id) == (NAME, f"{NAME}--2")
    now = datetime(2026, 7, 1, 12, 30, tzinfo=UTC)
    theirs = CronJob(queue_name="mail", func_name="a.b", cron=expression)
    theirs.latest_enqueue_time = now
    ours = Cron(found.rule.spec, tz=found.rule.tz)
    assert ours.next_after(now) == theirs.get_next_enqueue_time()

"""Every script, its connection cut after it ran and before its reply, many times.

The store repeats the call: nothing may be stranded, doubled or falsely refused.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.losses.all import EVERY, WITHOUT
from tests.support.losses.losing import losing

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.losses.losing import Case
    from tests.support.server import Server

TIMES = 20  # of each; `make chaos` loses a thousand


@pytest.mark.leaves_keys("those of rq-scheduler's entries, which it keeps so")
@pytest.mark.usefixtures("store")
@pytest.mark.parametrize("case", EVERY)
def test_a_lost_reply_changes_nothing(
    case: Case, server: Server, tmp_path: Path
) -> None:
    with losing(server, tmp_path, TIMES) as way:
        case(way)


def test_every_script_has_such_a_case() -> None:
    assert WITHOUT == [], "tests/support/losses wants a case for each new script"

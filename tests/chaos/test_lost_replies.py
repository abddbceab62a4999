"""Every script, its reply lost a thousand times."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from tests.support.losses.all import EVERY
from tests.support.losses.losing import losing

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.losses.losing import Case
    from tests.support.server import Server

TIMES = int(os.environ.get("FLOW_CHAOS_LOSSES", "1000"))


@pytest.mark.leaves_keys("those of rq-scheduler's entries, which it keeps so")
@pytest.mark.usefixtures("store")
@pytest.mark.parametrize("case", EVERY)
def test_a_thousand_lost_replies_change_nothing(
    case: Case, server: Server, tmp_path: Path
) -> None:
    with losing(server, tmp_path, TIMES) as way:
        case(way)

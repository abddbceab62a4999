"""The example's page in a real browser."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest
from photos.darkroom import Darkroom

from tests.guide.site import site
from tests.support.browser import PROGRAM, browser
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from pathlib import Path

    import redis
    from photos.media import Media

    from tests.support.server import Server

# A page that has nothing to do looks again after 3 s; here it never does.
NEVER_IDLE = """
const later = window.setTimeout;
window.setTimeout = (run, wait) => wait < 3000 ? later(run, wait) : 0;
"""


@pytest.mark.skipif(PROGRAM is None, reason="no chromium here")
def test_a_published_sheet_is_shown_without_waiting_for_the_next_idle_look(
    server: Server, client: redis.Redis, media: Media, project: Path, tmp_path: Path
) -> None:
    with (
        site(project, media.root, server.url) as page,
        browser(tmp_path / "browser") as seen,
    ):
        seen.open(str(page.base_url), first=NEVER_IDLE)
        wait_until(
            lambda: seen.value(
                "document.getElementById('summary')?.textContent.startsWith('Nothing')"
            ),
            timeout=60,
            waiting_for="an idle page",
        )
        seen.value("document.getElementById('publish').click()")
        wait_until(
            lambda: client.llen("rq:queue:default") == 1,
            timeout=60,
            waiting_for="the job",
        )
        Darkroom(media).contact_sheet(now=time.time())
        wait_until(
            lambda: (
                "published at"
                in seen.value("document.getElementById('sheet-note').textContent")
            ),
            timeout=60,
            waiting_for="the sheet",
        )

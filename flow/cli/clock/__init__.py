"""flow clock: enqueues what is due, and shows and changes what it will."""

from __future__ import annotations

from flow.cli.clock import adopt, edits, preview, upsert, views
from flow.cli.clock.run import clock

for _command in (
    *(views.listing, views.history, preview.preview),
    *(edits.pause, edits.resume, edits.run_now, edits.skip_next),
    *(edits.backfill, edits.remove, upsert.upsert, adopt.adopt),
):
    clock.add_command(_command)

__all__ = ["clock"]

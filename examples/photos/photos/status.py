"""What the page shows: everything there is to see, in one piece of JSON."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from flow import Job
from flow.errors import FlowError, NoSuchJob

if TYPE_CHECKING:
    from photos.gallery import Gallery
    from photos.records import Step

SHOWN = 60  # pictures


def status(gallery: Gallery) -> dict[str, object]:
    """Return the newest pictures with the state of each of their steps."""
    pictures = gallery.pictures(SHOWN)
    steps: dict[str, list[dict[str, object]]] = {picture.id: [] for picture in pictures}
    for step in gallery.steps(SHOWN):
        shown: dict[str, object] = {**asdict(step), "state": _state(step)}
        steps.setdefault(step.picture, []).append(shown)
    return {
        "pictures": [asdict(one) | {"steps": steps[one.id]} for one in pictures],
        "chores": [asdict(one) for one in gallery.chores()],
    }


def _state(step: Step) -> str:
    """Return the state of a step in RQ's words, and in ours where it has no job."""
    if step.made_by:
        return "finished"
    if step.job is None:
        return "not queued"
    try:
        return str(Job[object](step.job).status)
    except NoSuchJob:
        return "expired"
    except FlowError:  # the page stays readable while Redis is away
        return "unknown"

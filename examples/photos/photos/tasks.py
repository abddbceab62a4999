"""The tasks of the app: all that flow has to know.

A job may run twice: the process that ran it may be killed after the work and
before the word that it was done. So each task here leaves the same behind when
it runs again: its file has a name that follows from the picture, is written
under another name, and takes its own only when it is whole (``media.written``).
"""

from __future__ import annotations

import time

from flow import cron, every, task
from photos.darkroom import Darkroom
from photos.media import Media
from photos.settings import ORPHAN_AGE, PREVIEW, SETTINGS, WIDTHS

DARKROOM = Darkroom(Media(SETTINGS.media))


# Somebody is looking at the page: ahead of all other work, on the urgent lane.
@task(urgent=True, retries=3, timeout=30)
def preview(picture: str) -> str:
    """Make the small picture that the page shows within a blink."""
    return DARKROOM.resize(picture, "preview", PREVIEW)


@task(retries=3, timeout=60)
def rendition(picture: str, width: int) -> str:
    """Make the picture in one width, without what the camera wrote into it."""
    return DARKROOM.resize(picture, str(width), width)


@task(retries=3, timeout=60)
def palette(picture: str) -> list[str]:
    """Find the picture's main colours."""
    return DARKROOM.palette(picture)


@cron("* * * * *", tz="Europe/London")
@task(timeout=60)
def contact_sheet() -> str:
    """Publish one picture of all pictures, each minute."""
    return DARKROOM.contact_sheet(now=time.time())


@every(SETTINGS.tidy_every)
@task(timeout=60)
def remove_orphans() -> str:
    """Remove the files of pictures that are gone."""
    return DARKROOM.remove_orphans(now=time.time(), age=ORPHAN_AGE)


def develop(picture: str) -> None:
    """Enqueue all that is still to be made of a picture."""
    missing = DARKROOM.gallery.missing(picture)
    jobs: dict[str, str] = {}
    if "preview" in missing:
        jobs["preview"] = preview.enqueue(picture).id
    if "palette" in missing:
        jobs["palette"] = palette.enqueue(picture).id
    widths = [width for width in WIDTHS if str(width) in missing]
    # Many jobs travel together: one round trip, whatever their number.
    made = rendition.enqueue_many(rendition.call(picture, width=w) for w in widths)
    jobs |= {str(width): job.id for width, job in zip(widths, made, strict=True)}
    DARKROOM.gallery.queued(picture, jobs)

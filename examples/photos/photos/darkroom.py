"""The work that jobs do: from the original to a file, and a note of who made it."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass

from photos import images, orphans
from photos.gallery import Gallery
from photos.media import Media, written
from photos.records import Chore, Step
from photos.settings import process_name

ON_A_SHEET = 48  # pictures
GONE = "the picture was removed"


@dataclass(frozen=True)
class Darkroom:
    """What one process makes; every method may run twice and leave the same."""

    media: Media

    @property
    def gallery(self) -> Gallery:
        """The gallery that is noted in."""
        return Gallery(self.media.database)

    def resize(self, picture: str, step: str, width: int) -> str:
        """Make the picture of a step, at most ``width`` pixels wide."""
        began = time.perf_counter()
        original = self.media.original(picture)
        if not original.exists():
            return GONE
        with written(self.media.made(picture, step)) as target:
            made = images.shrink(original, target, width)
        note = "{} by {}".format(*made)
        self._made(picture, step, began, note)
        return note

    def palette(self, picture: str) -> list[str]:
        """Find the main colours of a picture."""
        began = time.perf_counter()
        original = self.media.original(picture)
        if not original.exists():
            return []
        colours = images.palette(original)
        self._made(picture, "palette", began, json.dumps(colours))
        return colours

    def contact_sheet(self, now: float) -> str:
        """Publish one picture of the newest previews."""
        pictures = [picture.id for picture in self.gallery.pictures(ON_A_SHEET)]
        made = [self.media.made(picture, "preview") for picture in pictures]
        previews = [file for file in made if file.exists()]
        if previews:
            with written(self.media.contact_sheet) as target:
                images.contact_sheet(previews, target)
        else:
            self.media.contact_sheet.unlink(missing_ok=True)
        note = f"{len(previews)} picture{'' if len(previews) == 1 else 's'}"
        self.gallery.did(Chore("contact sheet", now, process_name(), note))
        return note

    def remove_orphans(self, now: float, age: float) -> str:
        """Remove what belongs to no picture any more, if it is older than ``age``."""
        removed = orphans.remove(self.media, self.gallery, before=now - age)
        note = f"{removed} removed"
        self.gallery.did(Chore("remove orphans", now, process_name(), note))
        return note

    def _made(self, picture: str, step: str, began: float, note: str) -> None:
        seconds = time.perf_counter() - began
        self.gallery.made(Step(picture, step, None, process_name(), seconds, note))

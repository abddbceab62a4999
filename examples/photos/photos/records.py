"""What the gallery keeps: one frozen record a row."""

from __future__ import annotations

from dataclasses import dataclass

from photos.settings import WIDTHS

STEPS = ("preview", *(str(width) for width in WIDTHS), "palette")


@dataclass(frozen=True)
class Picture:
    """A picture that was taken in.

    Args:
        id: the hash of its bytes, which also names its files.
        name: what the sender called it; only ever shown.
        width: in pixels, the right way up.
        height: likewise.
        added: in seconds since 1970.
        received_by: the process that took it in.
    """

    id: str
    name: str
    width: int
    height: int
    added: float
    received_by: str


@dataclass(frozen=True)
class Step:
    """One thing to be made of a picture.

    Args:
        picture: the picture's id.
        name: one of ``STEPS``.
        job: the id of the job that is to make it, once it is queued.
        made_by: the process that made it, once it is made.
        seconds: how long that took.
        note: what there is to tell, such as the colours that were found.
    """

    picture: str
    name: str
    job: str | None = None
    made_by: str | None = None
    seconds: float | None = None
    note: str = ""


@dataclass(frozen=True)
class Chore:
    """The last run of a task that is not about one picture.

    Args:
        name: of the task.
        at: when it ended, in seconds since 1970.
        made_by: the process that ran it.
        note: what it did.
    """

    name: str
    at: float
    made_by: str
    note: str

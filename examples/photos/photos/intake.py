"""Takes a picture in: the same checks for a browser's upload and for a folder."""

from __future__ import annotations

import hashlib
import threading
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import IO, TYPE_CHECKING

from photos import images
from photos.records import Picture
from photos.settings import MAX_BYTES, process_name

if TYPE_CHECKING:
    from photos.gallery import Gallery
    from photos.media import Media

CHUNK = 256 * 1024  # bytes
ID_LENGTH = 32  # hexadecimal digits: 128 bits of SHA-256
LABEL_LENGTH = 120  # characters

# One at a time: fifty million pixels need 200 MB while they are looked at.
_looking = threading.Lock()


def accept(
    source: IO[bytes], name: str, *, now: float, media: Media, gallery: Gallery
) -> str:
    """Check a picture, keep it, and return its id.

    Args:
        source: the bytes of the file.
        name: what the sender calls it: shown, and never used as a path.
        now: in seconds since 1970.
        media: where the file goes.
        gallery: where it is noted.

    Raises:
        photos.images.Refused: it is no picture, damaged or too large.
    """
    media.incoming.mkdir(parents=True, exist_ok=True)
    with NamedTemporaryFile(dir=media.incoming, delete=False) as copy:
        draft = Path(copy.name)
        try:
            picture = _copy(source, copy)
            copy.flush()
            with _looking:
                size = images.check(draft)
            # The row comes before the file: a file without one is an orphan.
            gallery.add(Picture(picture, label(name), *size, now, process_name()))
            _place(draft, media.original(picture))
        finally:
            draft.unlink(missing_ok=True)
    return picture


def _copy(source: IO[bytes], target: IO[bytes]) -> str:
    digest = hashlib.sha256()
    size = 0
    while chunk := source.read(CHUNK):
        size += len(chunk)
        if size > MAX_BYTES:
            raise images.TooLarge(f"the file has more than {MAX_BYTES >> 20} MB")
        digest.update(chunk)
        target.write(chunk)
    return digest.hexdigest()[:ID_LENGTH]


def _place(draft: Path, original: Path) -> None:
    original.parent.mkdir(parents=True, exist_ok=True)
    draft.replace(original)


def label(name: str) -> str:
    """Return a name to show: one line, no folders, nothing invisible."""
    last = name.replace("\\", "/").rstrip("/").rpartition("/")[2]
    shown = "".join(letter for letter in last if letter.isprintable()).strip()
    return shown[:LABEL_LENGTH] or "untitled"

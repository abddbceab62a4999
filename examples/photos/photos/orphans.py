"""What a killed process or a removed picture leaves behind, and its removal."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from photos.gallery import Gallery
    from photos.media import Media


def remove(media: Media, gallery: Gallery, *, before: float) -> int:
    """Remove files without a picture, and pictures without a file.

    Args:
        media: the files.
        gallery: the pictures.
        before: in seconds since 1970; what is younger stays, as it may belong
            to an upload or a job that is under way.

    Returns:
        How many were removed.
    """
    # Files first, pictures second: what is added in between is known then.
    old = [(owner, file) for owner, file in media.of_pictures() if _old(file, before)]
    known = {picture.id: picture for picture in gallery.pictures()}
    strays = [file for owner, file in old if owner not in known]
    for file in strays:
        file.unlink(missing_ok=True)
    lost = [
        picture.id
        for picture in known.values()
        if picture.added < before and not media.original(picture.id).exists()
    ]
    return len(strays) + sum(gallery.remove(picture) for picture in lost)


def _old(file: Path, before: float) -> bool:
    try:
        return file.stat().st_mtime < before
    except FileNotFoundError:  # another process was quicker
        return False

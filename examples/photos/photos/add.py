"""``python -m photos.add FOLDER``: puts a folder of photographs into the gallery."""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path

from flow.errors import FlowError
from photos.gallery import Gallery, NotMigrated
from photos.images import Refused
from photos.intake import accept
from photos.media import Media
from photos.settings import SETTINGS
from photos.tasks import develop


def main() -> None:
    """Add every picture in a folder and the folders in it; skip all else."""
    parser = argparse.ArgumentParser(prog="python -m photos.add", description=__doc__)
    parser.add_argument("folder", type=Path, help="with all the folders in it")
    folder: Path = parser.parse_args().folder
    if not folder.is_dir():
        parser.error(f"{folder} is not a folder")
    try:
        added, skipped = add_folder(folder)
    except (FlowError, NotMigrated) as error:
        parser.exit(2, f"photos: {error}\n")
    except KeyboardInterrupt:
        parser.exit(130, "photos: stopped; start it again to go on\n")
    _say(f"{added} pictures added, {skipped} files skipped")


def add_folder(folder: Path) -> tuple[int, int]:
    """Add the pictures of a folder, and tell of each file what became of it.

    Returns:
        How many were added, and how many skipped.
    """
    files = _files(folder)
    added = 0
    for number, file in enumerate(files, start=1):
        try:
            add(file)
            outcome = "added"
            added += 1
        except (Refused, OSError) as error:
            outcome = f"skipped: {error}"
        _say(f"[{number}/{len(files)}] {file.relative_to(folder)}: {outcome}")
    return added, len(files) - added


def add(file: Path) -> None:
    """Take one file in, and enqueue what is to be made of it."""
    media = Media(SETTINGS.media)
    gallery = Gallery(media.database)
    with file.open("rb") as source:
        now = time.time()
        picture = accept(source, file.name, now=now, media=media, gallery=gallery)
    develop(picture)


def _files(folder: Path) -> list[Path]:
    found = (
        Path(where, name)
        for where, _, names in os.walk(folder)
        for name in names
        if not name.startswith(".")
    )
    # Not pipes, which would never end; and not what this app has made itself.
    own = SETTINGS.media
    return sorted(f for f in found if f.is_file() and own not in f.absolute().parents)


def _say(line: str) -> None:
    # A name that is not UTF-8 is still told.
    sys.stdout.buffer.write(line.encode(errors="replace") + b"\n")
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()

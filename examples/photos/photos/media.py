"""The files of the gallery: where each one is, and how one is written."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator


@dataclass(frozen=True)
class Media:
    """The folder of the gallery; a picture's id is the hash of its bytes."""

    root: Path

    @property
    def database(self) -> Path:
        """The SQLite file."""
        return self.root / "photos.sqlite3"

    @property
    def incoming(self) -> Path:
        """The folder of uploads under way."""
        return self.root / "incoming"

    @property
    def contact_sheet(self) -> Path:
        """The picture of all pictures."""
        return self.root / "contact-sheet.webp"

    def original(self, picture: str) -> Path:
        """Return the file as it was uploaded; it is never shown to anyone."""
        return self.root / "originals" / picture

    def made(self, picture: str, step: str) -> Path:
        """Return the file that a step makes of a picture."""
        return self.root / "made" / f"{picture}-{step}.webp"

    def of_pictures(self) -> Iterator[tuple[str, Path]]:
        """Yield every file that belongs to a picture, with the picture's id."""
        for folder in ("originals", "made", "incoming"):
            for file in (self.root / folder).glob("*"):
                yield file.name.split("-")[0], file


@contextlib.contextmanager
def written(target: Path) -> Generator[IO[bytes]]:
    """Open a file that takes the target's name only once it is whole.

    Nobody ever reads half a picture, and a job that runs twice, even at the
    same time, replaces a file by its equal.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    with NamedTemporaryFile(
        dir=target.parent, prefix="unfinished-", delete=False
    ) as file:
        try:
            yield file
        except BaseException:
            Path(file.name).unlink(missing_ok=True)
            raise
    Path(file.name).replace(target)

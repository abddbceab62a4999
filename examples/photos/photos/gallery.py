"""The gallery's memory in SQLite: its pictures, and who made what of them."""

from __future__ import annotations

import contextlib
import sqlite3
from dataclasses import dataclass
from typing import TYPE_CHECKING

from photos.records import STEPS, Chore, Picture, Step

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping
    from pathlib import Path


class NotMigrated(Exception):
    """The database is not there yet."""


@dataclass(frozen=True)
class Gallery:
    """One database, which any number of processes and threads may use at once."""

    database: Path

    @contextlib.contextmanager
    def _open(self) -> Generator[sqlite3.Connection]:
        if not self.database.exists():
            raise NotMigrated(f"no {self.database}: run python -m photos.migrate first")
        # A writer waits for another's few milliseconds instead of failing.
        connection = sqlite3.connect(self.database, timeout=10)
        with contextlib.closing(connection), connection:
            connection.execute("PRAGMA foreign_keys = ON")
            yield connection

    def add(self, picture: Picture) -> None:
        """Add a picture and its steps; one that is there already stays as it is."""
        row = (picture.id, picture.name, picture.width, picture.height)
        with self._open() as db:
            db.execute(
                "INSERT OR IGNORE INTO pictures VALUES (?, ?, ?, ?, ?, ?)",
                (*row, picture.added, picture.received_by),
            )
            db.executemany(
                "INSERT OR IGNORE INTO steps (picture, name) VALUES (?, ?)",
                [(picture.id, step) for step in STEPS],
            )

    def remove(self, picture: str) -> bool:
        """Forget a picture; its files go with the next removal of orphans."""
        with self._open() as db:
            found = db.execute("DELETE FROM pictures WHERE id = ?", (picture,))
            return found.rowcount > 0

    def queued(self, picture: str, jobs: Mapping[str, str]) -> None:
        """Note which job is to make each step."""
        with self._open() as db:
            db.executemany(
                "UPDATE steps SET job = ? WHERE picture = ? AND name = ?",
                [(job, picture, step) for step, job in jobs.items()],
            )

    def made(self, step: Step) -> None:
        """Note who made a step; for a picture that is gone, nothing is noted."""
        with self._open() as db:
            db.execute(
                "UPDATE steps SET made_by = ?, seconds = ?, note = ?"
                " WHERE picture = ? AND name = ?",
                (step.made_by, step.seconds, step.note, step.picture, step.name),
            )

    def did(self, chore: Chore) -> None:
        """Note the last run of a chore."""
        with self._open() as db:
            db.execute(
                "INSERT OR REPLACE INTO chores VALUES (?, ?, ?, ?)",
                (chore.name, chore.at, chore.made_by, chore.note),
            )

    def missing(self, picture: str) -> set[str]:
        """Return the steps of a picture that nobody has made yet."""
        with self._open() as db:
            found = db.execute(
                "SELECT name FROM steps WHERE picture = ? AND made_by IS NULL",
                (picture,),
            )
            return {name for (name,) in found}

    def pictures(self, limit: int = -1) -> list[Picture]:
        """Return the newest pictures; without a limit, all of them."""
        with self._open() as db:
            found = db.execute(
                "SELECT * FROM pictures ORDER BY added DESC, id LIMIT ?", (limit,)
            )
            return [Picture(*row) for row in found]

    def steps(self, limit: int = -1) -> list[Step]:
        """Return the steps of the newest pictures; without a limit, of all."""
        with self._open() as db:
            found = db.execute(
                "SELECT picture, name, job, made_by, seconds, note FROM steps"
                " WHERE picture IN"
                " (SELECT id FROM pictures ORDER BY added DESC, id LIMIT ?)"
                " ORDER BY rowid",
                (limit,),
            )
            return [Step(*row) for row in found]

    def chores(self) -> list[Chore]:
        """Return the last run of each chore."""
        with self._open() as db:
            found = db.execute("SELECT name, at, made_by, note FROM chores")
            return [Chore(*row) for row in found]

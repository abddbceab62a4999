"""``python -m photos.migrate``: brings the database up to date (the release phase)."""

from __future__ import annotations

import sqlite3
import sys
from contextlib import closing
from typing import TYPE_CHECKING

from photos.media import Media
from photos.settings import SETTINGS

if TYPE_CHECKING:
    from pathlib import Path

# Add to the end, and never change a line that was once deployed.
MIGRATIONS = (
    """CREATE TABLE pictures (
        id TEXT PRIMARY KEY, name TEXT NOT NULL,
        width INTEGER NOT NULL, height INTEGER NOT NULL,
        added REAL NOT NULL, received_by TEXT NOT NULL) STRICT""",
    """CREATE TABLE steps (
        picture TEXT NOT NULL REFERENCES pictures ON DELETE CASCADE,
        name TEXT NOT NULL, job TEXT,
        made_by TEXT, seconds REAL, note TEXT NOT NULL DEFAULT '',
        PRIMARY KEY (picture, name)) STRICT""",
    """CREATE TABLE chores (
        name TEXT PRIMARY KEY, at REAL NOT NULL,
        made_by TEXT NOT NULL, note TEXT NOT NULL) STRICT""",
)


def migrate(database: Path) -> int:
    """Apply what is missing; two at once, or a second time, do no harm.

    Returns:
        How many migrations were applied.
    """
    database.parent.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(database, timeout=30, isolation_level=None)) as db:
        # Readers never wait for a writer: the page stays quick while workers write.
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("BEGIN IMMEDIATE")
        (version,) = db.execute("PRAGMA user_version").fetchone()
        for migration in MIGRATIONS[version:]:
            db.execute(migration)
        db.execute(f"PRAGMA user_version = {max(version, len(MIGRATIONS))}")
        db.execute("COMMIT")
    return len(MIGRATIONS[version:])


def main() -> None:
    """Migrate the database of this environment."""
    media = Media(SETTINGS.media)
    applied = migrate(media.database)
    sys.stdout.write(f"{media.database}: {applied} migrations applied\n")


if __name__ == "__main__":
    main()

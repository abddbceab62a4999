"""What the example takes in, remembers and cleans up."""

from __future__ import annotations

import io
import os
import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import TYPE_CHECKING

import pytest
from photos import images, intake, orphans, samples
from photos.darkroom import Darkroom
from photos.gallery import Gallery, NotMigrated
from photos.media import Media, written
from photos.migrate import MIGRATIONS, migrate
from photos.records import STEPS
from photos.settings import MAX_BYTES, load

if TYPE_CHECKING:
    from pathlib import Path

NOW = 1_800_000_000.0


def take_in(media: Media, number: int = 0, now: float = NOW) -> str:
    name, content = samples.paint(number)
    gallery = Gallery(media.database)
    return intake.accept(
        io.BytesIO(content), name, now=now, media=media, gallery=gallery
    )


def make_all(media: Media, picture: str) -> None:
    darkroom = Darkroom(media)
    darkroom.palette(picture)
    for step in STEPS[:-1]:
        darkroom.resize(picture, step, 100)


def files(media: Media) -> set[str]:
    return {file.name for _, file in media.of_pictures()}


def age_all(media: Media, modified: float) -> None:
    for _, file in media.of_pictures():
        os.utime(file, (modified, modified))


def test_a_picture_is_kept_under_the_hash_of_its_bytes(
    media: Media, gallery: Gallery
) -> None:
    picture = take_in(media)

    assert media.original(picture).read_bytes() == samples.paint(0)[1]
    (kept,) = gallery.pictures()
    assert (kept.id, kept.name) == (picture, "sunrise.jpg")
    assert (kept.width, kept.height, kept.added) == (1800, 1200, NOW)
    assert gallery.missing(picture) == set(STEPS)
    assert files(media) == {picture}


def test_the_same_picture_twice_is_one_picture(media: Media, gallery: Gallery) -> None:
    picture = take_in(media)
    make_all(media, picture)

    assert take_in(media, now=NOW + 5) == picture
    (kept,) = gallery.pictures()
    assert kept.added == NOW
    assert gallery.missing(picture) == set()


def test_a_file_that_is_refused_leaves_nothing(media: Media, gallery: Gallery) -> None:
    bad = {
        "text.jpg": b"not a picture",
        "short.jpg": samples.paint(0)[1][:30_000],
        "empty.png": b"",
        "huge.png": bytes(MAX_BYTES + 1),
    }
    for name, content in bad.items():
        with pytest.raises(images.Refused):
            intake.accept(
                io.BytesIO(content), name, now=NOW, media=media, gallery=gallery
            )

    assert files(media) == set()
    assert gallery.pictures() == []


def test_an_upload_of_exactly_the_limit_is_looked_at(
    media: Media, gallery: Gallery
) -> None:
    content = samples.paint(0)[1].ljust(MAX_BYTES, b"\0")
    intake.accept(io.BytesIO(content), "full", now=NOW, media=media, gallery=gallery)

    with pytest.raises(images.TooLarge, match="more than 20 MB"):
        intake.accept(
            io.BytesIO(content + b"\0"), "over", now=NOW, media=media, gallery=gallery
        )


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("cat.jpg", "cat.jpg"),
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\me\\dog.png", "dog.png"),
        ("a\r\nb\x00\u202egpj.exe", "abgpj.exe"),
        ("\udcff.jpg", ".jpg"),
        ("", "untitled"),
        ("/", "untitled"),
        ("x" * 500, "x" * 120),
        ("<b>Müller & Söhne</b>.jpg", "b>.jpg"),
        ("猫 .png", "猫 .png"),
    ],
)
def test_a_name_is_one_line_to_show(name: str, shown: str) -> None:
    assert intake.label(name) == shown


def test_a_step_says_who_made_it(
    media: Media, gallery: Gallery, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DYNO", "worker.7")
    picture = take_in(media)
    Darkroom(media).resize(picture, "480", 480)
    monkeypatch.delenv("DYNO")
    Darkroom(media).resize(picture, "960", 960)

    made = {step.name: step for step in gallery.steps()}
    assert (made["480"].made_by, made["480"].note) == ("worker.7", "480 by 320")
    assert (made["960"].made_by or "").endswith(f"-{os.getpid()}")
    assert gallery.missing(picture) == {"preview", "1600", "palette"}


def test_a_step_that_runs_twice_leaves_the_same(media: Media) -> None:
    picture = take_in(media)
    make_all(media, picture)
    first = media.made(picture, "480").read_bytes()
    names = files(media)

    with ThreadPoolExecutor() as pool:
        again = [pool.submit(make_all, media, picture) for _ in range(4)]
    assert [run.exception() for run in again] == [None] * 4

    assert media.made(picture, "480").read_bytes() == first
    assert files(media) == names


def test_a_job_of_a_removed_picture_ends_quietly(
    media: Media, gallery: Gallery
) -> None:
    picture = take_in(media)
    assert gallery.remove(picture)
    assert not gallery.remove(picture)
    media.original(picture).unlink()

    make_all(media, picture)

    assert files(media) == set()
    assert gallery.steps() == []


def test_a_file_appears_only_when_it_is_whole(tmp_path: Path) -> None:
    target = tmp_path / "folder" / "target"
    closed = io.BytesIO()
    closed.close()
    with pytest.raises(ValueError, match="closed"), written(target) as file:
        file.writelines([b"half", closed.getvalue()])

    assert list(target.parent.iterdir()) == []


def test_files_without_a_picture_are_removed_when_they_are_old(
    media: Media, gallery: Gallery
) -> None:
    kept, removed = take_in(media, 0), take_in(media, 1)
    make_all(media, kept)
    make_all(media, removed)
    left = files(media)
    (media.incoming / "tmpkilled").write_bytes(b"half an upload")
    (media.root / "made" / "unfinished-x").write_bytes(b"half a rendition")
    gallery.remove(removed)

    age_all(media, NOW - 30)
    assert orphans.remove(media, gallery, before=NOW - 60) == 0
    age_all(media, NOW - 90)
    assert orphans.remove(media, gallery, before=NOW - 60) == 7

    assert files(media) == {name for name in left if not name.startswith(removed)}
    assert [picture.id for picture in gallery.pictures()] == [kept]


def test_a_picture_without_its_file_is_forgotten(
    media: Media, gallery: Gallery
) -> None:
    picture = take_in(media, now=NOW - 90)
    media.original(picture).unlink()

    assert orphans.remove(media, gallery, before=NOW - 60) == 1
    assert gallery.pictures() == []


def test_the_contact_sheet_goes_with_the_last_picture(
    media: Media, gallery: Gallery
) -> None:
    picture = take_in(media)
    darkroom = Darkroom(media)
    make_all(media, picture)
    assert darkroom.contact_sheet(NOW) == "1 picture"
    assert media.contact_sheet.exists()

    gallery.remove(picture)

    assert darkroom.contact_sheet(NOW) == "0 pictures"
    assert not media.contact_sheet.exists()


def test_ten_releases_at_once_make_each_table_once(
    tmp_path: Path, project: Path
) -> None:
    environ = os.environ | {"PHOTOS_MEDIA": str(tmp_path / "media")}
    releases = [
        subprocess.Popen(
            [sys.executable, "-m", "photos.migrate"],
            cwd=project,
            env=environ,
            stdout=subprocess.PIPE,
        )
        for _ in range(10)
    ]
    said = b"".join(release.communicate()[0] for release in releases)

    assert [release.returncode for release in releases] == [0] * 10
    assert said.count(b": 0 migrations") == 9
    database = tmp_path / "media" / "photos.sqlite3"
    with closing(sqlite3.connect(database)) as db:
        assert db.execute("PRAGMA user_version").fetchone() == (len(MIGRATIONS),)
        assert db.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_an_older_release_leaves_a_newer_database_alone(tmp_path: Path) -> None:
    database = tmp_path / "photos.sqlite3"
    migrate(database)
    with closing(sqlite3.connect(database)) as db:
        db.execute("PRAGMA user_version = 99")

    assert migrate(database) == 0
    with closing(sqlite3.connect(database)) as db:
        assert db.execute("PRAGMA user_version").fetchone() == (99,)


def test_a_gallery_without_tables_says_what_to_run(tmp_path: Path) -> None:
    with pytest.raises(NotMigrated, match=r"run python -m photos\.migrate first"):
        Gallery(tmp_path / "none").pictures()


def test_many_processes_note_their_work_at_the_same_time(
    media: Media, gallery: Gallery
) -> None:
    pictures = [take_in(media, number) for number in range(4)]
    script = (
        "import sys; from pathlib import Path; from photos.records import *;"
        "from photos.gallery import Gallery; gallery = Gallery(Path(sys.argv[1]))\n"
        "for _ in range(50):\n"
        "  for s in STEPS: gallery.made(Step(sys.argv[2], s, made_by='x', seconds=1.0))"
    )
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", script, str(media.database), picture],
            env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        )
        for picture in pictures
    ]

    assert [writer.wait() for writer in writers] == [0] * 4
    assert all(step.made_by == "x" for step in gallery.steps())


def test_settings_come_from_the_environment() -> None:
    chosen = load(
        {"PHOTOS_MEDIA": "/srv/p", "PHOTOS_TIDY_EVERY": "5", "PHOTOS_HOSTS": "a,b"}
    )
    assert (str(chosen.media), chosen.tidy_every, chosen.hosts) == (
        "/srv/p",
        5.0,
        ("a", "b"),
    )
    assert load({}).hosts == ("127.0.0.1", "localhost")

"""The example app: its folder on the path, and a gallery for each test."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

PROJECT = Path(__file__).resolve().parents[2] / "examples" / "photos"
sys.path.insert(0, str(PROJECT))

if TYPE_CHECKING:
    from photos.gallery import Gallery
    from photos.media import Media


@pytest.fixture
def project() -> Path:
    """The folder of the example."""
    return PROJECT


@pytest.fixture
def media(tmp_path: Path) -> Media:
    """A media folder with its tables."""
    from photos.media import Media  # noqa: PLC0415 - the path is set above
    from photos.migrate import migrate  # noqa: PLC0415

    media = Media(tmp_path / "my media")
    migrate(media.database)
    return media


@pytest.fixture
def gallery(media: Media) -> Gallery:
    """The gallery of the media folder."""
    from photos.gallery import Gallery  # noqa: PLC0415 - the path is set above

    return Gallery(media.database)

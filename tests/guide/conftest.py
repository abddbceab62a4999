"""What the guide's tests begin with: the example app, a shop, and a queue of RQ's."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.apps import RQ, Shop, Untyped

PROJECT = Path(__file__).resolve().parents[2] / "examples" / "photos"
sys.path.insert(0, str(PROJECT))

if TYPE_CHECKING:
    from photos.gallery import Gallery
    from photos.media import Media

    from flow.store.client import Store
    from tests.support.server import Server


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


@pytest.fixture
def shop(server: Server, store: Store, tmp_path: Path) -> Shop:
    """An app in a folder of its own, whose jobs go to this test's server."""
    assert store.link.address.url == server.url
    return Shop(server.url, tmp_path)


@pytest.fixture
def queue(client: Untyped) -> Untyped:
    """A queue as an RQ shop has it."""
    return RQ.Queue(connection=client)

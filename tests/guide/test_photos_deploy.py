"""A new release of the example takes over, and nobody who visits it notices."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.guide.rolling import deploy_under_load
from tests.runner.conftest import free_port

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.server import Server

__all__ = ["free_port"]  # a fixture


def test_two_releases_take_over_without_a_failed_request_or_a_lost_job(
    tmp_path: Path,
    server: Server,
    free_port: int,
) -> None:
    deploy_under_load(tmp_path, server.url, free_port, 2)

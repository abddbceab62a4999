"""A project in a short place, and processes that use its server."""

from __future__ import annotations

import tempfile
from contextlib import ExitStack, closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.projectserver import TIMEOUT, User, processes
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@pytest.fixture
def project() -> Iterator[Path]:
    # Not tmp_path: its length would decide where the socket lies.
    with tempfile.TemporaryDirectory(prefix="flow-test-") as name:
        folder = Path(name).resolve()
        yield folder
        wait_until(
            lambda: not processes(folder),
            timeout=TIMEOUT,
            waiting_for="every server and guard to have ended",
        )


@pytest.fixture
def state(project: Path) -> Path:
    return project / ".flow"


@pytest.fixture
def user(state: Path) -> Iterator[Callable[..., User]]:
    with ExitStack() as stack:

        def begin(*wrapper: str, at: Path = state) -> User:
            return stack.enter_context(closing(User(at, *wrapper)))

        yield begin

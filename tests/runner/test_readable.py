from __future__ import annotations

import os
import resource
from typing import TYPE_CHECKING

import pytest

from flow.runner.readable import readable

if TYPE_CHECKING:
    from collections.abc import Iterator

MANY = 1100  # more than select can count
Pipe = tuple[int, int]


@pytest.fixture
def crowded() -> Iterator[None]:
    """Leave only numbers from 1024 on for what is opened."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    least = MANY + 100
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(before[0], least), before[1]))
    taken = [os.open(os.devnull, os.O_RDONLY) for _ in range(MANY)]
    yield
    for descriptor in taken:
        os.close(descriptor)
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


@pytest.fixture
def pipes(crowded: None) -> Iterator[tuple[Pipe, Pipe]]:
    del crowded
    both = os.pipe(), os.pipe()
    yield both
    for descriptor in (end for pipe in both for end in pipe):
        os.close(descriptor)


def test_what_can_be_read_is_told_among_more_than_a_thousand_descriptors(
    pipes: tuple[Pipe, Pipe],
) -> None:
    (first, writer), (second, _) = pipes
    assert second > 1023
    assert readable([first, second], timeout=0) == set()
    os.write(writer, b"one")
    assert readable([first, second]) == {first}


def test_an_end_can_be_read_too(crowded: None) -> None:
    del crowded
    reader, writer = os.pipe()
    os.close(writer)
    assert readable([reader]) == {reader}
    os.close(reader)


def test_a_file_can_always_be_read(crowded: None) -> None:
    del crowded
    with open(__file__, "rb") as file:  # noqa: PTH123 - a descriptor is meant
        assert readable([file.fileno()]) == {file.fileno()}

from __future__ import annotations

import errno
import os
import socket
import tempfile

import pytest

from flow.runner.output.sink import Sink

DATA = bytes(range(256)) * 4096  # 1 MiB, more than a pipe holds


def test_what_a_pipe_does_not_take_is_kept_and_nothing_waits() -> None:
    reader, writer = os.pipe()
    sink = Sink(writer)
    for start in range(0, len(DATA), 1000):
        sink.write(DATA[start : start + 1000])
    assert 0 < sink.size < len(DATA)
    taken = b""
    while len(taken) < len(DATA):
        taken += os.read(reader, 4096)
        sink.flush()
    assert taken == DATA
    assert sink.size == 0
    sink.close()
    os.close(reader)
    os.close(writer)


def test_the_descriptor_of_others_stays_blocking() -> None:
    reader, writer = os.pipe()
    sink = Sink(writer)
    sink.write(DATA)
    assert os.get_blocking(writer)
    sink.close()
    os.close(reader)
    os.close(writer)


def test_a_socket_that_is_full_stops_nothing() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        sink = Sink(ours.fileno())
        sink.write(DATA)
        assert 0 < sink.size < len(DATA)
        taken = b""
        while len(taken) < len(DATA):
            taken += theirs.recv(65536)
            sink.flush()
        assert taken == DATA
        assert ours.getblocking()
        sink.close()


def test_a_file_is_written_where_it_stands() -> None:
    with tempfile.TemporaryFile() as file:
        os.write(file.fileno(), b"before ")
        sink = Sink(file.fileno())
        sink.write(b"after")
        sink.close()
        file.seek(0)
        assert file.read() == b"before after"


@pytest.mark.parametrize("kind", ["pipe", "socket", "full disk", "closed"])
def test_a_reader_that_is_gone_is_noticed(kind: str) -> None:
    if kind == "pipe":
        reader, writer = os.pipe()
        os.close(reader)
        expected = errno.EPIPE
    elif kind == "socket":
        ours, theirs = socket.socketpair()
        theirs.close()
        writer, expected = ours.detach(), errno.EPIPE
    elif kind == "full disk":
        writer, expected = os.open("/dev/full", os.O_WRONLY), errno.ENOSPC
    else:
        writer, expected = os.open("/dev/null", os.O_WRONLY), errno.EBADF
        os.close(writer)
    sink = Sink(writer)
    sink.write(b"anybody?")
    assert sink.failure is not None
    assert sink.failure.errno == expected
    assert sink.size == 0
    sink.write(b"nobody.")
    assert sink.size == 0
    sink.close()
    if kind != "closed":
        os.close(writer)

"""RQ's webhooks in flow's workers: sent when the outcome is written, and only then."""

from __future__ import annotations

import contextlib
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.apps import RQ, Shop, Untyped
from tests.support.shop import callbacks, plain

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


WORKERS: dict[str, Callable[[Shop], str]] = {
    "flow": Shop.work,
    "rq": lambda shop: shop.rq_work("--worker-class", "rq.worker.SimpleWorker"),
}
LEAVES = pytest.mark.leaves_keys("RQ's worker keeps a failure's results for ever")


class Listener:
    """An address that notes what it is sent."""

    def __init__(self, heard: list[tuple[str, dict[str, Any]]], port: int) -> None:
        self.heard = heard
        self._port = port

    def hook(self, path: str, status: str, **options: str) -> Untyped:
        url = f"http://127.0.0.1:{self._port}/{path}"
        return RQ.Webhook(url, status, **options)

    def said(self) -> list[tuple[str, ...]]:
        """Return what came, without what differs from run to run, sorted."""
        names = ("job_id", "func_name", "status")
        return sorted(
            (path, *[body.get(name, "") for name in names]) for path, body in self.heard
        )


@pytest.fixture
def listener() -> Iterator[Listener]:
    heard: list[tuple[str, dict[str, Any]]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            body = json.loads(self.rfile.read(length)) if length else {}
            heard.append((self.path, body))
            self.send_response(500 if self.path == "/broken" else 200)
            self.end_headers()

        do_POST = do_GET  # noqa: N815 - http.server calls it so

        def log_message(self, format: str, *args: object) -> None: ...  # noqa: A002

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        with contextlib.ExitStack() as stack:
            stack.callback(thread.join)
            stack.callback(server.shutdown)
            yield Listener(heard, server.server_port)


@pytest.mark.parametrize("worker", ["flow", pytest.param("rq", marks=LEAVES)])
def test_webhooks_are_sent_as_rqs_worker_sends_them(
    worker: str, shop: Shop, queue: Untyped, listener: Listener
) -> None:
    post = {"method": "POST"}
    done = listener.hook("done", "finished", **post)
    failed = listener.hook("failed", "failed", **post)
    broken = listener.hook("broken", "finished")
    one = queue.enqueue(plain.add, 1, webhooks=[done, failed, broken])
    gone = queue.enqueue(plain.add, 1, webhooks=[done], result_ttl=0)
    repeated = queue.enqueue(plain.add, 1, webhooks=[done], repeat=RQ.Repeat(1))
    bad = queue.enqueue(plain.explode, "it", webhooks=[done, failed])
    retry = RQ.Retry(max=1)
    twice = queue.enqueue(plain.explode, "it", webhooks=[failed], retry=retry)
    again = queue.enqueue(plain.again, 1, webhooks=[done, failed])
    WORKERS[worker](shop)
    names = ("add", "explode", "again")
    add, explode, asked = (f"tests.support.shop.plain.{name}" for name in names)
    assert listener.said() == sorted(
        [
            ("/broken", "", "", ""),
            ("/done", one.id, add, "finished"),
            ("/done", gone.id, add, "finished"),
            ("/done", repeated.id, add, "finished"),
            ("/done", repeated.id, add, "finished"),
            ("/failed", bad.id, explode, "failed"),
            ("/failed", twice.id, explode, "failed"),
            ("/failed", again.id, asked, "failed"),
        ]
    )
    (told,) = [body for _, body in listener.heard if body.get("job_id") == bad.id]
    assert told["exc_info"].endswith("RuntimeError: it exploded\n")
    assert told["enqueued_at"] < told["ended_at"]
    assert one.get_status().value == "finished"


def test_nothing_is_sent_of_a_job_that_was_taken_away_while_it_ran(
    shop: Shop, queue: Untyped, listener: Listener
) -> None:
    done = listener.hook("done", "finished")
    queue.enqueue(callbacks.delete_me, webhooks=[done])
    shop.work()
    assert listener.heard == []

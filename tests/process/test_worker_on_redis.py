"""flow on a Redis of the system's, plain and behind TLS, as Heroku has it."""

from __future__ import annotations

import contextlib
import shutil
import socket
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import redis

from flow.store import current
from flow.store.address import Address
from flow.store.client import Store
from tests.support.promoting import promote
from tests.support.server import running
from tests.support.shop import tasks
from tests.support.waiting import wait_until
from tests.support.workers import burst

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

REDIS = shutil.which("redis-server")
OPENSSL = shutil.which("openssl")
ROOT = Path(__file__).parents[2]
SHOP = "tests.support.shop.tasks"

needs_redis = pytest.mark.skipif(
    REDIS is None, reason="no redis-server here; make test installs it where it may"
)
needs_openssl = pytest.mark.skipif(
    OPENSSL is None, reason="no openssl here to make a certificate with"
)


@contextlib.contextmanager
def using(url: str) -> Generator[Store]:
    """Make a server the one that this process enqueues to."""
    store = Store(Address(url, "the test"))
    current.use(store)
    try:
        yield store
    finally:
        current.use(None)
        store.link.close()


@needs_redis
def test_every_script_runs_on_debians_redis() -> None:
    assert REDIS
    with running(Path(REDIS)) as server, using(server.url) as store:
        info = server.client().info("server")
        assert "redis_version" in info
        jobs = tasks.echo.enqueue_many((n,) for n in range(300))
        later = tasks.echo.enqueue_in(0.01, "later")
        child = tasks.echo.options(depends_on=jobs[0]).enqueue("child")
        canceled = tasks.echo.enqueue("never")
        assert canceled.cancel()
        assert wait_until(lambda: promote(store)[0], waiting_for="its time")
        done = burst(server.url, SHOP, ROOT, "--processes", "2")
        assert done.returncode == 0, done.stderr
        assert [job.result(0) for job in jobs] == list(range(300))
        assert (later.result(0), child.result(0)) == ("later", "child")


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A self-signed certificate and its key, in one file, for this host."""
    pem = tmp_path / "both.pem"
    assert OPENSSL
    subprocess.run(
        [
            *(OPENSSL, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"),
            *("-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"),
            *("-keyout", str(pem), "-out", str(tmp_path / "certificate.pem")),
        ],
        check=True,
        capture_output=True,
    )
    public = (tmp_path / "certificate.pem").read_bytes()
    pem.write_bytes(pem.read_bytes() + public)
    return pem


@pytest.fixture
def tls_url(certificate: Path, tmp_path: Path) -> Iterator[str]:
    """The address of a Redis that speaks TLS alone."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    assert REDIS
    server = subprocess.Popen(
        [
            *(REDIS, "--port", "0", "--tls-port", str(port), "--bind", "127.0.0.1"),
            *("--tls-cert-file", str(certificate), "--tls-key-file", str(certificate)),
            *("--tls-auth-clients", "no", "--tls-ca-cert-file", str(certificate)),
            *("--save", "", "--dir", str(tmp_path)),
        ],
        stdout=subprocess.DEVNULL,
    )
    url = f"rediss://127.0.0.1:{port}"
    try:
        wait_until(lambda: _answers(url), waiting_for="a Redis behind TLS")
        yield url
    finally:
        server.kill()
        server.wait()


def _answers(url: str) -> bool:
    client = redis.Redis.from_url(f"{url}?ssl_cert_reqs=none")
    with contextlib.suppress(redis.RedisError), client:
        return bool(client.ping())
    return False


@needs_redis
@needs_openssl
@pytest.mark.parametrize("query", ["ssl_cert_reqs=none", "ssl_ca_certs={folder}"])
def test_jobs_run_behind_tls(tls_url: str, tmp_path: Path, query: str) -> None:
    url = f"{tls_url}?{query.format(folder=tmp_path / 'certificate.pem')}"
    with using(url):
        job = tasks.echo.enqueue("safely")
        done = burst(url, SHOP, ROOT)
        assert done.returncode == 0, done.stderr
        assert job.result(0) == "safely"


@needs_redis
@needs_openssl
def test_a_certificate_that_nobody_signed_is_refused_with_advice(tls_url: str) -> None:
    done = burst(tls_url, SHOP, ROOT)
    assert done.returncode == 2
    assert "CERTIFICATE_VERIFY_FAILED" in done.stderr
    assert "add ?ssl_cert_reqs=none to the URL" in done.stderr
    assert done.stderr.count("\n") == 1

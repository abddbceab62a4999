"""Every case there is, and the scripts that have none."""

from __future__ import annotations

from pathlib import Path

import pytest

import flow.store
from tests.support.losses import clocks, jobs, upkeep
from tests.support.losses.losing import CASES

ENTERED = (clocks, jobs, upkeep)  # importing them has entered their cases
SCRIPTS = sorted(
    script.stem for script in (Path(flow.store.__file__).parent / "lua").glob("*.lua")
)
WITHOUT = [script for script in SCRIPTS if script not in CASES]
_UNIQUE = {case.__name__: case for cases in CASES.values() for case in cases}
EVERY = [pytest.param(case, id=name) for name, case in sorted(_UNIQUE.items())]

"""docs/rq-compatibility.md says what the list of tests that do not apply says."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_page_has_every_reason_with_its_count() -> None:
    listed = tomllib.loads((ROOT / "tests/compat/not_applying.toml").read_text())
    page = (ROOT / "docs/rq-compatibility.md").read_text()
    rows = re.findall(r"^\| (\d+) \| (.+) \|$", page, re.MULTILINE)
    reasons = [(str(len(one["tests"])), one["why"]) for one in listed["reason"]]
    assert rows == reasons
    assert f"RQ {listed['rq']}, " in page

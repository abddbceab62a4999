from __future__ import annotations

import re
import sys

import pytest

from tests.packaging.compose import FILE, command_of, service
from tests.packaging.projects import ROOT, run

ROLES = ["worker", "urgentworker", "clock"]
AFTER_RELEASE = ["web", *ROLES]
PROCFILE = dict(
    re.findall(
        r"^(\w+): (.+)$",
        (ROOT / "examples/photos/Procfile").read_text(),
        flags=re.MULTILINE,
    )
)


def test_the_file_is_valid_by_the_compose_specification() -> None:
    check = [sys.executable, "-m", "check_jsonschema"]
    run(*check, "--builtin-schema", "vendor.compose-spec", FILE, cwd=ROOT)


@pytest.mark.parametrize("name", PROCFILE)
def test_a_service_runs_what_its_line_of_the_procfile_says(name: str) -> None:
    assert command_of(name) == PROCFILE[name].replace("$PORT", "5001")


def test_the_release_step_runs_once_and_after_the_server() -> None:
    assert service("release")["restart"] == "no"
    assert service("release")["depends_on"] == {
        "valkey": {"condition": "service_healthy"}
    }


@pytest.mark.parametrize("name", AFTER_RELEASE)
def test_nothing_starts_before_the_release_step_has_succeeded(name: str) -> None:
    needs = service(name)["depends_on"]
    assert needs["release"] == {"condition": "service_completed_successfully"}
    assert needs["valkey"] == {"condition": "service_healthy"}


@pytest.mark.parametrize("name", ROLES)
def test_a_roles_health_is_what_flow_says_of_it(name: str) -> None:
    asked = service(name)["healthcheck"]["test"]
    assert asked == ["CMD", "flow", "health", name, "--max-age", "30"]


@pytest.mark.parametrize("name", AFTER_RELEASE)
def test_a_role_has_the_time_to_let_its_jobs_end(name: str) -> None:
    assert service(name)["stop_grace_period"] == "30s"


def test_the_server_keeps_its_jobs_on_a_volume_and_is_not_published() -> None:
    server = service("valkey")
    assert "--appendonly yes" in server["command"]
    assert server["volumes"] == ["valkey:/data"]
    assert "ports" not in server


def test_the_page_is_published_to_this_machine_only() -> None:
    assert service("web")["ports"] == ["127.0.0.1:5001:5001"]

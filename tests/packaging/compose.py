"""Reads docker-compose.yml: only what its tests ask for."""

from __future__ import annotations

from typing import Any

from ruamel.yaml import YAML

from tests.packaging.projects import ROOT

FILE = ROOT / "docker-compose.yml"


def service(name: str) -> dict[str, Any]:
    """Return one service, with the parts that it shares with others filled in."""
    yaml = YAML(typ="safe")
    # ruamel.yaml does not annotate what load reads from.
    loaded: dict[str, Any] = yaml.load(FILE)  # pyright: ignore[reportUnknownMemberType]
    services: dict[str, dict[str, Any]] = loaded["services"]
    return services[name]


def command_of(name: str) -> str:
    """Return the command that a service runs."""
    return str(service(name)["command"])

"""The options that say which project is meant, and what its environment is."""

from __future__ import annotations

from pathlib import Path

import click

procfile_option = click.option(
    "-f", "--procfile", type=click.Path(path_type=Path), help="Another Procfile."
)
env_option = click.option(
    "-e", "--env", default="", help="These .env files instead: a,b"
)
port_option = click.option(
    "-p", "--port", type=int, help="The first port.  [default: 5001]"
)
override_option = click.option(
    "--override", is_flag=True, help="Let .env win over the environment."
)


def env_files(text: str) -> list[Path]:
    """Return the files that ``-e a,b`` names."""
    return [Path(name.strip()) for name in text.split(",") if name.strip()]

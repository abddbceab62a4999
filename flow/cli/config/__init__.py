"""``flow config``: the config vars of the project, each change of them a release."""

from __future__ import annotations

from flow.cli.config import texts, variables
from flow.cli.config.group import config

for _command in (
    *(variables.set_, variables.get, variables.unset),
    *(texts.edit, texts.import_, texts.export),
):
    config.add_command(_command)

__all__ = ["config"]

"""What was typed after ``flow start``, and what follows from it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from flow.cli.project import env_files
from flow.runner.environment import environ
from flow.runner.output.prefix import Style, wants_colours
from flow.runner.watching import changes

if TYPE_CHECKING:
    from pathlib import Path

LIKE_HEROKU = 30.0  # seconds of grace


@dataclass(frozen=True, slots=True)
class Options:
    """What was typed after ``flow start``; each as its help says."""

    process: tuple[str, ...]
    procfile: Path | None
    env: str
    port: int | None
    wanted: str
    grace: float | None
    like_heroku: bool
    override: bool
    release: bool | None
    on_exit: str | None
    watch: bool
    pty: tuple[str, ...]
    no_prefix: bool
    timestamps: bool
    as_json: bool
    log: bool
    daemon: bool
    deployed: bool

    @classmethod
    def of(cls, typed: dict[str, Any]) -> Self:
        """Return the options as they were typed.

        Raises:
            ConfigError: one of them needs what is not installed.
        """
        options = cls(**typed)
        if options.watch:
            changes.require()
        return options

    @property
    def files(self) -> list[Path]:
        """The .env files that are read in place of the project's."""
        return env_files(self.env)

    @property
    def restart(self) -> bool:
        """Whether what ends is started again."""
        if self.on_exit is None:
            return self.watch  # a slip that is saved must not end the session
        return self.on_exit == "restart"

    @property
    def patience(self) -> float:
        """The seconds between TERM and KILL."""
        if self.grace is not None:
            return self.grace
        return LIKE_HEROKU if self.like_heroku else environ.GRACE

    def style(self, descriptor: int) -> Style:
        """Return how lines are shown."""
        return Style(
            names=not self.no_prefix,
            times=self.timestamps,
            colours=wants_colours(descriptor, os.environ),
            json=self.as_json,
        )

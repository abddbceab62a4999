"""What a session is to run, and how; decided before anything starts."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from flow.runner.declared import formation
from flow.runner.declared.kind import Kind
from flow.runner.environment import environ
from flow.runner.processes.process import RELEASE, Process

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from flow.runner.declared.formation import Instance
    from flow.runner.declared.procfile import Procfile
    from flow.runner.output.prefix import Style
    from flow.runner.releases.release import Release

PLAIN = Kind()


@dataclass(frozen=True, slots=True)
class Plan:
    """What to run.

    Args:
        folder: the working folder of the processes.
        shared: the environment that they share, without the config vars.
        listed: the Procfile.
        base: the port of its first type.
        instances: the processes.
        style: how lines are shown.
        kinds: what is declared for a type.
        release: what runs before them, if anything.
        grace: seconds between TERM and KILL.
        restart: start a process again when it ends, instead of stopping all.
        watch: restart what changed files touch.
        log: whether the output is kept in the project's ``.flow``.
        notices: what to say first.
        when_up: is called once all have come up.
        config: the config vars.
    """

    folder: Path
    shared: Mapping[str, str] = field(repr=False)  # it may hold secrets
    listed: Procfile
    base: int
    instances: Sequence[Instance]
    style: Style
    kinds: Mapping[str, Kind] = field(default_factory=dict[str, Kind])
    release: Instance | None = None
    grace: float = environ.GRACE
    restart: bool = False
    watch: bool = False
    log: bool = True
    notices: tuple[str, ...] = ()
    when_up: Callable[[], None] | None = None
    config: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)

    @property
    def names(self) -> list[str]:
        """The names of everything that runs."""
        first = [] if self.release is None else [self.release]
        return [instance.name for instance in (*first, *self.instances)]

    def of_release(self, release: Release | None) -> Plan:
        """Return the same with the config vars of a release, the current one.

        Its name is told to those processes only that run what was deployed.
        """
        if release is None:
            return replace(self, config={})
        named = {RELEASE: release.name} if RELEASE in self.shared else {}
        return replace(self, shared={**self.shared, **named}, config=release.config)

    def kind(self, name: str) -> Kind:
        """Return what is declared for a type."""
        return self.kinds.get(name, PLAIN)

    def process(
        self, instance: Instance, listener: socket.socket | None = None
    ) -> Process:
        """Return the process of an instance, not started yet.

        Args:
            instance: what to run.
            listener: the socket on which it takes requests, if flow listens for it.
        """
        own = self.environ(instance)
        terminal = self.kind(instance.type).pty
        return Process(
            instance.name,
            instance.command,
            own,
            self.folder,
            terminal=terminal,
            listener=listener,
        )

    def environ(self, instance: Instance) -> dict[str, str]:
        """Return the whole environment of an instance."""
        shared = environ.with_config(self.shared, self.config)
        return environ.of(instance, shared, self.grace)

    def instance(self, listed: Procfile, name: str, number: int) -> Instance:
        """Return one instance of a type.

        Raises:
            ProcfileError: the type is unknown, or its port is too high.
        """
        found = formation.instances(listed, (name,), {name: number}, self.base)
        return found[-1]

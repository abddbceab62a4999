"""What ``flow deploy`` does, step by step; whatever fails, the old set runs on."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flow.errors import FlowError, ReleaseError, SessionError
from flow.runner.control.client import Client
from flow.runner.readable import readable
from flow.runner.releases import phase
from flow.runner.session.signals import Order

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from flow.runner.output.printer import Printer
    from flow.runner.releases.code import Code
    from flow.runner.releases.plans import Plans
    from flow.runner.releases.release import Release
    from flow.runner.releases.store import ReleaseStore
    from flow.runner.releases.trees import Trees
    from flow.runner.session.plan import Plan
    from flow.runner.session.signals import Signals
    from flow.runner.session.state import State

INTERRUPTED = "interrupted"
FAILED = 1  # exit codes
STOPPED = 130


@dataclass(frozen=True, slots=True)
class Deploy:
    """A deployment, from outside the session.

    Args:
        store: the project's releases.
        trees: the code of the releases.
        plans: how a release is run.
        state: where a session answers, if one runs.
        signals: somebody may say stop; entered already.
        printer: shows how it goes on.
        limit: seconds that the release process may take.
        phase: whether there is one at all.
    """

    store: ReleaseStore
    trees: Trees
    plans: Plans
    state: State
    signals: Signals
    printer: Printer
    limit: float
    phase: bool = True

    def code(self, code: Code) -> int:
        """Deploy some code with the config vars and the formation as they are."""
        self.printer.say(f"{code.what}: taking the code")
        return self._deploy(
            lambda: self.trees.take(code.fill),
            lambda tree: self.store.begin(
                what=code.what,
                commit=code.commit,
                tree=tree,
                formation=self._formation(),
            ),
            of_release=False,
        )

    def back(self, version: str | None) -> int:
        """Deploy what another release was: code, config vars and formation.

        Args:
            version: such as ``v12``; None: the one before the current.

        Raises:
            ReleaseError: there is no such release, or nothing of it is left.
        """
        old = self.store.get(version) if version else _before(self.store)
        if old.status != "succeeded":
            raise ReleaseError(f"{old.name} has not succeeded: name another release")
        self.printer.say(f"rolling back to {old.name}: {old.what}")
        return self._deploy(
            lambda: self.trees.again(old.tree) if old.tree else None,
            lambda tree: self.store.begin(
                what=f"Rollback to {old.name}",
                commit=old.commit,
                tree=tree,
                config=old.config,
                formation=old.formation,
            ),
            of_release=True,
        )

    def _deploy(
        self,
        take: Callable[[], str | None],
        begin: Callable[[str | None], Release],
        *,
        of_release: bool,
    ) -> int:
        with self.store.turn():
            self._make_room()
            tree = take()
            try:
                release = begin(tree)
            except BaseException:
                self._drop(tree)
                raise
            why = self._try(release, of_release=of_release)
            if not why:
                self.printer.say(f"{release.name} is the current release")
                return 0
            self.store.fail(release, why)
            self._drop(tree)
        self.printer.say(f"{release.name} failed, nothing has changed: {why}")
        return STOPPED if why == INTERRUPTED else FAILED

    def _try(self, release: Release, *, of_release: bool) -> str:
        """Return why a release failed, or an empty text."""
        try:
            plan = self.plans.of(release)
            if self._interrupted():
                return INTERRUPTED
            if why := self._phase(plan):
                return why
            return self._replace(release, of_release=of_release)
        except FlowError as error:
            return str(error)

    def _phase(self, plan: Plan) -> str:
        if not self.phase:
            return ""
        return phase.run(plan, self.signals, self.printer, self.limit)

    def _replace(self, release: Release, *, of_release: bool) -> str:
        try:
            client = Client(self.state)
        except SessionError:
            self.store.succeed(release)
            self._keep(release.formation)
            self.printer.say("no session runs; flow start --deployed starts it")
            return ""
        with client:
            client.ask("deploy", version=release.version, formation=of_release)
            return self._follow(client)

    def _follow(self, client: Client) -> str:
        """Return why the session could not do it, or an empty text."""
        rest = client.began_with()
        asked = False
        while True:
            *lines, rest = rest.split(b"\n")
            for line in lines:
                told: Mapping[str, Any] = json.loads(line)
                if "done" in told:
                    return str(told["why"])
                self.printer.say(str(told["say"]))
            sources = () if asked else self.signals.sources
            ready = readable([client.socket.fileno(), *sources])
            if client.socket.fileno() in ready:
                if not (data := client.read()):
                    return "the session has ended"
                rest += data
            elif self._interrupted():
                # It may be too late: then the answer says that it was done.
                client.socket.sendall(b"\x03")
                asked = True

    def _interrupted(self) -> bool:
        ready = readable(self.signals.sources, timeout=0)
        orders = [order for source in ready for order in self.signals.read(source)]
        return any(order is not Order.CHILD for order in orders)

    def _formation(self) -> dict[str, int]:
        try:
            with Client(self.state) as client:
                found: dict[str, int] = client.ask("scale", names=[])["formation"]
        except SessionError:
            return self.state.kept()
        return found

    def _keep(self, formation: Mapping[str, int]) -> None:
        try:
            self.state.keep(self.state.kept() | dict(formation))
        except OSError as error:
            self.printer.say(f"the formation is not kept: {error.strerror}")

    def _make_room(self) -> None:
        self.trees.prune(self.store.all())

    def _drop(self, tree: str | None) -> None:
        if tree:
            self.trees.drop(tree)


def _before(store: ReleaseStore) -> Release:
    done = [one for one in store.all() if one.status == "succeeded"]
    if len(done) < 2:  # noqa: PLR2004 - the current one, and one before it
        raise ReleaseError("there is no release before the current one")
    return done[1]

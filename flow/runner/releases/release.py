"""One release: the code, the config vars and the formation that belong together."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, cast

if TYPE_CHECKING:
    from collections.abc import Mapping

Status = Literal["pending", "succeeded", "failed"]
INTERRUPTED = "interrupted"  # why a release failed whose process died


@dataclass(frozen=True, slots=True)
class Release:
    """A release of a project; its config vars are in no repr.

    Args:
        version: its number, from 1.
        created: when it began, in Unix seconds.
        what: what it did, such as ``Deploy 1a2b3c4`` or ``Set A, B config vars``.
        by: the user who did it.
        commit: the commit of its code, if it is one.
        tree: the folder of its code, relative to ``.flow``; None: the working tree.
        config: its config vars.
        formation: how many dynos of each type; a type not named is not decided.
        status: ``pending`` until it has succeeded or failed.
        why: why it failed; or empty.
    """

    version: int
    created: float
    what: str
    by: str
    commit: str | None = None
    tree: str | None = None
    config: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)
    formation: Mapping[str, int] = field(default_factory=dict[str, int])
    status: Status = "pending"
    why: str = ""

    @property
    def name(self) -> str:
        """What it is called everywhere: ``v12``."""
        return f"v{self.version}"

    def record(self) -> dict[str, object]:
        """Return what may be listed: all but the config vars."""
        return {
            "version": self.version,
            "created": self.created,
            "what": self.what,
            "by": self.by,
            "commit": self.commit,
            "tree": self.tree,
            "formation": dict(self.formation),
            "why": self.why,
        }


def read(record: object, config: object, status: Status) -> Release:
    """Return the release of a record and of its config vars.

    Args:
        record: what ``Release.record`` returned, through JSON.
        config: its config vars, through JSON.
        status: how it stands.

    Raises:
        ValueError: something in them is not what it should be.
    """
    found, variables = _table(record), _table(config)
    version, created = found.get("version"), found.get("created")
    if not isinstance(version, int) or not isinstance(created, int | float):
        raise ValueError("version and created must be numbers")  # noqa: TRY004 - the caller knows one error for bad content
    return Release(
        version=version,
        created=float(created),
        what=_text(found.get("what")),
        by=_text(found.get("by")),
        commit=_text_or_none(found.get("commit")),
        tree=_text_or_none(found.get("tree")),
        config={name: _text(value) for name, value in variables.items()},
        formation={
            name: _count(count)
            for name, count in _table(found.get("formation")).items()
        },
        status=status,
        why=_text(found.get("why")),
    )


def _table(found: object) -> dict[str, object]:
    if not isinstance(found, dict):
        raise ValueError("an object is missing")  # noqa: TRY004 - as above
    return cast("dict[str, object]", found)


def _text(found: object) -> str:
    # What was found is not shown: it may be the value of a config var.
    if not isinstance(found, str):
        raise ValueError("a text is missing")  # noqa: TRY004 - as above
    return found


def _text_or_none(found: object) -> str | None:
    return None if found is None else _text(found)


def _count(found: object) -> int:
    if not isinstance(found, int):
        raise ValueError("the formation has a count that is no number")  # noqa: TRY004 - as above
    return found

"""Where each value of a process's environment comes from, its secrets hidden."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from flow.envfile import Setting

REAL = "the environment"
OWN = "flow"
HIDDEN = "***"
# Too many are hidden rather than one too few: --show-secrets is there.
SECRET = re.compile(
    r"SECRET|PASS|PWD$|TOKEN|KEY|CREDENTIAL|PRIVATE|AUTH|SALT|DSN|CERT|COOKIE|WEBHOOK",
    re.IGNORECASE,
)
PASSWORD = re.compile(r"(?<=://)([^/?#\s]*):([^/?#\s]*)@")
QUERY = re.compile(
    r"([?&][^=&#\s]*(?:pass|token|secret|key|sig)[^=&#\s]*=)[^&#\s]*", re.IGNORECASE
)
PLAIN = frozenset(("PWD", "OLDPWD", "SSH_AUTH_SOCK", "XAUTHORITY"))


class Value(NamedTuple):
    """One variable of a process.

    Args:
        name: its name.
        text: its value; hidden, if it looks like a secret.
        origin: where the value is from, in words.
    """

    name: str
    text: str
    origin: str


def values(
    own: Mapping[str, str],
    real: Mapping[str, str],
    files: Mapping[str, Setting],
    *,
    override: bool,
) -> Iterator[Value]:
    """Yield the environment of a process by name, nothing hidden.

    Args:
        own: what the process gets.
        real: what flow was given.
        files: what the .env files say.
        override: the files win over ``real``.
    """
    for name, text in sorted(own.items()):
        yield Value(name, text, _origin(name, text, real, files, override=override))


def masked(value: Value) -> Value:
    """Return it as it may be shown: no secret, no password of a URL."""
    if SECRET.search(value.name) and value.name not in PLAIN and value.text:
        return value._replace(text=HIDDEN)
    if "-----BEGIN" in value.text:
        return value._replace(text=HIDDEN)
    text = PASSWORD.sub(rf"\1:{HIDDEN}@", value.text)
    return value._replace(text=QUERY.sub(rf"\1{HIDDEN}", text))


def _origin(
    name: str,
    text: str,
    real: Mapping[str, str],
    files: Mapping[str, Setting],
    *,
    override: bool,
) -> str:
    filed = files.get(name)
    wins = filed is not None and (override or name not in real)
    if filed is not None and wins and filed.value == text:
        return filed.where
    if real.get(name) == text:
        return REAL if filed is None or wins else f"{REAL}, not {filed.where}"
    return OWN

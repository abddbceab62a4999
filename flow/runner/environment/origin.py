"""Where each value of a process's environment comes from, its secrets hidden."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from flow.envfile import Setting
    from flow.runner.releases.release import Release

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
# What GitHub, Stripe, Slack and AWS give out, and a JSON Web Token.
GIVEN = re.compile(
    r"\b(?:gh[opsu]_|github_pat_|[rs]k_(?:live|test)_|xox[abeprs]-|AKIA|eyJ)[\w.-]{8,}"
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


class Layers(NamedTuple):
    """What the environment of a process is made of.

    Args:
        release: its config vars win over all else.
        real: what flow was given.
        files: what the .env files say.
        override: the files win over ``real``.
    """

    release: Release | None
    real: Mapping[str, str]
    files: Mapping[str, Setting]
    override: bool

    @property
    def config(self) -> str:
        """What the config vars are called."""
        return f"config {self.release.name}" if self.release else ""

    def of(self, name: str) -> Iterator[tuple[str, str]]:
        """Yield the values that a name has, and where; the one that counts first."""
        if self.release and name in self.release.config:
            yield self.release.config[name], self.config
        if self.override and name in self.files:
            yield self.files[name][:2]
        if name in self.real:
            yield self.real[name], REAL
        if not self.override and name in self.files:
            yield self.files[name][:2]


def values(own: Mapping[str, str], layers: Layers) -> Iterator[Value]:
    """Yield the environment of a process by name, nothing hidden.

    Args:
        own: what the process gets.
        layers: what it is made of.
    """
    for name, text in sorted(own.items()):
        yield Value(name, text, _origin(name, text, layers))


def masked(value: Value) -> Value:
    """Return it as it may be shown: no secret, no password of a URL."""
    if SECRET.search(value.name) and value.name not in PLAIN and value.text:
        return value._replace(text=HIDDEN)
    if "-----BEGIN" in value.text:
        return value._replace(text=HIDDEN)
    text = PASSWORD.sub(rf"\1:{HIDDEN}@", value.text)
    text = QUERY.sub(rf"\1{HIDDEN}", text)
    return value._replace(text=GIVEN.sub(HIDDEN, text))


def _origin(name: str, text: str, layers: Layers) -> str:
    (value, where), *hidden = *layers.of(name), (None, OWN)
    if value != text:
        return OWN
    # --override is asked for each time: what it hides is no surprise.
    if len(hidden) == 1 or where not in (REAL, layers.config):
        return where
    return f"{where}, not {hidden[0][1]}"

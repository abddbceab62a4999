"""One entry of a .env file: what is wrong with it, or its value."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from flow import textfile

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from dotenv.parser import Binding

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
BEFORE = re.compile(r"\s*(?:export[^\S\r\n]+)?")  # what may stand before a name
QUOTE = re.compile(r"\s*['\"]")
SINGLE_QUOTED = re.compile(r"\s*(?:export\s+)?[^=]+=\s*'")
ESCAPED = re.compile(r"(?<!\\)(?:\\\\)*\\\$\{")
# The whole of ${NAME} or ${NAME:-default}; or, without a name, a ${ that is neither.
REFERENCE = re.compile(
    rf"\$\{{(?:(?P<name>{NAME.pattern})(?::-(?P<default>[^}}]*))?}})?"
)
NO_VALUE = "there is no '='; write NAME=value"
NO_NAME = "a name has only letters, digits and '_', and no digit first"


class Fault(NamedTuple):
    """What is wrong with an entry.

    Args:
        offset: where in its text.
        text: what it is, in words. Neither the value nor the name is in it: a line
            that went wrong may be the middle of a private key.
    """

    offset: int
    text: str


def place(binding: Binding, offset: int) -> tuple[int, int]:
    """Return the line of the file, and the column, of an offset in an entry."""
    line, column = textfile.place(binding.original.string, offset)
    return binding.original.line + line - 1, column


def begin(binding: Binding) -> int:
    """Return where the name begins in the text of an entry."""
    before = BEFORE.match(binding.original.string)
    return before.end() if before else 0


def fault(binding: Binding) -> Fault | None:
    """Return what is wrong with an entry, if anything is."""
    if binding.error:
        return _unreadable(binding)
    if binding.key is None:
        return None  # a blank line or a comment
    if binding.value is None:
        return Fault(len(binding.original.string.rstrip()), NO_VALUE)
    if not NAME.fullmatch(binding.key):
        return Fault(begin(binding), NO_NAME)
    text = binding.original.string
    if "\0" in binding.value:
        return Fault(text.index("\0"), "the value holds a NUL character")
    return None if SINGLE_QUOTED.match(text) else _misreference(text, binding.value)


def value(binding: Binding, scopes: Iterable[Mapping[str, str]]) -> str:
    """Return the value of an entry that has no fault.

    Args:
        binding: the entry.
        scopes: where ``${NAME}`` is looked up, one after the other.
    """

    def look_up(reference: re.Match[str]) -> str:
        name, default = reference["name"], reference["default"] or ""
        return next((scope[name] for scope in scopes if name in scope), "") or default

    text = binding.value or ""
    if SINGLE_QUOTED.match(binding.original.string):
        return text  # python-dotenv itself would expand it
    return REFERENCE.sub(look_up, text)


def _unreadable(binding: Binding) -> Fault:
    text = binding.original.string
    name, equals, rest = text.partition("=")
    if not equals:
        return Fault(len(text.rstrip()), NO_VALUE)
    if quote := QUOTE.match(rest):
        at = len(name) + quote.end()
        return Fault(at, "a quote is left open, or text follows one")
    return Fault(begin(binding), NO_NAME)


def _misreference(text: str, found: str) -> Fault | None:
    # A shell would keep the ${ literally; python-dotenv has lost the difference.
    if escaped := ESCAPED.search(text):
        return Fault(escaped.start(), "put a value with a literal ${ in single quotes")
    # No escape makes or unmakes one: those in the text are those in the value.
    every = zip(REFERENCE.finditer(found), REFERENCE.finditer(text), strict=False)
    for reference, written in every:
        if reference["name"] is None or "${" in (reference["default"] or ""):
            return Fault(
                written.start(),
                "only ${NAME} and ${NAME:-default} are expanded; put a value with"
                " another ${ in single quotes",
            )
    return None

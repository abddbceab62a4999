"""Parameters: which arguments a function takes."""

from __future__ import annotations

import inspect
import sys
from typing import TYPE_CHECKING, Any

from flow.errors import InvalidCall

if sys.version_info >= (3, 14):
    from annotationlib import Format

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

NAMED = inspect.Parameter.KEYWORD_ONLY
EITHER = inspect.Parameter.POSITIONAL_OR_KEYWORD


class Parameters:
    """What a function can be called with.

    Args:
        function: whose parameters they are.
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        """Read the signature once; each call is then judged by two sets."""
        self._signature = _signature(function)
        listed = list(self._signature.parameters.values())
        # By how many arguments come by position: which names may come, and which must.
        self._fits: list[tuple[frozenset[str], frozenset[str]]] = []
        if all(one.kind in (EITHER, NAMED) for one in listed):
            most = sum(one.kind is EITHER for one in listed)
            self._fits = [_names(listed[given:]) for given in range(most + 1)]

    def check(
        self, name: str, args: tuple[Any, ...], kwargs: Mapping[str, Any]
    ) -> None:
        """Raise InvalidCall when the function ``name`` cannot be called so."""
        if len(args) < len(self._fits):
            may, must = self._fits[len(args)]
            if must <= kwargs.keys() <= may:
                return
        try:
            self._signature.bind(*args, **kwargs)
        except TypeError as error:
            raise InvalidCall(
                f"{name}{self._signature} cannot be called so: {error}"
            ) from None


def _signature(function: Callable[..., Any]) -> inspect.Signature:
    if sys.version_info >= (3, 14):
        # As text: evaluated, a type imported for checkers alone would be a NameError.
        return inspect.signature(function, annotation_format=Format.STRING)
    return inspect.signature(function)


def _names(left: list[inspect.Parameter]) -> tuple[frozenset[str], frozenset[str]]:
    required = (one.name for one in left if one.default is inspect.Parameter.empty)
    return frozenset(one.name for one in left), frozenset(required)

"""Parameters: a call is judged as Python judges it, without the price of a bind."""

from __future__ import annotations

import inspect
import sys
import uuid
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flow.errors import InvalidCall
from flow.queue import new_id
from flow.tasks.parameters import Parameters

if TYPE_CHECKING:
    from collections.abc import Callable


def none() -> None: ...
def two(a: int, b: int) -> None: ...
def one_more(a: int, b: int = 1) -> None: ...
def named(a: int, *, b: int, c: int = 1) -> None: ...
def all_named(*, a: int = 1, b: int = 2) -> None: ...
def first_by_place(a: int, /, b: int) -> None: ...
def any_number(a: int, *b: int) -> None: ...
def any_name(a: int, **b: int) -> None: ...


FUNCTIONS: list[Callable[..., Any]] = [
    *(none, two, one_more, named, all_named, first_by_place, any_number, any_name)
]


@given(
    function=st.sampled_from(FUNCTIONS),
    args=st.lists(st.just(1), max_size=4),
    names=st.sets(st.sampled_from("abcd")),
)
def test_a_call_fits_when_python_says_so(
    function: Callable[..., Any], args: list[int], names: set[str]
) -> None:
    kwargs = dict.fromkeys(names, 1)
    refusal = python_says(function, args, kwargs)
    if refusal is None:
        Parameters(function).check("it", tuple(args), kwargs)
        return
    with pytest.raises(InvalidCall, match=f"cannot be called so: {refusal}$"):
        Parameters(function).check("it", tuple(args), kwargs)


def python_says(
    function: Callable[..., Any], args: list[int], kwargs: dict[str, int]
) -> str | None:
    try:
        inspect.signature(function).bind(*args, **kwargs)
    except TypeError as error:
        return str(error)
    return None


@pytest.mark.skipif(
    sys.version_info < (3, 14), reason="evaluates annotations with the definition"
)
def test_a_type_that_only_checkers_import_is_no_concern_of_a_call() -> None:
    names: dict[str, Any] = {}
    source = "def resize(photo: Photo, width: int = 3) -> Photo: ..."
    exec(compile(source, "app.py", "exec", dont_inherit=True), names)  # noqa: S102 - without this file's __future__
    Parameters(names["resize"]).check("resize", (1,), {})
    with pytest.raises(InvalidCall, match=r"^resize\(photo: 'Photo', width: "):
        Parameters(names["resize"]).check("resize", (), {})


def test_ids_are_random_uuids_as_rq_draws_them() -> None:
    drawn = [uuid.UUID(new_id()) for _ in range(1000)]
    assert {(one.version, one.variant) for one in drawn} == {(4, uuid.RFC_4122)}
    assert len(set(drawn)) == 1000

"""What a group of errors comes to, as asyncio.TaskGroup raises it."""

from __future__ import annotations

import traceback

import pytest

from flow.errors import Discard, JobStopped, Retry, SoftTimeout, last_line, leaves
from flow.registry import Declaration
from flow.workers.groups import meant


def group(*errors: BaseException) -> BaseExceptionGroup[BaseException]:
    return BaseExceptionGroup("several", errors)


RETRY, DISCARD, OTHER = Retry(after=1), Discard("gone"), ValueError("no")
STOPPED, LATE = JobStopped("stop"), SoftTimeout("late")


@pytest.mark.parametrize(
    ("raised", "decides"),
    [
        (group(RETRY), RETRY),
        (group(group(DISCARD), RETRY), DISCARD),
        (group(OTHER, STOPPED, LATE), STOPPED),
        (group(OTHER, group(LATE)), LATE),
        (RETRY, RETRY),
        (OTHER, OTHER),
    ],
)
def test_what_a_job_says_counts_also_in_a_group(
    raised: BaseException, decides: BaseException
) -> None:
    assert meant(raised) is decides


def test_what_a_job_asks_for_does_not_hide_another_error() -> None:
    for raised in (group(OTHER, RETRY), group(DISCARD, group(OTHER))):
        assert meant(raised) is raised


def test_the_leaves_of_a_group_come_in_their_order_however_deep_they_are() -> None:
    deep: BaseException = OTHER
    for _ in range(5000):
        deep = group(deep)
    assert list(leaves(group(RETRY, deep, DISCARD))) == [RETRY, OTHER, DISCARD]


@pytest.mark.parametrize(
    ("errors", "retries"),
    [
        ([OSError()], True),
        ([OSError(), TimeoutError()], True),
        ([OSError(), ValueError()], False),
        ([OSError(), ConnectionError()], False),
    ],
)
def test_each_error_of_a_group_must_be_one_to_retry_after(
    errors: list[Exception], *, retries: bool
) -> None:
    task = Declaration(
        "a", len, "a", retry_on=(OSError,), give_up_on=(ConnectionError,)
    )
    assert task.retries_after(group(*errors)) is retries


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (OTHER, "ValueError: no"),
        (group(group(OTHER)), "ValueError: no"),
        (ValueError("- it is C++ -"), "ValueError: - it is C++ -"),
        (ValueError("two\n| lines"), "lines"),
    ],
)
def test_the_last_line_of_a_failure_names_an_error_also_of_a_group(
    error: BaseException, line: str
) -> None:
    assert last_line("".join(traceback.format_exception(error))) == line
    assert last_line("") == ""


def test_a_group_itself_can_be_named() -> None:
    task = Declaration("a", len, "a", retry_on=(BaseExceptionGroup,))
    assert task.retries_after(group(OTHER))
    task = Declaration("a", len, "a", give_up_on=(BaseExceptionGroup,))
    assert not task.retries_after(group(OTHER))

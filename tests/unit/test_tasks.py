"""Declaring tasks: what is refused, and how it is said. No server is asked."""

from __future__ import annotations

import pickle
import subprocess
import sys
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from flow import Task, cron, errors, every, task
from flow.registry import TASKS, Declaration
from tests.support.apps import ROOT
from tests.support.shop import tasks

if TYPE_CHECKING:
    from pathlib import Path

HERE = __name__


def lonely() -> None:
    """Be no task."""


class Shelf:
    @task
    @staticmethod
    def count(shelf: str) -> int:
        """Count what lies on it."""
        return len(shelf)


@cron("0 7 * * mon-fri", tz="Europe/London", kwargs={"final": True})
@every(30, name="often")
@task(queue="reports")
def scheduled(*, final: bool = False) -> bool:
    return final


def test_a_bare_task_has_the_defaults() -> None:
    declared = tasks.resize.declaration
    assert declared.path == declared.name == "tests.support.shop.tasks.resize"
    assert (declared.queue, declared.urgent, declared.retries) == (None, False, None)
    assert (declared.timeout, declared.on_crash) == (None, None)
    assert repr(tasks.resize) == "Task('tests.support.shop.tasks.resize')"


def test_options_are_kept_as_they_were_given() -> None:
    declared = tasks.send.declaration
    assert (declared.queue, declared.retries, declared.backoff) == ("mail", 2, [0, 0])
    assert tasks.charge.declaration.urgent
    assert tasks.forever.declaration.timeout == 0.2


def test_a_static_method_is_stored_under_its_class() -> None:
    assert Shelf.count("abc") == 3
    assert Shelf.count.name == f"{HERE}.Shelf.count"


def test_a_task_keeps_its_schedules_and_they_do_not_hinder_calls() -> None:
    often, daily = scheduled.declaration.schedules
    assert (often.kind, often.spec, often.name) == ("every", "30", "often")
    assert (daily.kind, daily.spec) == ("cron", "0 7 * * mon-fri")
    assert (daily.tz, daily.kwargs) == ("Europe/London", {"final": True})
    assert TASKS.find(f"{HERE}.scheduled") is scheduled.declaration
    assert scheduled(final=True) is True


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"urgent": True, "queue": "mail"}, "urgent=True is the urgent lane, so it ex"),
        ({"retrys": 3}, "a task has no option 'retrys'"),
        ({"on_crash": "explode"}, 'on_crash is "retry" or "fail"'),
        ({"isolate": 1}, "isolate is True or False, not 1"),
        ({"urgent": "no"}, "urgent is True or False, not 'no'"),
        ({"queue": 5}, "queue is a text, not 5"),
        ({"name": b"n"}, "name is a text, not b'n'"),
        ({"timeout": 0}, "timeout=0 is too small"),
        ({"timeout": -0.5}, "timeout=-0.5 is too small"),
        ({"timeout": "30"}, "timeout is a number of seconds, not '30'"),
        ({"timeout": float("nan")}, "timeout is a number of seconds, not nan"),
        ({"timeout": float("inf")}, "timeout is a number of seconds, not inf"),
        ({"retries": -1}, "retries=-1 is too small"),
        ({"retries": 1.5}, "retries is a whole number, not 1.5"),
        ({"retries": True}, "retries is a whole number, not True"),
        ({"result_ttl": -2}, "result_ttl=-2 is too small"),
        ({"result_ttl": 0.5}, "result_ttl is a whole number of seconds, not"),
        ({"failure_ttl": "1y"}, "failure_ttl is a whole number of seconds"),
        ({"ttl": 0}, "ttl=0 is too small"),
        ({"ttl": 1.5}, "ttl is a whole number of seconds, not 1.5"),
        (
            {"backoff": 5},
            "backoff is a list of seconds, or a function of the attempt's",
        ),
        (
            {"backoff": [1, -1]},
            "backoff is a list of seconds, or a function of the att",
        ),
        (
            {"backoff": ["1"]},
            "backoff is a list of seconds, or a function of the attem",
        ),
        (
            {"retries": 1, "retry_on": "OSError"},
            "retry_on is a class of errors, or a tuple of them, not 'OSError'",
        ),
        (
            {"retries": 1, "give_up_on": (ValueError, KeyError("no"))},
            "give_up_on is a class of errors, or a tuple of them, not KeyError",
        ),
        (
            {"retries": 1, "retry_on": [OSError]},
            "retry_on is a class of errors, or a tuple of them, not ",
        ),
        (
            {"retries": 1, "retry_on": OSError, "give_up_on": (OSError, KeyError)},
            "OSError is in retry_on and in give_up_on; leave one out",
        ),
        ({"retry_on": OSError}, "say how often with retries="),
        ({"give_up_on": OSError}, "say how often with retries="),
    ],
)
def test_an_option_that_cannot_be_is_refused(
    options: dict[str, Any], message: str
) -> None:
    with pytest.raises(errors.InvalidTask, match=message) as refused:
        task(**options)(lonely)
    assert str(refused.value).startswith(f"{HERE}.lonely: ")
    assert TASKS.find(f"{HERE}.lonely") is None


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"prioritty": 3}, "a call has no option 'prioritty'"),
        ({"id": "a:b"}, "'a:b' is no job id; use letters, digits, '_' and '-' only"),
        ({"id": ""}, "'' is no job id"),
        ({"id": "a\n"}, "is no job id"),
        ({"id": 7}, "7 is no job id"),
        (
            {"timeout": 0},
            "timeout=0 is too small; a number above 0, or -1 for",
        ),
        ({"ttl": 0}, "ttl=0 is too small"),
        ({"result_ttl": 1.5}, "result_ttl is a whole number"),
        ({"retries": "3"}, "retries is a whole number"),
        ({"queue": ""}, "queue is a text that is not empty"),
        ({"queue": 5}, "queue is a text, not 5"),
        ({"at_front": "yes"}, "at_front is True or False, not 'yes'"),
        ({"description": 7}, "description is a text, not 7"),
        ({"meta": ["a"]}, r"meta is a dict, not \['a'\]"),
        ({"depends_on": 5}, "depends_on is a job, an id or a list of them, not 5"),
        ({"depends_on": None}, "depends_on is a job, an id or a list of them, not Non"),
        ({"depends_on": [None]}, "depends_on is a job, an id or a list of them, not"),
    ],
)
def test_an_option_of_a_call_that_cannot_be_is_refused(
    options: dict[str, Any], message: str
) -> None:
    with pytest.raises(errors.InvalidCall, match=message):
        tasks.resize.options(**options)  # pyright: ignore[reportUnknownMemberType]


def test_a_function_that_a_worker_cannot_import_is_refused() -> None:
    def inner() -> None: ...

    with pytest.raises(errors.InvalidTask, match="def it at the top of its module"):
        task(inner)
    with pytest.raises(errors.InvalidTask, match="is a lambda or made inside a funct"):
        task(lambda: None)


@pytest.mark.parametrize("thing", [7, "shop.tasks.resize", Shelf, partial(lonely)])
def test_only_functions_are_tasks(thing: object) -> None:
    decorate: Any = task
    with pytest.raises(errors.InvalidTask, match="@task decorates a function, not"):
        decorate(thing)


def test_schedules_stand_above_a_task() -> None:
    decorate: Any = every(30)
    with pytest.raises(errors.InvalidTask, match="@every stands above @task"):
        decorate(lonely)


def test_a_schedule_that_cannot_be_is_refused_where_it_is_written() -> None:
    for schedule in (
        partial(cron, "61 * * * *"),
        partial(cron, "nonsense"),
        partial(cron, "0 7 * * *", tz="Europe/Atlantis"),
        partial(every, 0),
    ):
        with pytest.raises(errors.InvalidSchedule):
            schedule()
    with pytest.raises(errors.InvalidCall, match="cannot be called so"):
        cron("0 7 * * *", args=(1, 2, 3))(tasks.charge)


def test_a_call_is_bound_to_the_signature_when_it_is_made() -> None:
    call = tasks.resize.call("cat.png", width=3)
    assert (call.args, call.kwargs) == (("cat.png",), {"width": 3})
    untyped: Any = tasks.resize
    with pytest.raises(errors.InvalidCall, match="missing a required argument: 'path'"):
        untyped.call(width=3)


def test_something_that_is_no_call_is_named_by_its_index() -> None:
    untyped: Any = tasks.charge
    for wrong in ("7", 7, None, ["7"]):
        with pytest.raises(errors.InvalidCall, match="call 1: a call is a tuple of"):
            untyped.enqueue_many([(1,), wrong])


def test_a_call_of_another_task_is_named_by_its_index() -> None:
    other: Any = tasks.resize.call("cat.png")
    with pytest.raises(
        errors.InvalidCall, match=r"call 1: a call of .+\.resize, not of .+\.charge"
    ):
        tasks.charge.enqueue_many([tasks.charge.call(1), other])


def test_a_task_is_pickled_by_its_name_with_its_options() -> None:
    assert pickle.loads(pickle.dumps(tasks.resize)) is tasks.resize  # noqa: S301
    assert pickle.loads(pickle.dumps(Shelf.count)) is Shelf.count  # noqa: S301
    quick: Task[Any, Any, Any] = pickle.loads(  # noqa: S301
        pickle.dumps(tasks.resize.options(timeout=3))
    )
    assert quick.record(("cat.png",), {}).timeout == 3


SCRIPT = """
from flow import errors, task

@task
def resize(path: str) -> None: ...

if __name__ == "__main__":
    try:
        print(resize.record(("cat.png",), {}).invocation.path)
    except errors.InvalidCall as error:
        print(error)
"""


def test_a_task_in_the_script_that_runs_is_refused_when_it_is_enqueued(
    tmp_path: Path,
) -> None:
    (tmp_path / "script.py").write_text(SCRIPT)
    said = _python(tmp_path, "script.py")
    assert said.startswith("__main__.resize is in the script that runs now")
    assert "move the task to a module" in said


def test_a_module_that_is_run_with_dash_m_knows_its_own_name(tmp_path: Path) -> None:
    (tmp_path / "script.py").write_text(SCRIPT)
    assert _python(tmp_path, "-m", "script") == "script.resize\n"


def _python(folder: Path, *words: str) -> str:
    return subprocess.run(
        [sys.executable, *words],
        cwd=folder,
        env={"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    ).stdout


def test_a_typo_in_an_option_is_answered_with_the_right_one() -> None:
    untyped: Any = task
    with pytest.raises(
        errors.InvalidTask, match="'retry'; did you mean retry_on or retries"
    ):
        untyped(retry=3)(charge)
    with pytest.raises(errors.InvalidCall, match="'zzz'; known: at_front, "):
        untyped(charge).options(zzz=3)


def test_an_interval_that_is_no_number_is_refused() -> None:
    untyped: Any = every
    for wrong in ("5m", None, object()):
        with pytest.raises(errors.InvalidSchedule, match="a number of seconds"):
            untyped(wrong)


def test_cron_without_an_expression_is_refused() -> None:
    untyped: Any = cron
    with pytest.raises(errors.InvalidSchedule, match="needs an expression"):
        untyped(task(charge))


def charge(order: int) -> int:
    return order


@pytest.mark.parametrize(
    ("retry_on", "give_up_on", "error", "retried"),
    [
        (None, (), ValueError(), True),
        (None, (), errors.SoftTimeout(), True),
        (None, (ValueError,), UnicodeError(), False),
        (None, (ValueError,), KeyError(), True),
        ((OSError,), (), ConnectionError(), True),
        ((OSError,), (), errors.SoftTimeout(), False),
        ((OSError,), (ConnectionError,), ConnectionResetError(), False),
        ((OSError,), (ConnectionError,), FileNotFoundError(), True),
        # The wider one wins as well: what is given up on is given up on.
        ((ConnectionError,), (OSError,), ConnectionResetError(), False),
        ((), (), ValueError(), False),
    ],
)
def test_the_errors_that_are_retried(
    retry_on: tuple[type[BaseException], ...] | None,
    give_up_on: tuple[type[BaseException], ...],
    error: BaseException,
    *,
    retried: bool,
) -> None:
    declared = Declaration("a", lonely, "a", retry_on=retry_on, give_up_on=give_up_on)
    assert declared.retries_after(error) is retried

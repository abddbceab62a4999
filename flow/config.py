"""What flow is told: the project's [tool.flow], the environment, the command line.

The only reader of the environment. Each part of flow gets a frozen dataclass that
was checked once, here; units stand beside the values.
"""

from __future__ import annotations

import os
import re
import tomllib
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from flow import envfile
from flow.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

NAME = re.compile(r"[A-Za-z0-9_.-]+")
ON_CRASH = ("retry", "fail")
START_METHODS = ("auto", "fork", "spawn")
UNITS = {"K": 1 << 10, "M": 1 << 20, "G": 1 << 30}  # as kernels and containers count


@dataclass(frozen=True, slots=True)
class Project:
    """A folder with an app: the nearest one upwards with a Procfile or [tool.flow].

    Args:
        root: the folder.
        app: the modules that declare tasks, in the order to import them.
        name: what schedules are kept under; two apps on one Redis need two names.
        urgent: the queue that is the urgent lane.
        queues: further queues that its workers serve.
        strict: run declared tasks only.
        on_crash: ``retry`` or ``fail``, for tasks that do not say it themselves.
        max_jobs: jobs after which a worker's process is replaced; 0: never.
        max_memory: bytes beyond which it is; 0: never.
        start_method: ``fork``, ``spawn`` or ``auto``.
        processes: settings per process type, for the runner.
    """

    root: Path
    app: tuple[str, ...] = ()
    name: str = "app"
    urgent: str = "urgent"
    queues: tuple[str, ...] = ()
    strict: bool = False
    on_crash: str = "retry"
    max_jobs: int = 0
    max_memory: int = 0
    start_method: str = "auto"
    processes: Mapping[str, Any] = field(default_factory=dict[str, Any])

    @property
    def state(self) -> Path:
        """The folder for what flow keeps beside the project: server, logs, sockets."""
        return self.root / ".flow"


def find_project(start: Path) -> Project | None:
    """Return the project that ``start`` lies in, or None.

    Raises:
        ConfigError: its [tool.flow] cannot be read.
    """
    here = start.absolute()
    for folder in (here, *here.parents):
        settings = _tool_flow(folder / "pyproject.toml")
        if settings is not None or (folder / "Procfile").is_file():
            return _project(folder, settings or {})
    return None


def _tool_flow(path: Path) -> dict[str, Any] | None:
    try:
        document = tomllib.loads(path.read_text("utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"{path} cannot be read: {error}") from error
    tool: object = document.get("tool", {})
    if not isinstance(tool, dict):
        raise ConfigError(f"{path}: [tool] is not a table")
    table = cast("dict[str, Any]", tool).get("flow")
    if table is not None and not isinstance(table, dict):
        raise ConfigError(f"{path}: [tool.flow] is not a table")
    return cast("dict[str, Any] | None", table)


def _project(root: Path, settings: dict[str, Any]) -> Project:
    where = f"{root / 'pyproject.toml'}: [tool.flow]"
    known = set(Project.__dataclass_fields__) - {"root"}
    if unknown := sorted(set(settings) - known):
        raise ConfigError(
            f"{where} has no setting {unknown[0]!r}; known: {', '.join(sorted(known))}"
        )
    app = names(settings.get("app", ()), f"{where} app")
    default_name = app[0].partition(".")[0] if app else "app"
    return Project(
        root=root,
        app=app,
        name=_word(settings.get("name", default_name), f"{where} name"),
        urgent=_word(settings.get("urgent", "urgent"), f"{where} urgent"),
        queues=names(settings.get("queues", ()), f"{where} queues"),
        strict=_boolean(settings.get("strict", False), f"{where} strict"),
        on_crash=_choice(
            settings.get("on_crash", "retry"), f"{where} on_crash", ON_CRASH
        ),
        max_jobs=_whole(settings.get("max_jobs", 0), f"{where} max_jobs", least=0),
        max_memory=memory(settings.get("max_memory", "0"), f"{where} max_memory"),
        start_method=_choice(
            settings.get("start_method", "auto"),
            f"{where} start_method",
            START_METHODS,
        ),
        processes=settings.get("processes", {}),
    )


def names(value: object, where: str) -> tuple[str, ...]:
    """Return a list of names, given as a list or as one text with commas.

    Raises:
        ConfigError: something in it is no name.
    """
    items = value.split(",") if isinstance(value, str) else value
    if not isinstance(items, list | tuple):
        raise ConfigError(f"{where} must be a text or a list of texts, not {value!r}")
    words = [_word(item, where) for item in cast("list[object]", items)]
    return tuple(dict.fromkeys(words))


def _word(value: object, where: str) -> str:
    word = value.strip() if isinstance(value, str) else ""
    if not NAME.fullmatch(word):
        raise ConfigError(
            f"{where}: {value!r} is no name; use letters, digits, '_', '-' and '.'"
        )
    return word


def _boolean(value: object, where: str) -> bool:
    if not isinstance(value, bool):
        raise ConfigError(f"{where} must be true or false, not {value!r}")
    return value


def _choice(value: object, where: str, choices: Sequence[str]) -> str:
    if value not in choices:
        raise ConfigError(f"{where} must be one of {', '.join(choices)}: {value!r}")
    return str(value)


def environment(project: Project | None) -> dict[str, str]:
    """Return what flow itself is told: the project's .env below the environment."""
    if project is None:
        return dict(os.environ)
    files = (project.root / ".env", project.root / ".env.local")
    return {**envfile.read(*files), **os.environ}


@dataclass(frozen=True, slots=True)
class WorkerConfig:
    """What a worker is told.

    Args:
        queues: what it serves, the first first.
        role: ``worker``, or ``urgentworker`` when it serves the urgent lane alone.
        strict: run declared tasks only.
        on_crash: for tasks that do not say it themselves.
        processes: how many processes take jobs.
        threads: plain tasks at a time in each process.
        concurrency: ``async def`` tasks at a time in each process.
        grace: seconds a job may go on after the worker was told to stop.
        kill_after: seconds a job may go on after its timeout or a stop, until its
            process is killed.
        burst: end when the queues are empty.
        max_jobs: jobs after which a process is replaced; 0: never.
        once: a process that has had its jobs is not replaced, and the worker ends.
        max_memory: bytes of a process beyond which it is; 0: never.
        start_method: how a process is started: ``fork``, ``spawn``, or ``auto``.
        reasons: where the values came from, in words, for the start line.
    """

    queues: tuple[str, ...]
    role: str = "worker"
    strict: bool = False
    on_crash: str = "retry"
    processes: int = 1
    threads: int = 1
    concurrency: int = 100
    grace: float = 25.0
    kill_after: float = 5.0
    burst: bool = False
    max_jobs: int = 0
    once: bool = False
    max_memory: int = 0
    start_method: str = "auto"
    reasons: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True)
class Given:
    """A setting and who gave it."""

    value: float
    by: str


def processes(option: int | None, told: Mapping[str, str]) -> Given:
    """Return how many processes a worker has.

    ``--processes``, else FLOW_PROCESSES, else WEB_CONCURRENCY, else the CPUs that
    this container may use, at most 4.
    """
    if option is not None:
        return Given(option, "--processes")
    for name in ("FLOW_PROCESSES", "WEB_CONCURRENCY"):
        if told.get(name):
            return Given(_whole(told[name], name), name)
    return Given(min(4, cpus()), "the CPUs here, at most 4")


def grace(option: float | None, told: Mapping[str, str]) -> Given:
    """Return the seconds a job may go on: ``--grace``, else FLOW_GRACE, else 25."""
    if option is not None:
        return Given(option, "--grace")
    if told.get("FLOW_GRACE"):
        return Given(_positive(told["FLOW_GRACE"], "FLOW_GRACE"), "FLOW_GRACE")
    return Given(25.0, "the default")


def max_jobs(option: int | None, told: Mapping[str, str], project: Project) -> Given:
    """Return after how many jobs a process is replaced; 0 is never.

    ``--max-jobs``, else FLOW_MAX_JOBS, else [tool.flow] max_jobs.
    """
    if option is not None:
        return Given(option, "--max-jobs")
    if told.get("FLOW_MAX_JOBS"):
        value = _whole(told["FLOW_MAX_JOBS"], "FLOW_MAX_JOBS", least=0)
        return Given(value, "FLOW_MAX_JOBS")
    return Given(project.max_jobs, "[tool.flow] max_jobs")


def max_memory(option: str | None, told: Mapping[str, str], project: Project) -> Given:
    """Return beyond how many bytes a process is replaced; 0 is never.

    ``--max-memory``, else FLOW_MAX_MEMORY, else [tool.flow] max_memory.
    """
    if option is not None:
        return Given(memory(option, "--max-memory"), "--max-memory")
    if told.get("FLOW_MAX_MEMORY"):
        value = memory(told["FLOW_MAX_MEMORY"], "FLOW_MAX_MEMORY")
        return Given(value, "FLOW_MAX_MEMORY")
    return Given(project.max_memory, "[tool.flow] max_memory")


def start_method(option: str | None, told: Mapping[str, str], project: Project) -> str:
    """Return how a worker starts its processes: ``fork``, ``spawn`` or ``auto``.

    ``--start-method``, else FLOW_START_METHOD, else [tool.flow] start_method.
    """
    if option is None and told.get("FLOW_START_METHOD"):
        return _choice(told["FLOW_START_METHOD"], "FLOW_START_METHOD", START_METHODS)
    return project.start_method if option is None else option


def _recycling(jobs: Given, size: Given) -> dict[str, str]:
    said: dict[str, str] = {}
    if jobs.value:
        said["max_jobs"] = f"replaced after {jobs.value:g} jobs ({jobs.by})"
    if size.value:
        mb = size.value / UNITS["M"]
        said["max_memory"] = f"replaced beyond {mb:.6g} MB ({size.by})"
    return said


def kill_after(option: float | None, told: Mapping[str, str]) -> float:
    """Return the seconds until what was to end is killed.

    ``--kill-after``, else FLOW_KILL_AFTER, else 5.
    """
    if option is None and told.get("FLOW_KILL_AFTER"):
        return _positive(told["FLOW_KILL_AFTER"], "FLOW_KILL_AFTER")
    return 5.0 if option is None else option


def _positive(text: str, name: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 0 < number < float("inf"):
        raise ConfigError(f"{name} must be a number above 0, not {text!r}")
    return number


def _whole(value: object, name: str, least: int = 1) -> int:
    text = "" if isinstance(value, bool) else str(value)
    if not text.isascii() or not text.isdigit() or int(text) < least:
        raise ConfigError(
            f"{name} must be a whole number from {least} on, not {value!r}"
        )
    return int(text)


def memory(value: object, name: str) -> int:
    """Return the bytes that ``512MB`` and the like say; 0 is no limit.

    Raises:
        ConfigError: it is no amount of memory.
    """
    text = str(value).strip().upper().removesuffix("B")
    unit = UNITS.get(text[-1:], 0)
    number = text[:-1].strip() if unit else text
    if not re.fullmatch(r"\d{1,12}(\.\d+)?", number, re.ASCII) or not (
        unit or number == "0"
    ):
        raise ConfigError(f"{name} must be like 512MB or 1.5GB, not {value!r}")
    return int(float(number) * unit)


def cpus(cgroup: Path = Path("/sys/fs/cgroup")) -> int:
    """Return how many CPUs this container may use, at least 1.

    The cgroup's quota (v2 cpu.max, v1 cpu.cfs_quota_us), else the affinity.
    """
    if hasattr(os, "sched_getaffinity"):
        allowed = len(os.sched_getaffinity(0))
    else:
        allowed = os.cpu_count() or 1
    quota = _quota(cgroup)
    return max(1, min(allowed, int(quota)) if quota else allowed)


def _quota(cgroup: Path) -> float | None:
    try:
        limit, _, period = (cgroup / "cpu.max").read_text().partition(" ")
    except OSError:
        try:
            limit = (cgroup / "cpu/cpu.cfs_quota_us").read_text()
            period = (cgroup / "cpu/cpu.cfs_period_us").read_text()
        except OSError:
            return None
    if limit.strip() in ("max", "-1"):
        return None
    return float(limit) / float(period)


def worker(
    project: Project, queues: tuple[str, ...], given: Mapping[str, Any]
) -> WorkerConfig:
    """Return a worker's settings.

    Args:
        project: the app's folder and its [tool.flow].
        queues: what it serves.
        given: the command line's ``processes``, ``threads``, ``concurrency``,
            ``grace``, ``kill_after`` and ``burst``.

    Raises:
        ConfigError: the environment holds a value that cannot be.
    """
    told = environment(project)
    of_processes = processes(given["processes"], told)
    of_grace = grace(given["grace"], told)
    of_jobs = max_jobs(given.get("max_jobs"), told, project)
    of_memory = max_memory(given.get("max_memory"), told, project)
    count, threads = int(of_processes.value), int(given["threads"])
    return WorkerConfig(
        queues=queues,
        role="urgentworker" if queues == (project.urgent,) else "worker",
        strict=project.strict,
        on_crash=project.on_crash,
        processes=count,
        threads=threads,
        concurrency=int(given["concurrency"]),
        grace=of_grace.value,
        kill_after=kill_after(given.get("kill_after"), told),
        burst=bool(given["burst"]),
        max_jobs=int(of_jobs.value),
        max_memory=int(of_memory.value),
        start_method=start_method(given.get("start_method"), told, project),
        reasons={
            "processes": f"processes: {count} ({of_processes.by})",
            "slots": f"each {threads} plain and {given['concurrency']} async at a time",
            "grace": f"grace {of_grace.value:g} s ({of_grace.by})",
            **_recycling(of_jobs, of_memory),
        },
    )


def with_app(project: Project, option: str | None) -> Project:
    """Return the project with the app that is named: ``--app``, FLOW_APP, [tool.flow].

    Raises:
        ConfigError: a name in it is none.
    """
    for text, where in (
        (option, "--app"),
        (environment(project).get("FLOW_APP"), "FLOW_APP"),
    ):
        if text:
            app = names(text, where)
            default = Project.__dataclass_fields__["name"].default
            name = app[0].partition(".")[0] if project.name == default else project.name
            return replace(project, app=app, name=name)
    return project

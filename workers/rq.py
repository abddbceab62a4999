"""Worker: flow's engine behind RQ's own commands.

``rq worker --worker-class flow.workers.Worker high default`` and ``rq worker-pool``
construct it as they construct theirs, then call ``work``. What reads (``rq info``,
rq-dashboard, django-rq) is inherited; what runs jobs is flow's supervisor. A setting
that would change which jobs run or what comes of them, and that flow does not follow,
is refused by its name; what tunes RQ's own engine (intervals, formats) changes nothing.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from rq import Queue
from rq.job import Job
from rq.serializers import DefaultSerializer
from rq.worker import BaseWorker

from flow import codec, config, log
from flow.errors import ConfigError
from flow.registry import load_app
from flow.store import current
from flow.store.client import Store
from flow.store.rqaddress import address_of
from flow.workers import callbacks
from flow.workers.worker import run

# What RQ's worker uses of a queue. A class that leaves these alone, as django-rq's
# does, changes only how an app enqueues.
TAKING = {
    *("redis_queue_namespace_prefix", "redis_queues_keys", "key", "DEFAULT_TIMEOUT"),
    *("dequeue_any", "lpop", "lmove", "fetch_job", "push_job_id", "schedule_job"),
    *("enqueue_dependents", "move_dependents_to_ready", "enqueue_ready_jobs_by_queue"),
    *("enqueue_job", "_enqueue_job", "_enqueue_rate_limited_job"),
}


class Worker(BaseWorker):
    """RQ's worker to whoever constructs it; flow's once it works."""

    def work(
        self,
        burst: bool = False,  # noqa: FBT001, FBT002 - RQ's signature, as all here
        logging_level: str | None = None,
        *_: Any,  # noqa: ANN401 - formats of RQ's log, which flow does not write
        max_jobs: int | None = None,
        max_idle_time: int | None = None,
        dequeue_strategy: Any = None,  # noqa: ANN401 - RQ's own type; flow has its order
        **__: Any,  # noqa: ANN401 - what later versions of RQ add
    ) -> bool:
        """Run jobs until the worker is stopped, or the burst is over.

        Args:
            burst: end when the queues are empty.
            logging_level: RQ's word; INFO by default.
            max_jobs: end when so many jobs have run, one at a time.
            max_idle_time: refused unless None.
            dequeue_strategy: refused unless RQ's default, the order of the queues.

        Returns:
            Whether a job ran.

        Raises:
            ConfigError: a setting that flow does not follow.
        """
        strategy = str(getattr(dequeue_strategy, "value", dequeue_strategy))
        self._refuse(
            {
                "max_idle_time": max_idle_time is not None,
                "dequeue_strategy": strategy not in ("None", "default"),
            }
        )
        log.set_up((logging_level or "info").lower())
        project = config.find_project(Path.cwd()) or config.Project(Path.cwd())
        address = address_of(self.connection)
        current.use(Store(address), project)
        self._share()
        load_app(project.app, project.root)
        given = {"processes": None, "threads": 1, "concurrency": 100, "grace": None}
        settings = config.worker(
            project, tuple(self.queue_names()), {**given, "burst": burst}
        )
        if max_jobs is not None:
            settings = replace(settings, processes=1, max_jobs=max_jobs, once=True)
        return run(address, settings, self.name).jobs > 0

    def _share(self) -> None:
        """Have the processes, which are forked later, use what RQ was told to use."""
        serializer: Any = self.serializer
        handlers: list[Any] = self._exc_handlers  # pyright: ignore[reportUnknownVariableType, reportUnknownMemberType]
        codec.use(None if serializer is DefaultSerializer else serializer)
        codec.use_result_ttl(self.default_result_ttl)
        callbacks.use_handlers(handlers)

    def _refuse(self, asked: dict[str, bool]) -> None:
        told = {
            **asked,
            "job_class": self.job_class is not Job,
            "queue_class": _takes_otherwise(self.queue_class),
            "disable_default_exception_handler": self.disable_default_exception_handler,
        }
        refused = [name for name, is_asked in told.items() if is_asked]
        if refused:
            raise ConfigError(
                f"flow.workers.Worker does not follow {', '.join(refused)}; "
                "leave it out, or use RQ's own worker for these queues"
            )


def _takes_otherwise(queue_class: type) -> bool:
    """Return whether a class changes what RQ's worker uses of a queue."""
    kinds = queue_class.__mro__
    own = kinds[: kinds.index(Queue)]
    return any(not TAKING.isdisjoint(vars(kind)) for kind in own)

"""Worker: flow's engine behind RQ's own commands.

``rq worker --worker-class flow.workers.Worker high default`` and ``rq worker-pool``
construct it as they construct theirs, then call ``work``. What reads (``rq info``,
rq-dashboard, django-rq) is inherited; what runs jobs is flow's supervisor. A setting
that flow does not follow is refused by its name, never passed over.
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
from flow.record import RESULT_TTL
from flow.registry import load_app
from flow.store import current
from flow.store.client import Store
from flow.store.rqaddress import address_of
from flow.workers import callbacks
from flow.workers.worker import run


class Worker(BaseWorker):
    """RQ's worker to whoever constructs it; flow's once it works."""

    def work(
        self,
        burst: bool = False,  # noqa: FBT001, FBT002 - RQ's signature, as all here
        logging_level: str | None = None,
        *_: Any,  # noqa: ANN401 - formats of RQ's log, which flow does not write
        max_jobs: int | None = None,
        max_idle_time: int | None = None,
        dequeue_strategy: Any = None,  # noqa: ANN401
        **__: Any,  # noqa: ANN401
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
        callbacks.use_handlers(handlers)

    def _refuse(self, asked: dict[str, bool]) -> None:
        told = {
            **asked,
            "job_class": self.job_class is not Job,
            "queue_class": self.queue_class is not Queue,
            "default_result_ttl": self.default_result_ttl != RESULT_TTL,
            "disable_default_exception_handler": self.disable_default_exception_handler,
        }
        refused = [name for name, is_asked in told.items() if is_asked]
        if refused:
            raise ConfigError(
                f"flow.workers.Worker does not follow {', '.join(refused)}; "
                "leave it out, or use RQ's own worker for these queues"
            )

"""Asking a worker: the one place where services name tasks, which stand above them."""

import logging
from typing import Literal

from kombu.exceptions import OperationalError

logger = logging.getLogger(__name__)

TaskName = Literal["send_mail", "build_index", "fetch_range", "fetch_morning", "canary"]

ONCE_MORE = {"max_retries": 1, "interval_start": 0.0}
"""At once and on a new connection: the pooled one may be dead without anybody having said so."""


def ask_worker(task: TaskName, *arguments: int, expires_s: int | None = None) -> bool:
    """Queue a task of `trading.tasks`; False, and a line in the log, when the queue cannot be reached.

    One that nobody began within `expires_s` is dropped. Call it after the commit: the worker reads what the
    transaction wrote. Nothing on the money path asks here.
    """
    from trading import tasks  # they import the services

    try:
        getattr(tasks, task).apply_async(arguments, retry=True, retry_policy=ONCE_MORE, expires=expires_s)
    except OperationalError:
        logger.exception("task=%s arguments=%s was not queued: the task queue is away", task, arguments)
        return False
    return True

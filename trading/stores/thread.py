"""One database thread with group commit: what has gathered is committed in one transaction."""

import asyncio
import logging
import queue
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any, ParamSpec, TypeVar

from django.db import Error, InterfaceError, OperationalError, connection, transaction

from trading.domain.errors import StoreUnavailable
from trading.stores.locks import Lock, take

logger = logging.getLogger(__name__)

P = ParamSpec("P")
T = TypeVar("T")

LARGEST_GROUP = 200
OTHERS_TURN_S = 0.001
"""SQLite's waiting writers only look now and then: without a pause a busy engine could keep a kill waiting for ever."""
ROLLED_BACK_SQLSTATES = frozenset({"40001", "40P01"})
"""PostgreSQL's serialization_failure and deadlock_detected: nothing was committed, it may be tried again."""
READ_ONLY_SQLSTATE = "25006"
"""PostgreSQL's read_only_sql_transaction: a replica after a failover, or a server that somebody lets only read."""


async def in_thread(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Do database work off the loop, and give its connection back when it is done.

    Neither asyncio.to_thread nor the async half of the ORM does that: what their threads leave open is missing
    from PostgreSQL's pool until there is none left.
    """

    def close_behind() -> T:
        try:
            return work(*args, **kwargs)
        finally:
            connection.close()

    return await asyncio.to_thread(close_behind)


@dataclass(frozen=True)
class _Operation:
    work: Callable[[], Any]
    locks: tuple[Lock, ...]
    only_reads: bool
    answer: "Future[Any]"


@dataclass(frozen=True)
class _Outcome:
    result: Any = None
    error: Exception | None = None


class DatabaseThread:
    """Runs database work in order on one thread, several pieces a transaction.

    A piece that fails is rolled back alone and gets its own exception; its neighbours are committed.
    Answers are given after the commit. When the database is gone all of a group get StoreUnavailable
    and may or may not be committed.
    """

    def __init__(self, name: str = "database") -> None:
        self._queue: queue.SimpleQueue[_Operation | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._work, name=name, daemon=True)
        self._thread.start()

    async def run(self, work: Callable[[], T], *, locks: Iterable[Lock] = ()) -> T:
        """Do `work` inside a transaction that holds `locks`, and give its result once committed."""
        return await self._queued(work, tuple(locks), only_reads=False)

    async def read(self, work: Callable[[], T]) -> T:
        """Do `work` that only reads; where nothing is written beside it, no transaction keeps writers waiting.

        Its queries may then see the database at different moments.
        """
        return await self._queued(work, (), only_reads=True)

    async def _queued(self, work: Callable[[], T], locks: tuple[Lock, ...], *, only_reads: bool) -> T:
        answer: Future[T] = Future()
        self._queue.put(_Operation(work, locks, only_reads, answer))
        return await asyncio.wrap_future(answer)

    def close(self) -> None:
        """Finish what was asked and end the thread."""
        self._queue.put(None)
        self._thread.join()

    def _work(self) -> None:
        is_open = True
        while is_open:
            group = [self._queue.get()]
            while len(group) < LARGEST_GROUP and not self._queue.empty():
                group.append(self._queue.get())
            is_open = None not in group
            self._settle([op for op in group if op is not None and op.answer.set_running_or_notify_cancel()])
            if connection.vendor == "sqlite":
                time.sleep(OTHERS_TURN_S)
        connection.close()

    def _settle(self, group: Sequence[_Operation]) -> None:
        """Commit a group and answer it; one that was rolled back as a whole is done again piece by piece."""
        if not group:
            return
        try:
            outcomes = _commit(group)
        except Error as error:
            if len(group) > 1 and _was_rolled_back(error):
                for operation in group:
                    self._settle([operation])
                return
            outcomes = [_Outcome(error=_as_trading_error(error))] * len(group)
        except Exception as error:  # a defect must not end the thread that everybody waits for
            logger.exception("a group of %s database operations failed", len(group))
            outcomes = [_Outcome(error=error)] * len(group)
        for operation, outcome in zip(group, outcomes, strict=True):
            if outcome.error is not None:
                operation.answer.set_exception(outcome.error)
            else:
                operation.answer.set_result(outcome.result)


def _commit(group: Sequence[_Operation]) -> list[_Outcome]:
    if all(operation.only_reads for operation in group):
        return [_outcome_of(operation, nullcontext()) for operation in group]
    with transaction.atomic():
        take(lock for operation in group for lock in operation.locks)
        return [_outcome_of(operation, transaction.atomic()) for operation in group]


def _outcome_of(operation: _Operation, savepoint: AbstractContextManager[None]) -> _Outcome:
    """Run one piece. A lost connection is the whole group's, all else the piece's own."""
    try:
        with savepoint:
            return _Outcome(operation.work())
    except Exception as error:
        if isinstance(error, Error) and _is_gone(error):
            raise
        return _Outcome(error=error)


def _is_gone(error: Error) -> bool:
    """Say whether the database cannot be used: no connection, or one to a server that only reads."""
    return isinstance(error, OperationalError | InterfaceError) or _sqlstate(error) == READ_ONLY_SQLSTATE


def _was_rolled_back(error: Error) -> bool:
    return _sqlstate(error) in ROLLED_BACK_SQLSTATES or not _is_gone(error)


def _sqlstate(error: Error) -> str | None:
    return getattr(error.__cause__, "sqlstate", None)


def _as_trading_error(error: Error) -> Exception:
    """Say that the database is gone, and forget the connection, so that the next group makes a new one."""
    if not _is_gone(error):
        return error
    if _sqlstate(error) == READ_ONLY_SQLSTATE and connection.connection is not None:
        connection.connection.close()  # given back to the pool as it is, it would be handed out again
    connection.close()
    unavailable = StoreUnavailable(f"the database did not answer: {error}")
    unavailable.__cause__ = error
    return unavailable

"""The engine's pen: events to the log in the order in which they happened, and alarms."""

import asyncio
import logging
from collections.abc import Coroutine, Mapping
from datetime import datetime
from typing import Any

from trading.domain.errors import StoreUnavailable
from trading.domain.sentences import SILENT_KINDS, sentence
from trading.engine.work import first_of
from trading.ports import AlarmPost, Clock, EngineEvent, EngineStore, LivePublisher

logger = logging.getLogger(__name__)

STORE_MAY_TAKE_S = 2.0
"""Wire seconds after which an alarm goes round the database: a person must hear of it within five."""


class Journal:
    """Gathers events and commits them together; whoever needs them committed awaits `flush`."""

    def __init__(
        self, clock: Clock, store: EngineStore, live: LivePublisher, alarm_post: AlarmPost | None = None
    ) -> None:
        self._clock = clock
        self._store = store
        self._live = live
        self._alarm_post = alarm_post
        self._pending: list[EngineEvent] = []
        self._going_on: set[asyncio.Task[None]] = set()
        self.is_ending = False
        """True from when the session begins to end."""

    def record(
        self,
        kind: str,
        client_id: int | None,
        data: Mapping[str, Any],
        *,
        account: str = "",
        instrument: str = "",
        tag: str = "",
    ) -> None:
        """Note an event that happened now, in market time."""
        at = self._clock.now()
        self._pending.append(EngineEvent(client_id, kind, at, data, account, instrument, tag))
        if kind not in SILENT_KINDS:
            self._tell(kind, client_id, at, data, account=account, instrument=instrument, tag=tag)

    async def flush(self) -> None:
        """Commit what has gathered. On StoreUnavailable it is kept for the next time, and the error goes on.

        So it is when a session's end cuts whoever asked off: an event may then be told twice, and is not lost.
        """
        if self.is_ending:
            await self._take_back()
        events, self._pending = self._pending, []
        try:
            if events:
                await self._append(events)
        except StoreUnavailable:
            self._pending = events + self._pending
            raise
        except asyncio.CancelledError:
            if self.is_ending:  # else it is for whoever cuts this off to see that it goes on, see `flushed`
                self._pending = events + self._pending
            raise

    async def flushed(self) -> None:
        """Do as `flush`, for whoever may stop waiting: what is no more waited for the database may never begin with."""
        writing = asyncio.create_task(self.flush(), name="write events")
        self._going_on.add(writing)
        writing.add_done_callback(self._went_on)
        await asyncio.shield(writing)

    def _went_on(self, task: asyncio.Task[None]) -> None:
        self._going_on.discard(task)
        if not task.cancelled() and task.exception() is not None:
            logger.info("events wait for the database: %s", task.exception())

    async def _take_back(self) -> None:
        tasks = [task for task in self._going_on if task is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _append(self, events: list[EngineEvent]) -> None:
        """Commit events together; where one of them cannot be written at all, the others by themselves."""
        try:
            await self._store.append_events(events)
            return
        except StoreUnavailable:
            raise
        except Exception:
            logger.exception("%s events could not be written together", len(events))
            if len(events) == 1:
                await self._lost(events[0])
                return
        while events:
            await self._append([events[0]])
            del events[0]  # what is left is kept when the database goes away meanwhile

    async def _lost(self, event: EngineEvent) -> None:
        if event.kind == "ALARM":
            return  # it is in the log and in the alarm table; telling its loss would be lost the same way
        text = f"an event {event.kind} of {event.instrument or 'the engine'} could not be written; see the log"
        await self.alarm(event.client_id, "EVENT_LOST", text)

    async def keep_flushing(self, every_s: float = 0.2) -> None:
        """Commit what nobody waits for, for ever."""
        while True:
            await self._clock.sleep(every_s)
            try:
                await self.flush()
            except StoreUnavailable as error:
                logger.warning("events wait for the database: %s", error)

    def alarm(
        self, client_id: int | None, code: str, text: str, *, account: str = "", tag: str = ""
    ) -> Coroutine[Any, Any, None]:
        """Note at once, in log and events, that something needs a person; what is given back tells people when awaited.

        That is the alarm table, from which it is sent to them. A database that does not take it soon is gone round, and
        so is one that is not waited for any more because the session ends: the alarm is then told directly.
        """
        logger.error("ALARM %s client=%s account=%s %s", code, client_id, account, text)
        self.record("ALARM", client_id, {"code": code, "text": text}, account=account, tag=tag)
        return self._tell_people(client_id, code, text, self._clock.now())

    async def _tell_people(self, client_id: int | None, code: str, text: str, at: datetime) -> None:
        post, is_stored = self._alarm_post, False
        try:
            is_stored = await self._is_stored(client_id, code, text)
        finally:
            if post is not None and is_stored:
                post.stored()
            elif post is not None:
                post.directly(client_id, code, text, at)

    async def _is_stored(self, client_id: int | None, code: str, text: str) -> bool:
        storing = asyncio.ensure_future(self._store.raise_alarm(client_id, code, text))
        await first_of(_ended(storing), self._clock.sleep(STORE_MAY_TAKE_S))
        if not storing.done():
            storing.cancel()
            logger.error("the alarm %s was not stored within %s s", code, STORE_MAY_TAKE_S)
            return False
        try:
            storing.result()
        except Exception:  # whatever hinders it: an alarm is not lost because of its row
            logger.exception("the alarm %s could not be stored", code)
            return False
        return True

    def _tell(
        self,
        kind: str,
        client_id: int | None,
        at: datetime,
        data: Mapping[str, Any],
        *,
        account: str,
        instrument: str,
        tag: str,
    ) -> None:
        try:
            words = sentence(kind, instrument, data)
        except Exception:  # what a page is told may be lost; whoever records it decides about orders
            logger.exception("no words for the event %s", kind)
            words = kind
        message = {
            "kind": kind,
            "sentence": words,
            "at": at.isoformat(),
            "account": account,
            "instrument": instrument,
            "tag": tag,
        }
        self._live.publish(client_id, "event", message)


async def _ended(task: "asyncio.Future[None]") -> None:
    await asyncio.wait([task])

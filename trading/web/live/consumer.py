"""/ws/live/: {v, seq, type, data}, a snapshot first. A page may only ask for another snapshot."""

import asyncio
import json
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import replace
from typing import Any

from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncWebsocketConsumer
from django.contrib.auth import get_user
from django.contrib.sessions.backends.db import SessionStore
from django.http import HttpRequest

from trading.clock.live import LiveClock
from trading.models import User
from trading.web.live.audience import Audience, find_audience, note_shown, picture_of
from trading.web.live.hub import MOST_SOCKETS_A_USER, the_hub
from trading.web.live.outbox import Outbox

logger = logging.getLogger(__name__)

VERSION = 1
SENDS_EVERY_S = 0.25
WAITS_FOR_HUB_S = 0.5
SNAPSHOT_AT_MOST_EVERY_S = 1.0
SESSION_CHECKED_EVERY_S = 30.0
MOST_SHOWN, LARGEST_ID = 50, 2**62
LARGEST_FRAME = 64 * 1024
MOST_MESSAGES_A_SECOND = 20

SIGNED_OUT, TOO_MANY = 4401, 4429
TOO_LARGE, NO_SENSE, BROKEN = 1009, 1003, 1011

_wire = LiveClock()


class LiveConsumer(AsyncWebsocketConsumer):  # type: ignore[misc]  # Channels has no types
    """One browser tab. It takes no commands: only the wish for a snapshot, and which alarms it has shown.

    It belongs to no channel-layer group: the hub hands it what its person may see, so that Redis being away
    keeps no page from opening.
    """

    channel_layer_alias = "none"
    who: Audience

    async def __call__(
        self, scope: dict[str, Any], receive: Callable[[], Awaitable[Any]], send: Callable[[Any], Awaitable[None]]
    ) -> None:
        """Serve one socket, and leave the hub however it ends."""
        self._outbox, self._tasks, self._seq = Outbox(), list[asyncio.Task[None]](), 0
        self._came: deque[float] = deque(maxlen=MOST_MESSAGES_A_SECOND)
        self._wants_snapshot, self._pictured_at = True, float("-inf")
        try:
            await super().__call__(scope, receive, send)
        finally:
            await self._part()

    async def connect(self) -> None:
        """Let a signed-in client or operator in."""
        user = self.scope.get("user")
        who = await database_sync_to_async(find_audience)(user) if isinstance(user, User) and user.is_active else None
        if who is None:
            await self.close(code=SIGNED_OUT)
            return
        hub = the_hub()
        if hub.sockets_of(who.user_id) >= MOST_SOCKETS_A_USER:
            await self.close(code=TOO_MANY)
            return
        self.who = who
        hub.join(self)
        await self.accept()
        self._tasks = [
            asyncio.create_task(self._guard(self._keep_sending()), name="live-send"),
            asyncio.create_task(self._guard(self._keep_checking()), name="live-session"),
        ]

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        """Take {"type": "snapshot"} and {"type": "shown", "alarms": [ids]}; close for all else, too much, too large."""
        if len(text_data or bytes_data or "") > LARGEST_FRAME:
            await self.close(code=TOO_LARGE)
        elif self._is_too_fast():
            await self.close(code=TOO_MANY)
        elif (shown := _shown_alarms(text_data)) is not None:
            await database_sync_to_async(note_shown)(self.who.user_id, shown)
        elif not _asks_for_snapshot(text_data):
            await self.close(code=NO_SENSE)
        else:
            self._wants_snapshot = True

    async def disconnect(self, code: int) -> None:
        """Stop at once."""
        await self._part()

    # -- what the hub tells --------------------------------------------------------------------------------------

    def hear(self, kind: str, data: Mapping[str, Any]) -> None:
        """Keep a message until the next sending."""
        self._outbox.put(kind, data)

    def want_snapshot(self) -> None:
        """Send a snapshot before anything else."""
        self._wants_snapshot = True

    # -- inside --------------------------------------------------------------------------------------------------

    async def _guard(self, work: Coroutine[Any, Any, None]) -> None:
        """Close the socket when its work breaks: the page then says so and comes again."""
        try:
            await work
        except OSError:
            return  # the browser left in the middle of a message
        except Exception:
            logger.exception("a live socket broke")
            await self.close(code=BROKEN)

    async def _keep_sending(self) -> None:
        """Send what gathered, at most four times a second."""
        await the_hub().listens(WAITS_FOR_HUB_S)
        while True:
            now = _wire.monotonic()
            if self._wants_snapshot and now - self._pictured_at >= SNAPSHOT_AT_MOST_EVERY_S:
                self._wants_snapshot, self._pictured_at = False, now
                await self._send_snapshot()
            elif not self._wants_snapshot:
                for kind, data in self._outbox.take():
                    await self._tell(kind, data)
            await asyncio.sleep(SENDS_EVERY_S)

    async def _send_snapshot(self) -> None:
        self._outbox.clear()
        who = await database_sync_to_async(_again)(self.who.user_id)
        if who is None:
            await self.close(code=SIGNED_OUT)
            return
        picture = await database_sync_to_async(picture_of)(who)
        self.who = replace(who, instruments=_instruments(picture))
        await self._tell("snapshot", picture)

    async def _tell(self, kind: str, data: Mapping[str, Any]) -> None:
        self._seq += 1
        message = {"v": VERSION, "seq": self._seq, "type": kind, "data": data}
        await self.send(text_data=json.dumps(message, separators=(",", ":")))

    async def _keep_checking(self) -> None:
        """Close once the session has ended: signed out elsewhere, expired, or the password was changed."""
        while True:
            await asyncio.sleep(SESSION_CHECKED_EVERY_S)
            session_key = getattr(self.scope.get("session"), "session_key", None)
            if not await database_sync_to_async(is_signed_in)(session_key, self.who.user_id):
                await self.close(code=SIGNED_OUT)
                return

    async def _part(self) -> None:
        if hasattr(self, "who"):
            the_hub().leave(self)
        tasks, self._tasks = [task for task in self._tasks if task is not asyncio.current_task()], []
        for task in tasks:
            task.cancel()
        for result in await asyncio.gather(*tasks, return_exceptions=True):
            if isinstance(result, Exception):
                logger.info("a live socket ended: %s", type(result).__name__)

    def _is_too_fast(self) -> bool:
        """True for the 21st message within a second."""
        now = _wire.monotonic()
        is_too_fast = len(self._came) == MOST_MESSAGES_A_SECOND and now - self._came[0] < 1.0
        self._came.append(now)
        return is_too_fast


def is_signed_in(session_key: str | None, user_id: int) -> bool:
    """Read the session anew and say whether it still belongs to this active person."""
    request = HttpRequest()
    request.session = SessionStore(session_key)
    user = get_user(request)
    return isinstance(user, User) and user.pk == user_id and user.is_active


def _again(user_id: int) -> Audience | None:
    user = User.objects.filter(pk=user_id, is_active=True).first()
    return find_audience(user) if user else None


def _instruments(picture: Mapping[str, Any]) -> frozenset[str]:
    rows = [*(picture.get("watchlist") or ()), *(picture.get("positions") or ())]
    return frozenset(row["instrument"] for row in rows)


def _asks_for_snapshot(text: str | None) -> bool:
    try:
        return bool(json.loads(text or "") == {"type": "snapshot"})
    except (ValueError, RecursionError):
        return False


def _shown_alarms(text: str | None) -> list[int] | None:
    """Give the alarms that a page says it has shown; None for any other message."""
    try:
        message = json.loads(text or "")
    except (ValueError, RecursionError):
        return None
    if not isinstance(message, dict) or message.keys() != {"type", "alarms"} or message["type"] != "shown":
        return None
    ids = message["alarms"]
    if not isinstance(ids, list) or len(ids) > MOST_SHOWN:
        return None
    return ids if all(type(one) is int and 0 < one < LARGEST_ID for one in ids) else None

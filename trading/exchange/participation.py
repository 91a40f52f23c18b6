"""The web socket over which processes take part in the market's steps (docs/architecture.md, "Two kinds of time").

The exchange says `hello` once and then asks `round` after `round`; a participant answers `done` or `busy`.
Who has answered in advance is told the newest round now and then: a step costs most by the processes that it wakes.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping
from typing import Any

from aiohttp import WSCloseCode, WSMsgType, web

from trading.exchange.clock import MarketClock
from trading.exchange.participants import ROLES, Participant, Participants
from trading.exchange.stepper import Stepper

logger = logging.getLogger(__name__)

HEARTBEAT_S = 10.0
TELLS_EVERY_S = 0.05
"""Wire time in which who has answered in advance hears of the market's time once."""


class Outbox:
    """The rounds that one participant is still to hear of, on the running loop."""

    def __init__(self, participant: Participant) -> None:
        self._participant = participant
        self._queue: asyncio.Queue[Mapping[str, Any]] = asyncio.Queue()
        self._newest: Mapping[str, Any] = {}
        self._timer: asyncio.TimerHandle | None = None

    def put(self, message: Mapping[str, Any]) -> None:
        """Tell a round at once, or where it is answered already, the newest one when the time for that has come."""
        self._newest = message
        if self._participant.answered_until_ms <= message["epoch_ms"]:
            self._tell()
        elif self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(TELLS_EVERY_S, self._tell)

    async def next(self) -> Mapping[str, Any]:
        """Give what is to be sent next."""
        return await self._queue.get()

    def close(self) -> None:
        """Tell nothing more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _tell(self) -> None:
        self.close()
        self._queue.put_nowait(self._newest)


class Participation:
    """Serves `/participate` and tells everybody there. `stepper` is set before the first one comes."""

    def __init__(
        self, exchange_id: str, clock: MarketClock, participants: Participants, *, monotonic: Callable[[], float]
    ) -> None:
        self._exchange_id = exchange_id
        self._clock = clock
        self._participants = participants
        self._monotonic = monotonic
        self._outboxes: set[Outbox] = set()
        self.stepper: Stepper

    def tell(self, message: Mapping[str, Any]) -> None:
        """Queue a message to every participant; a slow reader never delays the market."""
        for outbox in self._outboxes:
            outbox.put(message)

    def sheet(self) -> list[dict[str, str]]:
        """List who takes part, or did, for the clock's answer."""
        return [{"name": one.name, "role": one.role, "state": one.state} for one in self._participants.all()]

    async def serve(self, request: web.Request) -> web.WebSocketResponse:
        """Serve one participant until it goes. Raises ValueError without a name and a known role."""
        name, role = request.query.get("name", ""), request.query.get("role", "")
        if not name or role not in ROLES:
            raise ValueError(f"a participant needs a name and a role of {', '.join(ROLES)}, was {name!r} and {role!r}")
        socket = web.WebSocketResponse(heartbeat=HEARTBEAT_S)
        await socket.prepare(request)
        await socket.send_json(self._hello())
        participant = self._participants.join(name, role, at=self._monotonic())
        outbox = Outbox(participant)
        self._outboxes.add(outbox)
        outbox.put(self.stepper.round_message())
        writer = asyncio.create_task(_write_all(socket, outbox))
        self.stepper.stir()
        try:
            await self._read_all(socket, participant)
        finally:
            writer.cancel()
            outbox.close()
            self._outboxes.discard(outbox)
        return socket

    def _hello(self) -> dict[str, Any]:
        clock = self._clock
        return {
            "type": "hello",
            "epoch_ms": clock.now_ms,
            "speed": clock.speed,
            "pace": clock.pace,
            "day": clock.day.isoformat(),
            "step": clock.step,
            "exchange_id": self._exchange_id,
        }

    async def _read_all(self, socket: web.WebSocketResponse, participant: Participant) -> None:
        async for message in socket:
            if message.type is not WSMsgType.TEXT:
                continue
            try:
                self._take(participant, message.json())
            except (ValueError, KeyError, TypeError) as error:
                logger.warning("participant %s said what nobody understands: %r", participant.name, error)
                await socket.close(code=WSCloseCode.UNSUPPORTED_DATA, message=b"not understood")

    def _take(self, participant: Participant, said: Mapping[str, Any]) -> None:
        kind, step, round_ = said["type"], int(said["step"]), int(said["round"])
        self._participants.heard(participant, at=self._monotonic())
        if kind == "done":
            due_ms, until_ms = said.get("due_ms"), said.get("until_ms")
            self._participants.done(participant, step, round_, due_ms=due_ms, until_ms=until_ms)
        elif kind == "busy":
            self._participants.busy(participant, step, round_)
        self.stepper.stir()


async def _write_all(socket: web.WebSocketResponse, outbox: Outbox) -> None:
    while True:
        message = await outbox.next()
        try:
            await socket.send_json(message)
        except ConnectionError:
            return

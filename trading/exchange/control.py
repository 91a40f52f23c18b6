"""The control port: market clock, truth, faults, and the participants' web socket. Loopback only."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from datetime import time
from typing import Any

from aiohttp import WSMsgType, web

from trading.domain.timezone import at_ist
from trading.exchange.clock import MarketClock, to_ms
from trading.exchange.faults import Faults
from trading.exchange.participants import Participant, Participants
from trading.exchange.stepper import Stepper
from trading.exchange.venue import Venue

logger = logging.getLogger(__name__)

ROLES = ("ticker", "engine", "beat")


class ControlPort:
    """HTTP and web socket handlers of one running exchange."""

    def __init__(
        self,
        *,
        exchange_id: str,
        clock: MarketClock,
        venue: Venue,
        faults: Faults,
        participants: Participants,
        monotonic: Callable[[], float],
    ) -> None:
        self._exchange_id = exchange_id
        self._clock = clock
        self._venue = venue
        self._faults = faults
        self._participants = participants
        self._monotonic = monotonic
        self._sockets: dict[web.WebSocketResponse, asyncio.Queue[Mapping[str, Any]]] = {}
        self.stepper: Stepper | None = None

    def app(self) -> web.Application:
        """Build the aiohttp application."""
        app = web.Application(middlewares=[_plain_errors])
        app.add_routes(
            [
                web.get("/clock", self.get_clock),
                web.post("/clock", self.post_clock),
                web.get("/ledger", self.get_ledger),
                web.get("/ledger/hash", self.get_ledger_hash),
                web.get("/users", self.get_users),
                web.get("/faults", self.get_faults),
                web.post("/faults", self.post_faults),
                web.delete("/faults", self.delete_faults),
                web.post("/behaviour", self.post_behaviour),
                web.post("/tokens/invalidate", self.post_invalidate),
                web.get("/participate", self.participate),
            ]
        )
        return app

    def tell(self, message: Mapping[str, Any]) -> None:
        """Queue a message to every participant; a slow reader never delays the market."""
        for queue in self._sockets.values():
            queue.put_nowait(message)

    def clock_status(self) -> dict[str, Any]:
        """Give the clock's answer; shape in docs/exchange.md."""
        clock = self._clock
        return {
            "exchange_id": self._exchange_id,
            "now": clock.now.isoformat(),
            "epoch_ms": clock.now_ms,
            "day": clock.day.isoformat(),
            "phase": clock.phase,
            "speed": clock.speed,
            "pace": clock.pace,
            "step": clock.step,
            "held": clock.is_held,
            "finished": clock.is_finished,
            "participants": [
                {"name": one.name, "role": one.role, "state": one.state} for one in self._participants.all()
            ],
        }

    async def get_clock(self, request: web.Request) -> web.Response:
        """Answer where the market stands."""
        return web.json_response(self.clock_status())

    async def post_clock(self, request: web.Request) -> web.Response:
        """Obey run_until, hold, resume, step, speed and pace; several may come in one body."""
        body = await _json_object(request)
        clock = self._clock
        orders: dict[str, Callable[[Any], None]] = {
            "speed": lambda value: clock.set_speed(_whole(value, "speed")),
            "pace": lambda value: clock.set_pace(str(value)),
            "hold": lambda value: clock.hold() if value else clock.resume(),
            "resume": lambda value: clock.resume() if value else clock.hold(),
            "step": lambda value: clock.run_steps(_whole(value, "step")),
            "run_until": lambda value: clock.run_until(self._moment_of(value)),
        }
        unknown = sorted(set(body) - set(orders))
        if unknown:
            raise ValueError(f"a clock order was {unknown[0]!r}, the known ones are {', '.join(orders)}")
        for word, value in body.items():
            orders[word](value)
        self._stir()
        return web.json_response(self.clock_status())

    def _moment_of(self, value: object) -> int:
        try:
            return to_ms(at_ist(self._clock.day, time.fromisoformat(str(value))))
        except ValueError as error:
            raise ValueError(f"run_until must be HH:MM:SS of the market's day, was {value!r}") from error

    async def get_ledger(self, request: web.Request) -> web.Response:
        """Answer the truth: every user's orders, trades, positions and money."""
        return web.json_response(self._venue.ledger_truth())

    async def get_ledger_hash(self, request: web.Request) -> web.Response:
        """Answer the hash over the ledger's contents, without ids and wall times."""
        return web.json_response({"day": self._clock.day.isoformat(), "hash": self._venue.ledger_hash()})

    async def get_users(self, request: web.Request) -> web.Response:
        """Answer who has an account here, with keys and passwords: everything is made up."""
        return web.json_response({"users": self._venue.user_sheet()})

    async def get_faults(self, request: web.Request) -> web.Response:
        """Answer the rules in force and what was injected so far."""
        return web.json_response(self._faults.report())

    async def post_faults(self, request: web.Request) -> web.Response:
        """Add one rule, or a list of them."""
        body = await request.json()
        for rule in body if isinstance(body, list) else [body]:
            self._faults.add(rule)
        return web.json_response(self._faults.report())

    async def delete_faults(self, request: web.Request) -> web.Response:
        """Forget every rule; what was injected is kept."""
        self._faults.clear()
        return web.json_response(self._faults.report())

    async def post_behaviour(self, request: web.Request) -> web.Response:
        """Set order-book lag and fill schedule."""
        return web.json_response(self._venue.set_behaviour(await _json_object(request)))

    async def post_invalidate(self, request: web.Request) -> web.Response:
        """Make a user's access tokens void, as a login elsewhere does."""
        user_id = (await _json_object(request)).get("user_id")
        return web.json_response({"invalidated": self._venue.invalidate_tokens(str(user_id))})

    async def participate(self, request: web.Request) -> web.WebSocketResponse:
        """Serve one participant until it goes."""
        name, role = request.query.get("name", ""), request.query.get("role", "")
        if not name or role not in ROLES:
            raise ValueError(f"a participant needs a name and a role of {', '.join(ROLES)}, was {name!r} and {role!r}")
        socket = web.WebSocketResponse(heartbeat=10)
        await socket.prepare(request)
        await socket.send_json(self._hello())
        outbox: asyncio.Queue[Mapping[str, Any]] = asyncio.Queue()
        self._sockets[socket] = outbox
        participant = self._participants.join(name, role, at=self._monotonic())
        if self.stepper is not None:
            outbox.put_nowait(self.stepper.round_message())
        writer = asyncio.create_task(_write_all(socket, outbox))
        self._stir()
        try:
            await self._read_all(socket, participant)
        finally:
            writer.cancel()
            self._sockets.pop(socket, None)
            self._participants.leave(participant)
            self._stir()
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
            said = message.json()
            self._participants.heard(participant, at=self._monotonic())
            if said["type"] == "done":
                self._participants.done(
                    participant, said["step"], said["round"], due_ms=said.get("due_ms"), until_ms=said.get("until_ms")
                )
            elif said["type"] == "busy":
                self._participants.busy(participant, said["step"], said["round"])
            self._stir()

    def _stir(self) -> None:
        if self.stepper is not None:
            self.stepper.stir()


async def _write_all(socket: web.WebSocketResponse, outbox: asyncio.Queue[Mapping[str, Any]]) -> None:
    while True:
        message = await outbox.get()
        try:
            await socket.send_json(message)
        except ConnectionError:
            return


async def _json_object(request: web.Request) -> dict[str, Any]:
    body = await request.json()
    if not isinstance(body, dict):
        raise ValueError("the body must be a JSON object")
    return body


def _whole(value: object, name: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError(f"{name} must be a whole number, was {value!r}")
    return value


@web.middleware
async def _plain_errors(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """Turn bad input into a 400 that says what was wrong."""
    try:
        return await handler(request)
    except (ValueError, KeyError) as error:
        return web.json_response({"error": str(error)}, status=400)

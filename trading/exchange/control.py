"""The control port: market clock, truth, faults, and the way in for participants. Loopback only."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import time
from typing import Any

from aiohttp import web

from trading.domain.timezone import at_ist
from trading.exchange.clock import MarketClock, to_ms
from trading.exchange.control_bodies import read_object, whole
from trading.exchange.control_faults import FaultCalls
from trading.exchange.control_guard import guard
from trading.exchange.control_page import page_routes
from trading.exchange.participation import Participation
from trading.exchange.venue import Venue
from trading.exchange.venue.summary import ledger_summary


class ControlPort:
    """HTTP handlers of one running exchange. `stir` makes the market look again."""

    def __init__(
        self,
        *,
        exchange_id: str,
        clock: MarketClock,
        venue: Venue,
        faults: FaultCalls,
        participation: Participation,
        stir: Callable[[], None],
    ) -> None:
        self._exchange_id = exchange_id
        self._clock = clock
        self._venue = venue
        self._fault_calls = faults
        self._participation = participation
        self._stir = stir

    def app(self) -> web.Application:
        """Build the aiohttp application."""
        app = web.Application(middlewares=[guard(), _plain_errors])
        app.add_routes(
            [
                web.get("/clock", self.get_clock),
                web.post("/clock", self.post_clock),
                web.get("/ledger", self.get_ledger),
                web.get("/ledger/hash", self.get_ledger_hash),
                web.get("/ledger/summary", self.get_ledger_summary),
                web.get("/charges", self.get_charges),
                web.get("/users", self.get_users),
                *self._fault_calls.routes(),
                *page_routes(),
                web.post("/behaviour", self.post_behaviour),
                web.post("/gtt", self.post_gtt),
                web.post("/square-off", self.post_square_off),
                web.post("/tokens/invalidate", self.post_invalidate),
                web.get("/participate", self._participation.serve),
            ]
        )
        return app

    def clock_status(self) -> dict[str, Any]:
        """Give the clock's answer; shape in docs/exchange/control.md."""
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
            "participants": self._participation.sheet(),
        }

    async def get_clock(self, request: web.Request) -> web.Response:
        """Answer where the market stands."""
        return web.json_response(self.clock_status())

    async def post_clock(self, request: web.Request) -> web.Response:
        """Obey run_until, hold, resume, step, speed and pace; several may come in one body: all of them or none."""
        body = await read_object(request)
        self._obey(replace(self._clock), body)  # a refused order raises here, before anything has changed
        self._obey(self._clock, body)
        self._stir()
        return web.json_response(self.clock_status())

    def _obey(self, clock: MarketClock, body: dict[str, Any]) -> None:
        orders: dict[str, Callable[[Any], None]] = {
            "speed": lambda value: clock.set_speed(whole(value, "speed")),
            "pace": lambda value: clock.set_pace(str(value)),
            "hold": lambda value: clock.hold() if value else clock.resume(),
            "resume": lambda value: clock.resume() if value else clock.hold(),
            "step": lambda value: clock.run_steps(whole(value, "step")),
            "run_until": lambda value: clock.run_until(self._moment_of(value)),
        }
        unknown = sorted(set(body) - set(orders))
        if unknown:
            raise ValueError(f"a clock order was {unknown[0]!r}, the known ones are {', '.join(orders)}")
        for word, value in body.items():
            orders[word](value)

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

    async def get_ledger_summary(self, request: web.Request) -> web.Response:
        """Answer each account in short: orders, positions, P&L at the last prices."""
        return web.json_response({"accounts": ledger_summary(self._venue.books, self._venue.market)})

    async def get_charges(self, request: web.Request) -> web.Response:
        """Answer what each user's executed orders of the day cost."""
        return web.json_response(self._venue.charges_of_the_day())

    async def get_users(self, request: web.Request) -> web.Response:
        """Answer who has an account here, with keys and passwords: everything is made up."""
        return web.json_response({"users": self._venue.user_sheet()})

    async def post_behaviour(self, request: web.Request) -> web.Response:
        """Set order-book lag and fill schedule."""
        return web.json_response(self._venue.behaviour.set(await read_object(request)))

    async def post_square_off(self, request: web.Request) -> web.Response:
        """Switch or move the broker's square-off; an empty object only asks."""
        return web.json_response(self._venue.set_square_off(await read_object(request)))

    async def post_gtt(self, request: web.Request) -> web.Response:
        """End an active trigger as the broker does: disabled, cancelled or rejected."""
        body = await read_object(request)
        self._venue.end_gtt(whole(body.get("trigger_id"), "trigger_id"), str(body.get("status")))
        return web.json_response({"trigger_id": body["trigger_id"], "status": body["status"]})

    async def post_invalidate(self, request: web.Request) -> web.Response:
        """Make a user's access tokens void, as a login elsewhere does."""
        user_id = (await read_object(request)).get("user_id")
        return web.json_response({"invalidated": self._venue.invalidate_tokens(str(user_id))})


@web.middleware
async def _plain_errors(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """Turn bad input into a 400 that says what was wrong."""
    try:
        return await handler(request)
    except ValueError as error:
        return web.json_response({"error": str(error)}, status=400)
    except web.HTTPException as error:
        if error.status < 400:
            raise
        return web.json_response({"error": error.reason}, status=error.status)

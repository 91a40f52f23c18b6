"""The product's Kite adapter, whole, with its wires laid into the simulated broker instead of sockets and threads."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from typing import Any, TypeVar
from urllib.parse import parse_qsl

from yarl import URL

from trading.brokers.kite.client import KiteBroker
from trading.brokers.kite.lane import Lane, Overdue
from trading.brokers.kite.order_wire import OrderWire
from trading.brokers.kite.parse import ParseError, is_order_message, parse_order_frame
from trading.brokers.kite.prices import CALL_DEADLINE_S
from trading.brokers.kite.sockets import SocketLogin
from trading.brokers.kite.updates import OrderSocket
from trading.brokers.kite.wire import KiteWire, ReadingWire
from trading.domain.errors import BrokerAuthError
from trading.domain.orders import BrokerOrder
from trading.exchange.kite.connection import Connection
from trading.ports import Clock, OrderUpdate
from trading.simulation.house import BrokerHouse
from trading.simulation.requests import Caller, Request, Rest

Answer = TypeVar("Answer")

ROOT, WS_ROOT = "http://simulated", "ws://simulated"
REOPENS_AFTER_S = 1.0


class SimKiteBroker(KiteBroker):
    """One account as one engine process has it, with the token that it was made with."""

    def __init__(self, house: BrokerHouse, rest: Rest, caller: Caller, account: str, clock: Clock) -> None:
        super().__init__(
            account=account, api_key=caller.api_key, access_token=caller.token, root=ROOT, ws_root=WS_ROOT, clock=clock
        )
        self._lane = _SimLane(rest, caller)
        self._order_wire = _SimOrderWire(rest, caller)
        self._socket = _SimSocket(house, caller, account, clock)


class _SimOrderWire(OrderWire):
    """Builds the same bytes, and reads them where the broker would."""

    def __init__(self, rest: Rest, caller: Caller) -> None:
        super().__init__(caller.api_key, caller.token, root=ROOT, deadline_s=CALL_DEADLINE_S)
        self._rest = rest
        self._caller = caller

    async def _exchange(self, method: str, address: URL, body: bytes) -> Any:
        form = dict(parse_qsl(body.decode()))
        return await self._rest.call(Request(self._caller, method, address.path, form))


class _Asked(Exception):
    """What the SDK was about to send."""

    def __init__(self, method: str, path: str, params: Any) -> None:
        self.method, self.path, self.params = method, path, params


class _AskingWire(ReadingWire):
    """Runs an SDK call twice: first to learn what it sends, then with the answer that came."""

    answers: list[Any]

    def _request(
        self, route: str, method: str, url_args: dict[str, Any] | None = None, params: Any = None, *_: Any, **__: Any
    ) -> Any:
        if self.answers:
            return self.answers.pop()
        raise _Asked(method, self._routes[route].format(**(url_args or {})), params or {})


class _SimLane(Lane[KiteWire]):
    """Reads one at a time, as the adapter's thread does."""

    def __init__(self, rest: Rest, caller: Caller) -> None:
        self._rest = rest
        self._caller = caller
        self._turn = asyncio.Lock()
        self._sdk = _AskingWire(caller.api_key, caller.token, root=ROOT, timeout_s=CALL_DEADLINE_S)

    async def run(self, call: Callable[[KiteWire], Answer], *, deadline_s: float) -> Answer:
        """Send what `call` asks for, and give what it makes of the answer. Raises Overdue, or what it raises."""
        async with self._turn:
            asked = self._asked(call)
            try:
                async with asyncio.timeout(deadline_s):
                    answer = await self._rest.call(Request(self._caller, asked.method, asked.path, asked.params))
            except TimeoutError:
                raise Overdue(f"no answer within {deadline_s:g} s") from None
            self._sdk.answers = [answer]
            return call(self._sdk)

    def _asked(self, call: Callable[[KiteWire], Answer]) -> _Asked:
        self._sdk.answers = []
        try:
            call(self._sdk)
        except _Asked as asked:
            return asked
        raise TypeError("a read was expected to send something")

    def close(self) -> None:
        """Nothing is open."""


class _SimSocket(OrderSocket):
    """Order messages of one account, from the exchange's own feed."""

    def __init__(self, house: BrokerHouse, caller: Caller, account: str, clock: Clock) -> None:
        super().__init__(SocketLogin(account, caller.api_key, caller.token, WS_ROOT), clock)
        self._house = house
        self._caller = caller

    async def updates(self) -> AsyncGenerator[OrderUpdate, None]:
        """Yield messages for ever, connecting again after each cut. Raises BrokerAuthError for a dead token."""
        while True:
            if self._house.venue.access.find(self._caller.api_key, self._caller.token) is None:
                raise BrokerAuthError("the order socket refused the login", status=403)
            line = Line(self._house, self._caller.user_id, self._caller.api_key)
            try:
                yield OrderUpdate(None)
                serial = 0
                while (frame := await line.receive()) is not None:
                    if isinstance(frame, str) and is_order_message(frame):
                        serial += 1
                        yield OrderUpdate(self._heard(frame), serial)
            finally:
                line.close()
            await self._clock.sleep(REOPENS_AFTER_S)

    @staticmethod
    def _heard(frame: str) -> BrokerOrder | None:
        try:
            return parse_order_frame(frame)
        except ParseError:
            return None


class Line(Connection):
    """One socket at the exchange's feed, without a network: what is sent waits for `receive`."""

    def __init__(self, house: BrokerHouse, user_id: str, api_key: str) -> None:
        super().__init__(user_id, api_key)
        self._feed = house.feed
        self._frames: asyncio.Queue[str | bytes | None] = asyncio.Queue()
        self._is_open = True
        self.give_up = self.close
        house.feed.join(self)

    def send(self, text: str) -> None:
        """Take a text frame."""
        self._frames.put_nowait(text)

    def send_ticks(self, frame: bytes) -> None:
        """Take a binary frame."""
        self._frames.put_nowait(frame)

    async def receive(self) -> str | bytes | None:
        """Give the next frame, None once the line was cut."""
        return await self._frames.get()

    def close(self) -> None:
        """Leave the feed. Safe to call twice."""
        if self._is_open:
            self._is_open = False
            self._feed.leave(self)
            self._frames.put_nowait(None)

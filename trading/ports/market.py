"""The market: brokers, prices, and a simulated market that may wait for us."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Protocol

from trading.domain.candles import Candle
from trading.domain.orders import BrokerOrder, BrokerPosition, BrokerTrade, OrderChange, OrderIntent
from trading.domain.repricing import PriceQuote
from trading.domain.ticks import Tick


class TickFeed(Protocol):
    """Batches of ticks as the ticker published them. `step` is the simulated market's step that
    the batch completes, None live and for a batch that completes none."""

    def batches(self) -> AsyncIterator["TickBatch"]: ...


@dataclass(frozen=True, slots=True)
class TickBatch:
    """Ticks in the order in which they came. An empty batch with a step says: nothing moved."""

    ticks: tuple[Tick, ...]
    step: int | None = None


class Broker(Protocol):
    """One broker account. Raises only the classes of `domain.errors`.

    `place` raises BrokerRejected (final), BrokerAuthError (final, log in), BrokerUnavailable (not a byte was
    sent) or OrderOutcomeUnknown; it never retries. `modify` raises the same but BrokerUnavailable. Reads and
    `cancel` raise BrokerUnavailable, BrokerAuthError or BrokerRejected.
    """

    async def place(self, intent: OrderIntent) -> str: ...
    async def modify(self, order_id: str, change: OrderChange) -> None:
        """Change an order that rests; its row in the book says what came of it."""

    async def cancel(self, order_id: str) -> None: ...
    async def orders(self) -> list[BrokerOrder]: ...
    async def trades(self) -> list[BrokerTrade]: ...
    async def positions(self) -> list[BrokerPosition]: ...
    async def last_prices(self, instruments: Sequence[str]) -> dict[str, Decimal]:
        """Unknown instruments are absent from the answer."""

    async def quotes(self, instruments: Sequence[str]) -> dict[str, PriceQuote]:
        """Last prices with circuit bands. Unknown instruments are absent from the answer."""

    def order_updates(self) -> AsyncIterator["OrderUpdate"]:
        """Yield every order message of this account, for ever; reconnects by itself.

        `serial` counts the messages of the present connection from 1; `order` is None when a
        connection was (re)made, which tells the reader to poll.
        """

    async def close(self) -> None: ...


class PriceHistory(Protocol):
    """Historical data by one account, apart from its `Broker`: a slow read here keeps no exit waiting.

    Raises BrokerUnavailable, BrokerAuthError or BrokerRejected.
    """

    async def candles(self, token: int, start: datetime, end: datetime, interval: str) -> list[Candle]:
        """Read the candles that begin from `start` to `end` (aware); `interval` is Kite's word, e.g. minute."""

    async def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class OrderUpdate:
    """One message of the order socket. See `Broker.order_updates`."""

    order: BrokerOrder | None
    serial: int = 0


class MarketHold(Protocol):
    """The engine's side of a market that may wait for it (simulated exchange only).

    `rounds` yields each round the exchange asks about; `answer` says that everything up to it was
    decided and every own order is final or resting; `busy` says that work is still going on.
    With `until` every step before that moment is answered in advance, which `busy` takes back; meanwhile
    `rounds` yields only the newest now and then.
    """

    def rounds(self) -> AsyncIterator["MarketRound"]: ...
    async def answer(
        self, round_: "MarketRound", *, next_due: datetime | None, until: datetime | None = None
    ) -> None: ...
    async def busy(self, round_: "MarketRound") -> None: ...


@dataclass(frozen=True, slots=True)
class MarketRound:
    """One question of the exchange. `has_ticker` is false when no ticker takes part, so that no
    tick batch with this step will come. `updates` counts order messages sent so far a broker user
    on its present connection, `frames` tick frames on its present ticker connection. An answer is
    only waited for when `waits`."""

    step: int
    round: int
    at: datetime
    has_ticker: bool
    frames: Mapping[str, int]
    updates: Mapping[str, int]
    waits: bool


class SessionGrant(Protocol):
    """What a broker gives for a request token. `access_token` is a secret: never log this."""

    @property
    def user_id(self) -> str: ...
    @property
    def access_token(self) -> str: ...


class BrokerSession(Protocol):
    """The sign-in half of a broker's API, for one account. Calls block."""

    def login_url(self, state: str) -> str:
        """Give the broker's sign-in page; `state` comes back on the redirect."""

    def exchange(self, request_token: str) -> SessionGrant:
        """Trade the one-use token for a session. Raises BrokerError."""

    def revoke(self, access_token: str) -> None:
        """End a session at the broker. Raises BrokerError."""

"""Zerodha Kite as `ports.Broker`: builds parameters, sends, translates what comes back.

Order identity is the tag. Nothing here retries; nothing logs a token, a header or a body.
"""

from collections.abc import AsyncIterator, Callable
from typing import Any, TypeVar

from trading.brokers.kite import parse
from trading.brokers.kite.errors import KiteAnswer, cancelling_error, placing_error
from trading.brokers.kite.lane import Overdue
from trading.brokers.kite.prices import KitePrices, words_of
from trading.brokers.kite.sockets import SocketLogin
from trading.brokers.kite.updates import OrderSocket
from trading.brokers.kite.wire import KiteWire
from trading.domain.errors import BrokerRejected, OrderOutcomeUnknown
from trading.domain.funds import BrokerFunds
from trading.domain.orders import BrokerOrder, BrokerPosition, BrokerTrade, OrderIntent, OrderType
from trading.ports import Clock, OrderUpdate

Answer = TypeVar("Answer")


def to_kite_params(intent: OrderIntent) -> dict[str, Any]:
    """Give the SDK's arguments for an order. Raises ValueError for what this adapter cannot say in full.

    A MARKET order always carries market protection: without it Kite refuses since April 2026.
    """
    exchange, _, tradingsymbol = intent.key.instrument.partition(":")
    if exchange not in parse.EXCHANGES or not tradingsymbol:
        raise ValueError(f"instrument was {intent.key.instrument!r}")
    if intent.order_type not in (OrderType.MARKET, OrderType.LIMIT):
        raise ValueError(f"order type was {intent.order_type}; an intent has no trigger price")
    is_market = intent.order_type is OrderType.MARKET
    return {
        "variety": KiteWire.VARIETY_REGULAR,
        "exchange": exchange,
        "tradingsymbol": tradingsymbol,
        "transaction_type": intent.side.value,
        "quantity": intent.quantity,
        "product": intent.product.value,
        "order_type": intent.order_type.value,
        "validity": KiteWire.VALIDITY_DAY,
        "price": None if intent.price is None else f"{intent.price:f}",
        "market_protection": f"{intent.protection_percent:f}" if is_market else None,
        "tag": intent.tag,
        "algo_id": intent.algo_id or None,
    }


class KiteBroker(KitePrices):
    """One account. See `ports.Broker` for what each method raises; close it when done."""

    _wire = KiteWire

    def __init__(
        self, *, account: str, api_key: str, access_token: str, root: str, ws_root: str, clock: Clock, **more: Any
    ) -> None:
        """`more` is what `KitePrices` takes besides: egress_ip, call_deadline_s."""
        super().__init__(account=account, api_key=api_key, access_token=access_token, root=root, clock=clock, **more)
        self._socket = OrderSocket(SocketLogin(account, api_key, access_token, ws_root), clock)

    # -- orders --------------------------------------------------------------------------------------

    async def place(self, intent: OrderIntent) -> str:
        """Send one order and give Kite's order_id. Never retries: see OrderOutcomeUnknown."""
        try:
            params = to_kite_params(intent)
        except ValueError as error:
            raise BrokerRejected(f"order {intent.tag} was not sent: {error}") from error
        try:
            order_id = await self._lane.run(
                lambda sdk: sdk.place_order(**params), deadline_s=self._deadline_s, is_order=True
            )
        except KiteAnswer as answer:
            raise placing_error(answer, intent.tag) from None
        except Overdue as overdue:
            raise OrderOutcomeUnknown(f"order {intent.tag}: {overdue}") from None
        except Exception as error:
            # Whatever the SDK broke on, the order was sent before: it may stand in the book.
            raise OrderOutcomeUnknown(f"order {intent.tag}: unreadable answer ({type(error).__name__})") from error
        if not isinstance(order_id, str) or not order_id:
            raise OrderOutcomeUnknown(f"order {intent.tag}: the answer had no order id")
        return order_id

    async def cancel(self, order_id: str) -> None:
        """Ask for a cancel. Its answer is a hint: the order may have filled, or fill still."""
        try:
            await self._lane.run(
                lambda sdk: sdk.cancel_order(KiteWire.VARIETY_REGULAR, order_id),
                deadline_s=self._deadline_s,
                is_order=True,
            )
        except KiteAnswer as answer:
            raise cancelling_error(answer, order_id) from None
        except (Overdue, KeyError, TypeError) as error:
            raise cancelling_error(KiteAnswer(words_of(error)), order_id) from None

    async def orders(self) -> list[BrokerOrder]:
        """Read today's order book, oldest first."""
        return await self._read("order book", lambda sdk: sdk.read("orders"), _each(parse.parse_order))

    async def trades(self) -> list[BrokerTrade]:
        """Read today's fills."""
        return await self._read("trades", lambda sdk: sdk.read("trades"), _each(parse.parse_trade))

    async def positions(self) -> list[BrokerPosition]:
        """Read net positions; one that was closed today is a row with quantity 0."""
        return await self._read("positions", lambda sdk: sdk.positions(), parse.parse_positions)

    def order_updates(self) -> AsyncIterator[OrderUpdate]:
        """Yield the account's order messages; raises BrokerAuthError when the socket refuses the login."""
        return self._socket.updates()

    async def funds(self) -> BrokerFunds:
        """Read the equity segment's margins."""
        return await self._read("margins", lambda sdk: sdk.margins("equity"), parse.parse_funds)


def _each(read: Callable[[Any], Answer]) -> Callable[[Any], list[Answer]]:
    return lambda data: [read(row) for row in parse.rows_of(data)]

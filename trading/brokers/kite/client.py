"""Zerodha Kite as `ports.Broker`: builds parameters, sends, translates what comes back.

Order identity is the tag. Nothing here retries; nothing logs a token, a header or a body.
"""

from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

from trading.brokers.kite import parse
from trading.brokers.kite.errors import KiteAnswer, cancelling_error, changing_error, placing_error
from trading.brokers.kite.order_wire import OrderWire
from trading.brokers.kite.prices import CALL_DEADLINE_S, KitePrices
from trading.brokers.kite.rereading import Rereading
from trading.brokers.kite.sockets import SocketLogin
from trading.brokers.kite.updates import OrderSocket
from trading.brokers.kite.wire import KiteWire
from trading.domain.errors import BrokerRejected, OrderOutcomeUnknown
from trading.domain.funds import BrokerFunds
from trading.domain.orders import BrokerOrder, BrokerPosition, BrokerTrade, OrderChange, OrderIntent, OrderType
from trading.ports import Clock, OrderUpdate


def to_kite_params(intent: OrderIntent) -> dict[str, Any]:
    """Give the SDK's arguments for an order. Raises ValueError for what this adapter cannot say in full.

    A MARKET order always carries market protection: without it Kite refuses since April 2026.
    """
    exchange, _, tradingsymbol = intent.key.instrument.partition(":")
    if exchange not in parse.EXCHANGES or not tradingsymbol:
        raise ValueError(f"instrument was {intent.key.instrument!r}")
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
        "price": _number(intent.price),
        "trigger_price": _number(intent.trigger_price),
        "market_protection": f"{intent.protection_percent:f}" if is_market else None,
        "tag": intent.tag,
        "algo_id": intent.algo_id or None,
    }


def to_kite_change(change: OrderChange) -> dict[str, Any]:
    """Give the SDK's arguments for the change of an order. What is None stays as it is."""
    is_market = change.order_type is OrderType.MARKET
    return {
        "variety": KiteWire.VARIETY_REGULAR,
        "quantity": change.quantity,
        "price": _number(change.price),
        "order_type": change.order_type.value,
        "trigger_price": _number(change.trigger_price),
        "validity": KiteWire.VALIDITY_DAY,
        "market_protection": f"{change.protection_percent:f}" if is_market else None,
    }


def _number(amount: Decimal | None) -> str | None:
    return None if amount is None else f"{amount:f}"


class KiteBroker(KitePrices):
    """One account: its reads go through the SDK, its orders out by `order_wire`. See `ports.Broker` for what each
    method raises; close it when done."""

    def __init__(
        self,
        *,
        account: str,
        api_key: str,
        access_token: str,
        root: str,
        ws_root: str,
        clock: Clock,
        egress_ip: str | None = None,
        call_deadline_s: float = CALL_DEADLINE_S,
    ) -> None:
        """Orders go out by a wire of their own; `egress_ip` and `call_deadline_s` are `KitePrices`'s."""
        super().__init__(
            account=account,
            api_key=api_key,
            access_token=access_token,
            root=root,
            clock=clock,
            egress_ip=egress_ip,
            call_deadline_s=call_deadline_s,
        )
        self._order_wire = OrderWire(api_key, access_token, root=root, deadline_s=call_deadline_s, egress_ip=egress_ip)
        self._order_rows, self._trade_rows = Rereading(parse.parse_order), Rereading(parse.parse_trade)
        self._socket = OrderSocket(SocketLogin(account, api_key, access_token, ws_root), clock)

    # -- orders --------------------------------------------------------------------------------------

    async def place(self, intent: OrderIntent) -> str:
        """Send one order and give Kite's order_id. Never retries: see OrderOutcomeUnknown."""
        try:
            params = to_kite_params(intent)
        except ValueError as error:
            raise BrokerRejected(f"order {intent.tag} was not sent: {error}") from error
        try:
            answer = await self._order_wire.place(params)
        except KiteAnswer as bad:
            raise placing_error(bad, intent.tag) from None
        except Exception as error:
            # Whatever broke here, the order may have been sent before: it may stand in the book.
            words = f"order {intent.tag}: unreadable answer ({type(error).__name__})"
            raise OrderOutcomeUnknown(words, is_unreadable=True) from error
        order_id = _order_id_of(answer)
        if order_id is None:
            raise OrderOutcomeUnknown(f"order {intent.tag}: the answer had no order id", is_unreadable=True)
        return order_id

    async def modify(self, order_id: str, change: OrderChange) -> None:
        """Change an order that rests. Never repeats: see OrderOutcomeUnknown. An answer means received only."""
        try:
            answer = await self._order_wire.modify(order_id, to_kite_change(change))
        except KiteAnswer as bad:
            raise changing_error(bad, order_id) from None
        except Exception as error:
            words = f"change of {order_id}: unreadable answer ({type(error).__name__})"
            raise OrderOutcomeUnknown(words, is_unreadable=True) from error
        if _order_id_of(answer) is None:
            raise OrderOutcomeUnknown(f"change of {order_id}: the answer had no order id", is_unreadable=True)

    async def cancel(self, order_id: str) -> None:
        """Ask for a cancel. Its answer is a hint: the order may have filled, or fill still."""
        try:
            answer = await self._order_wire.cancel(KiteWire.VARIETY_REGULAR, order_id)
        except KiteAnswer as bad:
            raise cancelling_error(bad, order_id) from None
        if _order_id_of(answer) is None:
            raise cancelling_error(KiteAnswer("the answer had no order id", is_unreadable=True), order_id)

    async def orders(self) -> list[BrokerOrder]:
        """Read today's order book, oldest first."""
        return await self._read_soon("order book", lambda sdk: sdk.read("orders"), self._order_rows)

    async def trades(self) -> list[BrokerTrade]:
        """Read today's fills."""
        return await self._read_soon("trades", lambda sdk: sdk.read("trades"), self._trade_rows)

    async def positions(self) -> list[BrokerPosition]:
        """Read net positions; one that was closed today is a row with quantity 0."""
        return await self._read_soon("positions", lambda sdk: sdk.positions(), parse.parse_positions)

    def order_updates(self) -> AsyncIterator[OrderUpdate]:
        """Yield the account's order messages; raises BrokerAuthError when the socket refuses the login."""
        return self._socket.updates()

    async def close(self) -> None:
        """Let go of thread and connections."""
        await super().close()
        await self._order_wire.close()

    async def funds(self) -> BrokerFunds:
        """Read the equity segment's margins."""
        return await self._read_soon("margins", lambda sdk: sdk.margins("equity"), parse.parse_funds)


def _order_id_of(data: object) -> str | None:
    """Give the order id of an answer's data, None when it has none."""
    order_id = data.get("order_id") if isinstance(data, dict) else None
    return order_id if isinstance(order_id, str) and order_id else None

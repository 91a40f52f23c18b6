"""Orders, trades and accounts as the rows that the ledger keeps of them, and back.

A row is JSON text. What a client did not see yet decides nothing, so wire times are not kept.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from trading.domain.instruments import Instrument
from trading.domain.orders import Side
from trading.exchange.venue.accounts import Account, Holding
from trading.exchange.venue.kinds import PLAIN, kind_from
from trading.exchange.venue.orders import LONG_AGO, Order, Snapshot, Status, Terms, Trade
from trading.exchange.venue.positions import Position

_encode = msgspec.json.Encoder().encode


class Instruments:
    """Looks instruments up by `EXCHANGE:TRADINGSYMBOL`, and says which one is gone."""

    def __init__(self, by_key: Callable[[str], Instrument | None]) -> None:
        self._by_key = by_key

    def __getitem__(self, key: str) -> Instrument:
        found = self._by_key(key)
        if found is None:
            raise LookupError(f"it holds {key}, which this market does not know")
        return found


ORDER_FIELDS = (
    "order_id", "user_id", "api_key", "product", "tag", "placed_ms", "filled", "filled_value", "cancelled", "opening",
    "passive", "mark", "triggered", "attempts", "modifications", "resting_since_ms", "message", "raw", "exchange_ms",
    "wants_cancel",
)  # fmt: skip


def order_text(order: Order) -> str:
    """Write an order as it stands, without its history."""
    body = {name: getattr(order, name) for name in ORDER_FIELDS}
    body |= {
        "instrument": order.instrument.key,
        "side": order.side,
        "status": order.status,
        "terms": order.terms,
        "kind": order.kind,
        "wants": order.wants,
    }
    return _text(body)


def lines_text(lines: Sequence[Snapshot]) -> str:
    """Write lines of a history."""
    return _text([(*line[:2], *line[3:]) for line in lines])


def lines_from(rows: Sequence[Sequence[Any]]) -> list[Snapshot]:
    """Read lines of a history back."""
    return [Snapshot(Status(status), at_ms, LONG_AGO, Terms(*terms), *rest) for status, at_ms, terms, *rest in rows]


def _text(body: Any) -> str:
    return _encode(body).decode()


def order_from(sequence: int, body: Mapping[str, Any], instruments: Instruments) -> Order:
    order = Order(
        sequence=sequence,
        instrument=instruments[body["instrument"]],
        side=Side(body["side"]),
        status=Status(body["status"]),
        terms=Terms(*body["terms"]),
        kind=kind_from(body["kind"]) if "kind" in body else PLAIN,  # without: kept before there were varieties
        wants=None if body["wants"] is None else Terms(*body["wants"]),
        **{name: body[name] for name in ORDER_FIELDS if name != "mark"},
        mark=body.get("mark"),  # without: kept before there was one book for all
    )
    order.history = lines_from(body.get("history", ()))  # in the row itself: kept before lines had their own
    return order


def trade_text(trade: Trade) -> str:
    fields = (trade.trade_id, trade.order_id, trade.user_id, trade.token, trade.side, trade.product)
    return _text([*fields, trade.quantity, trade.price, trade.at_ms])


def trade_from(sequence: int, body: list[Any]) -> Trade:
    trade_id, order_id, user_id, token, side, product, quantity, price, at_ms = body
    return Trade(trade_id, sequence, order_id, user_id, token, Side(side), product, quantity, price, at_ms, LONG_AGO)


def account_text(account: Account) -> str:
    """Write an account as it opens the day: cash, holdings, and the lots carried overnight."""
    carried = [(p.instrument.key, p.product, list(p.lots)) for p in account.positions.values()]
    holdings = [(h.instrument.key, h.quantity, h.average_price, h.t1_quantity) for h in account.holdings.values()]
    return _text({"cash": account.cash, "carried": carried, "holdings": holdings})


def account_from(user_id: str, body: Mapping[str, Any], instruments: Instruments) -> Account:
    account = Account(user_id, body["cash"])
    for key, product, lots in body["carried"]:
        position = Position(instruments[key], product)
        position.carry((quantity, price) for quantity, price in lots)
        account.positions[position.instrument.token, product] = position
    for key, *held in body["holdings"]:
        instrument = instruments[key]
        account.holdings[instrument.token] = Holding(instrument, *held)  # three numbers, two before there was T+1
    return account

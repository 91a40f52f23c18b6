"""What a client holds and held today, from the fills, each with the place of its ladder."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from trading.domain.adoption import Adoption, rebased
from trading.domain.money import to_paisa
from trading.domain.orders import BrokerTrade
from trading.domain.ownership import share
from trading.domain.positions import Position, PositionKey, fold_trades
from trading.models import AdoptionRow, Client, Fill
from trading.services.views.ladders import LadderPlace, decided_levels, places, sentence_of
from trading.services.views.prices import Quote, quotes_for


def position_rows(client: Client, day: date, prices: Mapping[str, Quote] | None = None) -> list[dict[str, Any]]:
    """Give the day's positions, open ones first, in the keys of the engine's `position` messages.

    Also: `key` (account|instrument), `symbol`, `entered` units since it was last flat, `percent`, `sentence`. `ltp` and
    `unrealised` are None where no price is known; a flat one has `open` 0.
    """
    trades = _trades(client, day)
    instruments = {trade.instrument for rows in trades.values() for trade in rows}
    known = quotes_for(client, instruments) if prices is None else prices
    standing, levels = places(client, day), decided_levels(client, day)
    rows = []
    ours = _own_orders(client, day)
    for account, made in trades.items():
        for position in fold_trades(made).positions.values():
            instrument = position.key.instrument
            place = standing.get((account, instrument)) if position.net_quantity else None
            side = "BUY" if position.net_quantity > 0 else "SELL"
            own = [trade for trade in made if (trade.instrument, trade.product) == position.key]
            quote = known.get(instrument)
            row = _row(account, position, quote.ltp if quote else None, place, units_entered(own))
            if position.net_quantity and share(own, ours).own == 0:
                row["sentence"] = f"{row['side']}, {row['open']} open, traded by hand: no ladder stands behind it"
            rows.append({**row, "levels": levels.get((account, instrument, side)) if position.net_quantity else None})
    return sorted(rows, key=lambda row: (row["open"] == 0, row["symbol"], row["account"]))


def totals(rows: Iterable[Mapping[str, Any]]) -> dict[str, str | None]:
    """Add up realised, unrealised and total; what contains an unknown is unknown."""
    rows = list(rows)
    realised = sum((Decimal(row["realised"]) for row in rows), Decimal(0))
    open_parts = [row["unrealised"] for row in rows if row["open"]]
    unrealised = None if None in open_parts else sum((Decimal(part) for part in open_parts), Decimal(0))
    total = None if unrealised is None else realised + unrealised
    return {"realised": _text(realised), "unrealised": _text(unrealised), "total": _text(total)}


def percent(unrealised: Decimal | None, average_price: Decimal | None, units: int) -> str | None:
    """Give an open P&L in percent of what the open units cost; None where there is nothing to compare."""
    cost = (average_price or Decimal(0)) * units
    return None if unrealised is None or not cost else str(to_paisa(unrealised / cost * 100))


def units_entered(trades: Iterable[BrokerTrade]) -> int:
    """Give the units that built the position that is open now, bookings included; 0 when flat."""
    net = entered = 0
    for trade in sorted(trades, key=lambda trade: (trade.filled_at, trade.order_id, trade.trade_id)):
        before, net = net, net + trade.side.sign * trade.quantity
        if net == 0:
            entered = 0
        elif before * net <= 0:
            entered = abs(net)
        elif abs(net) > abs(before):
            entered += trade.quantity
    return entered


def _trades(client: Client, day: date) -> dict[str, list[BrokerTrade]]:
    """Give the day's fills by account, and what makes true where the broker's word was adopted."""
    trades: dict[str, list[BrokerTrade]] = defaultdict(list)
    for fill in Fill.objects.filter(client=client, day=day).select_related("account").order_by("filled_at", "pk"):
        trades[fill.account.key].append(fill.to_trade())
    adopted: dict[str, dict[PositionKey, Adoption]] = defaultdict(dict)
    rows = AdoptionRow.objects.filter(account__owner_id=client.user_id, day=day).select_related("account")
    for row in rows.order_by("pk"):
        adoption = row.to_adoption()
        adopted[row.account.key][adoption.position] = adoption
    for account, newest in adopted.items():
        trades[account] = rebased(trades[account], list(newest.values()))
    return trades


def _own_orders(client: Client, day: date) -> set[str]:
    """Give the broker's ids of the orders that this system sent."""
    return set(client.intents.filter(day=day).exclude(order_id="").values_list("order_id", flat=True))


def _row(
    account: str, position: Position, ltp: Decimal | None, place: LadderPlace | None, entered: int
) -> dict[str, Any]:
    instrument, net = position.key.instrument, position.net_quantity
    unrealised = Decimal(0) if not net else None if ltp is None else position.unrealised_pnl(ltp)
    side = "long" if net > 0 else "short" if net < 0 else ""
    is_laddered = place is not None and place.side == side
    return {
        "key": f"{account}|{instrument}",
        "account": account,
        "instrument": instrument,
        "symbol": instrument.partition(":")[2],
        "product": position.key.product,
        "side": side,
        "open": abs(net),
        "entered": entered,
        "net_quantity": net,
        "bought": position.buy_quantity,
        "sold": position.sell_quantity,
        "average_price": _text(position.average_price),
        "ltp": _text(ltp),
        "realised": _text(position.realised_pnl),
        "unrealised": _text(unrealised),
        "percent": percent(unrealised, position.average_price, abs(net)),
        "k": place.k if place and is_laddered else 0,
        "y": place.y if place and is_laddered else None,
        "stop": place.stop if place and is_laddered else None,
        "sentence": _sentence(side, abs(net), entered, ltp, place if is_laddered else None),
    }


def _sentence(side: str, units: int, entered: int, ltp: Decimal | None, place: LadderPlace | None) -> str:
    if not units:
        return "flat"
    if place is None:
        return f"{side}, {units} of {entered} open, no ladder stands behind it"
    return sentence_of(place, open_units=units, ltp=ltp)


def _text(amount: Decimal | None) -> str | None:
    return None if amount is None else str(to_paisa(amount))

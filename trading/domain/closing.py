"""The last comparison of a day: our fills beside the broker's positions, in units and to the paisa."""

from collections.abc import Iterable, Mapping

from trading.domain.drift import Units, today_net
from trading.domain.money import to_paisa
from trading.domain.orders import BrokerPosition, BrokerTrade
from trading.domain.positions import PositionKey, fold_trades

SCALED_EXCHANGES = frozenset({"MCX", "CDS", "BCD", "NCO"})
"""Their positions count lots with a multiplier: units times price is not rupees there."""


def closing_differences(
    trades: Iterable[BrokerTrade], rows: Mapping[PositionKey, BrokerPosition], adopted: frozenset[PositionKey]
) -> list[str]:
    """Say where units or P&L of the day differ; empty when all agree.

    What was carried overnight has a cost that no fill of today tells, so only its units are compared; what was
    adopted is known to differ in fills.
    """
    held = fold_trades(trades).positions
    found = []
    for key in sorted({*held, *rows} - adopted):
        position, row = held.get(key), rows.get(key)
        counted = Units(position.buy_quantity, position.sell_quantity) if position else Units()
        shown = Units() if row is None else Units(row.bought or 0, row.sold or 0)
        where = f"{key.instrument} {key.product}"
        if row is None or counted.net != today_net(row) or (row.bought is not None and counted != shown):
            theirs = "no row" if row is None else f"{shown.bought} bought, {shown.sold} sold, {row.net_quantity:+d} net"
            found.append(f"{where}: we count {counted.bought} bought, {counted.sold} sold; the broker shows {theirs}")
        elif position is not None and not row.overnight and key.instrument.partition(":")[0] not in SCALED_EXCHANGES:
            ours = to_paisa(position.realised_pnl + position.unrealised_pnl(row.last_price))
            if ours != to_paisa(row.pnl):
                found.append(f"{where}: our P&L is {ours:+}, the broker's {to_paisa(row.pnl):+}")
    return found

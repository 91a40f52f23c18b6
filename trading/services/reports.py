"""The end-of-day report: what a client traded, made and lost, from fills alone."""

from collections import defaultdict
from datetime import date
from decimal import Decimal
from typing import Any

from trading.domain.money import to_paisa
from trading.domain.orders import BrokerTrade, Side
from trading.domain.positions import fold_trades
from trading.models import Client, DayReport, Fill, OrderIntentRow
from trading.services.anchors import head_words
from trading.services.mail import queue_mail


def write_reports(day: date) -> int:
    """Write, and mail, the report of every client that traded or was ready to. Safe to run twice: mailed once."""
    count = 0
    for client in Client.objects.filter(onboarded_at__isnull=False).select_related("user"):
        data = report_of(client, day)
        _, is_new = DayReport.objects.update_or_create(client=client, day=day, defaults={"data": data})
        if is_new:
            text = "\n\n".join(part for part in (as_text(data), head_words(client.pk)) if part)
            queue_mail(recipient=client.user.email, subject=f"Your day {day}", body=text)
        count += 1
    return count


def report_of(client: Client, day: date) -> dict[str, Any]:
    """Give one client's day, money as strings of rupees, P&L before charges."""
    by_instrument: dict[str, list[BrokerTrade]] = defaultdict(list)
    for fill in Fill.objects.filter(client=client, day=day).order_by("filled_at", "pk"):
        by_instrument[fill.instrument].append(fill.to_trade())
    lines = [_line(instrument, trades) for instrument, trades in sorted(by_instrument.items())]
    intents = OrderIntentRow.objects.filter(client=client, day=day)
    return {
        "day": day.isoformat(),
        "client": client.label,
        "realised_pnl": str(to_paisa(sum((Decimal(line["realised_pnl"]) for line in lines), Decimal(0)))),
        "orders": intents.exclude(order_id="").count(),
        "refused": intents.filter(state__in=("DENIED", "REFUSED", "ABSENT")).count(),
        "instruments": lines,
        "is_flat": all(line["open_quantity"] == 0 for line in lines),
    }


def _line(instrument: str, trades: list[BrokerTrade]) -> dict[str, Any]:
    """Sum one instrument. With nothing open, realised is sold minus bought; open quantity is named instead."""
    bought = sum((trade.price * trade.quantity for trade in trades if trade.side is Side.BUY), Decimal(0))
    sold = sum((trade.price * trade.quantity for trade in trades if trade.side is Side.SELL), Decimal(0))
    open_quantity = sum(trade.side.sign * trade.quantity for trade in trades)
    return {
        "instrument": instrument,
        "fills": len(trades),
        "bought": str(to_paisa(bought)),
        "sold": str(to_paisa(sold)),
        "open_quantity": open_quantity,
        "realised_pnl": str(to_paisa(fold_trades(trades).realised_pnl())),
    }


def as_text(data: dict[str, Any]) -> str:
    """Give the report as a mail."""
    ends = "Everything is closed." if data["is_flat"] else "Not everything is closed: see the open quantities below."
    rows = [
        f"{line['instrument']}: {line['fills']} fills, realised {line['realised_pnl']}"
        + (f", {line['open_quantity']} still open" if line["open_quantity"] else "")
        for line in data["instruments"]
    ]
    head = f"{data['day']}: realised P&L {data['realised_pnl']} rupees before charges, {data['orders']} orders. {ends}"
    return "\n".join([head, "", *rows])

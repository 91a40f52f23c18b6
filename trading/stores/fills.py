"""Fills, each once. A piece of work inside the caller's transaction."""

from collections.abc import Sequence
from datetime import date, datetime

from trading.domain.orders import BrokerTrade
from trading.domain.timezone import ist_day
from trading.models import Fill, OrderIntentRow
from trading.stores.accounts import AccountIds

TradeKey = tuple[date, str, str]


def save(ids: AccountIds, trades: Sequence[BrokerTrade], *, wall: datetime) -> list[BrokerTrade]:
    """Insert the trades of one account that were not seen before, and give those back in their order."""
    unseen = {_key(trade): trade for trade in reversed(trades)}
    known = Fill.objects.filter(
        account=ids.account_id, day__in={key[0] for key in unseen}, trade_id__in={key[2] for key in unseen}
    )
    for key in known.values_list("day", "exchange", "trade_id"):
        unseen.pop(key, None)
    new = list(reversed(unseen.values()))
    order_ids = {trade.order_id for trade in new}
    intents = dict(
        OrderIntentRow.objects.filter(account=ids.account_id, order_id__in=order_ids - {""}).values_list(
            "order_id", "pk"
        )
    )
    Fill.objects.bulk_create(_row(ids, trade, intents.get(trade.order_id), wall) for trade in new)
    return new


def _key(trade: BrokerTrade) -> TradeKey:
    return ist_day(trade.filled_at), trade.instrument.partition(":")[0], trade.trade_id


def _row(ids: AccountIds, trade: BrokerTrade, intent_id: int | None, wall: datetime) -> Fill:
    day, exchange, trade_id = _key(trade)
    return Fill(
        account_id=ids.account_id,
        client_id=ids.client_id,
        intent_id=intent_id,
        day=day,
        exchange=exchange,
        trade_id=trade_id,
        order_id=trade.order_id,
        instrument=trade.instrument,
        side=trade.side,
        product=trade.product,
        quantity=trade.quantity,
        price=trade.price,
        filled_at=trade.filled_at,
        created_at=wall,
    )

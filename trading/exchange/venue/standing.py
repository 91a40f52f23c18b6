"""The triggers, alerts with orders and fund orders of each user, as part of the test truth.

A user who has none has no key here, so that a day without them has the truth and the hash that it always had.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from trading.exchange.venue.alert_values import ATO, Alert
from trading.exchange.venue.alerts import AlertBook
from trading.exchange.venue.fund_values import UNIT_SCALE, FundOrder, Sip
from trading.exchange.venue.funds import FundBook
from trading.exchange.venue.gtt import GttBook
from trading.exchange.venue.gtt_values import Gtt
from trading.exchange.venue.marketclock import moment_of
from trading.exchange.venue.truth import money

Standing = Mapping[str, list[dict[str, Any]]]


def standing_of(users: Iterable[str], gtt: GttBook, alerts: AlertBook, funds: FundBook) -> dict[str, Standing]:
    """Give, by user, the rows by noun; what has none is left out."""
    found: dict[str, Standing] = {}
    for user_id in users:
        nouns = {
            "gtt": [_gtt(one) for one in gtt.listed(user_id)],
            "atos": [_ato(one) for one in alerts.listed(user_id) if one.wish.type == ATO],
            "mf_orders": [_fund_order(one) for one in funds.listed(user_id)],
            "mf_sips": [_sip(one) for one in funds.listed_sips(user_id)],
        }
        found[user_id] = {noun: rows for noun, rows in nouns.items() if rows}
    return found


def _gtt(gtt: Gtt) -> dict[str, Any]:
    result = gtt.result
    return {
        "trigger_id": gtt.trigger_id,
        "instrument": gtt.key,
        "trigger_values": [money(value) for value in gtt.values],
        "orders": [[order.side.value, order.quantity, order.product, money(order.price)] for order in gtt.orders],
        "status": gtt.status.value,
        "updated_at": moment_of(gtt.updated_ms).isoformat(),
        "triggered_at": None if result is None else money(result.triggered_at),
        "rejection_reason": None if result is None else result.reason,
        "order_id": None if result is None else result.order_id,
    }


def _ato(alert: Alert) -> dict[str, Any]:
    return {
        "uuid": alert.uuid,
        "condition": alert.condition,
        "status": alert.status,
        "updated_at": moment_of(alert.updated_ms).isoformat(),
        "refused": [placed.reason for firing in alert.history for placed in firing.placed],
    }


def _fund_order(order: FundOrder) -> dict[str, Any]:
    return {
        "order_id": order.order_id,
        "tradingsymbol": order.symbol,
        "side": order.side.value,
        "amount": money(order.amount),
        "quantity": f"{order.quantity / UNIT_SCALE:.3f}",
        "status": order.status,
        "nav": money(order.nav),
    }


def _sip(sip: Sip) -> dict[str, Any]:
    return {
        "sip_id": sip.sip_id,
        "tradingsymbol": sip.symbol,
        "amount": money(sip.amount),
        "status": sip.status,
        "done": sip.done,
        "next_instalment": sip.next_on,
    }

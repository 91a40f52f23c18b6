"""Mutual funds as the API shows them."""

from datetime import date
from typing import Any

from trading.domain.money import from_scaled
from trading.domain.orders import Side
from trading.exchange.kite.shapes.numbers import price
from trading.exchange.venue.fund_values import (
    COMPLETE,
    FUNDS,
    UNIT_SCALE,
    Fund,
    FundHolding,
    FundOrder,
    Sip,
    last_nav_day,
)
from trading.exchange.venue.marketclock import stamp

CSV_HEADER = (
    "tradingsymbol,amc,name,purchase_allowed,redemption_allowed,minimum_purchase_amount,purchase_amount_multiplier,"
    "minimum_additional_purchase_amount,minimum_redemption_quantity,redemption_quantity_multiplier,dividend_type,"
    "scheme_type,plan,settlement_type,last_price,last_price_date"
)


def instruments_csv(day: date) -> str:
    """Give the list of funds on a market day."""
    return "\n".join([CSV_HEADER, *(_csv_row(fund, last_nav_day(day)) for fund in FUNDS.values()), ""])


def _csv_row(fund: Fund, nav_day: date) -> str:
    fields = (
        fund.tradingsymbol, fund.amc, fund.name, int(fund.can_buy), int(fund.can_sell), f"{fund.minimum_rupees}.0",
        "1.0", f"{fund.additional_rupees}.0", "0.001", "0.001", fund.dividend_type, fund.scheme_type, fund.plan, "T3",
        f"{from_scaled(fund.nav(nav_day)).normalize():f}", nav_day.isoformat(),
    )  # fmt: skip
    return ",".join(str(field) for field in fields)


def order_row(order: FundOrder, day: date) -> dict[str, Any]:
    """Shape of one order; what the fund house says comes with the settlement."""
    fund, nav_day = FUNDS[order.symbol], last_nav_day(day)
    is_settled = order.status == COMPLETE
    return {
        "status": order.status,
        "purchase_type": None if order.side is Side.SELL else "FRESH" if order.is_fresh else "ADDITIONAL",
        "folio": folio(order.user_id) if is_settled else None,
        "order_timestamp": stamp(order.placed_ms),
        "average_price": price(order.nav),
        "exchange_order_id": f"{254_000_000 + order.number}" if is_settled else None,
        "last_price": price(fund.nav(nav_day)),
        "tradingsymbol": order.symbol,
        "settlement_id": f"{order.settled_on.replace('-', '')[2:]}1" if is_settled else None,
        "transaction_type": order.side.value,
        "order_id": order.order_id,
        "amount": price(order.amount),
        "tag": order.tag or None,
        "placed_by": order.user_id,
        "exchange_timestamp": order.settled_on if is_settled else None,
        "variety": order.variety,
        "last_price_date": nav_day.isoformat(),
        "status_message": "",
        "fund": fund.name,
        "quantity": order.quantity / UNIT_SCALE,
    }


def sip_row(sip: Sip) -> dict[str, Any]:
    """Shape of one SIP in the list."""
    fund = FUNDS[sip.symbol]
    return {
        "status": sip.status,
        "sip_reg_num": None,
        "created": stamp(sip.created_ms),
        "dividend_type": fund.dividend_type,
        "instalment_amount": price(sip.amount),
        "fund": fund.name,
        "instalments": sip.instalments,
        "next_instalment": sip.next_on,
        "transaction_type": "BUY",
        "trigger_price": 0,
        "step_up": {},
        "tradingsymbol": sip.symbol,
        "tag": sip.tag or None,
        "frequency": sip.frequency,
        "last_instalment": stamp(sip.last_ms),
        "pending_instalments": sip.pending,
        "instalment_day": sip.day,
        "sip_type": "sip",
        "completed_instalments": sip.done,
        "sip_id": sip.sip_id,
    }


def holding_row(holding: FundHolding, user_id: str, day: date) -> dict[str, Any]:
    """Shape of one fund held."""
    fund, nav_day = FUNDS[holding.symbol], last_nav_day(day)
    nav = fund.nav(nav_day)
    return {
        "folio": folio(user_id),
        "average_price": price(holding.average_nav),
        "last_price": price(nav),
        "last_price_date": nav_day.isoformat(),
        "pledged_quantity": 0,
        "fund": fund.name,
        "tradingsymbol": holding.symbol,
        "pnl": round(price(nav - holding.average_nav) * holding.quantity / UNIT_SCALE, 2),
        "quantity": holding.quantity / UNIT_SCALE,
    }


def folio(user_id: str) -> str:
    """Give a user's folio number: the same at every fund."""
    return f"{sum(ord(letter) * 131**place for place, letter in enumerate(user_id)) % 10**10:010d}"

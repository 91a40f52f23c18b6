"""What the bar at the top of every page says: market clock, age of the feed, today's P&L, state."""

import json
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

import redis
from django.db.models import Sum

from trading.clock.http import ControlClock
from trading.domain.control import TradingState, strictest
from trading.domain.instruments import InstrumentClass
from trading.models import Client, House, PnlPoint
from trading.services import wiring
from trading.stores.calendar import market_calendar

FEED_STATUS_KEY = "feed:status"


@dataclass(frozen=True, slots=True)
class MarketView:
    """Market time (aware), the phase as the stack names it, and "simulated 60x" when it is."""

    now: datetime
    phase: str
    speed_words: str


@dataclass(frozen=True, slots=True)
class StateView:
    """The state that counts, and why it is not ACTIVE."""

    state: TradingState
    reason: str


def market() -> MarketView:
    """Give the market's time and phase. Raises OSError when the simulated exchange never answered."""
    clock = wiring.clock()
    if isinstance(clock, ControlClock):
        status = clock.status()
        return MarketView(clock.now(), str(status["phase"]), f"simulated {status['speed']:g}x")
    now = clock.now()
    return MarketView(now, market_calendar().phase_at(now, InstrumentClass.EQUITY).value, "")


def feed_age_s(market_now: datetime) -> float | None:
    """Give the age of the last tick in market seconds; None while none is known or Redis is away."""
    try:
        raw = wiring.redis_client().get(FEED_STATUS_KEY)
    except redis.RedisError:
        return None
    at_ms = json.loads(raw).get("at_ms") if isinstance(raw, bytes | str) else None
    return max(0.0, market_now.timestamp() - at_ms / 1000) if isinstance(at_ms, int | float) else None


def client_state(client: Client, day: date) -> StateView:
    """Join the client's own state and the house's: the strictest counts."""
    house = House.objects.first() or House()
    own, whole = client.state_on(day), house.state_on(day)
    if strictest(own, whole) is not own:
        return StateView(whole, f"the house: {house.latched_reason_on(day) or house.state_reason}")
    return StateView(own, client.latched_reason_on(day) or client.state_reason)


def house_state(day: date) -> StateView:
    """Give the state of the whole house."""
    house = House.objects.first() or House()
    return StateView(house.state_on(day), house.latched_reason_on(day) or house.state_reason)


def day_pnl(client: Client | None, day: date) -> Decimal | None:
    """Give realised and unrealised P&L as of the last saved minute of a day; None for everybody together.

    None is also the answer while nothing was saved on that day.
    """
    points = PnlPoint.objects.filter(at__date=day)
    if client is not None:
        latest = points.filter(client=client).order_by("-at").first()
        return None if latest is None else latest.realised_pnl + latest.unrealised_pnl
    newest = points.order_by("-at").first()
    if newest is None:
        return None
    total = points.filter(at=newest.at).aggregate(realised=Sum("realised_pnl"), unrealised=Sum("unrealised_pnl"))
    return Decimal(total["realised"]) + Decimal(total["unrealised"])

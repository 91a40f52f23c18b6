"""What everything on a page rests on: market clock, age of the feed, and the state that counts."""

from dataclasses import dataclass
from datetime import date, datetime

import msgspec
import redis

from trading.clock.http import ControlClock
from trading.domain.control import TradingState, strictest
from trading.domain.instruments import InstrumentClass
from trading.domain.risk import FEED_STALE_AFTER_S, feed_stale_after_s
from trading.marketdata import keys
from trading.marketdata.status import FeedStatus, decode_status
from trading.models import AccountControl, BrokerAccount, Client, House
from trading.services import kill_files, wiring
from trading.stores.calendar import market_calendar

AGE_WORDS = ((86_400, "days"), (3_600, "h"), (60, "min"))
PHASES_WITH_PRICES = frozenset({"open", "continuous"})


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


def feed_status() -> FeedStatus | None:
    """Read what the ticker last said; None when it never did or Redis is away."""
    try:
        raw = wiring.redis_client().get(keys.FEED_STATUS)
        return decode_status(raw) if isinstance(raw, bytes | str) else None
    except (redis.RedisError, msgspec.DecodeError):
        return None


def feed_age_s(market_now: datetime) -> float | None:
    """Give the age of the last tick in market seconds; None while none is known or Redis is away."""
    status = feed_status()
    return None if status is None else status.age_s(market_now)


def stale_after_s() -> float:
    """Give the age in market seconds after which no entry passes: the engine's measure, at the market's speed."""
    clock = wiring.clock()
    try:
        return (
            feed_stale_after_s(float(clock.status()["speed"]))
            if isinstance(clock, ControlClock)
            else FEED_STALE_AFTER_S
        )
    except OSError:
        return FEED_STALE_AFTER_S


def feed_kind(age_s: float | None, phase: str) -> str:
    """Judge a feed: ok, warn (late), bad (stale: no entries), off (unknown, or old while nothing is traded)."""
    if age_s is None:
        return "off"
    if age_s <= FEED_STALE_AFTER_S:
        return "ok"
    if phase not in PHASES_WITH_PRICES:
        return "off"
    return "warn" if age_s <= stale_after_s() else "bad"


def age_words(seconds: float) -> str:
    """Say seconds as a person does: 0.4 s, 12 s, 3 min, 5 h, 2 days."""
    if seconds < 10:
        return f"{max(seconds, 0):.1f} s"
    if seconds < 120:
        return f"{seconds:.0f} s"
    size, word = next((size, word) for size, word in AGE_WORDS if seconds >= 2 * size)
    return f"{seconds // size:.0f} {word}"


def client_state(client: Client, day: date) -> StateView:
    """Join the client's own state and the house's: the strictest counts."""
    house = House.objects.first() or House()
    own, whole = client.state_on(day), house.state_on(day)
    if strictest(own, whole) is not own:
        return StateView(whole, f"the house: {house.latched_reason_on(day) or house.state_reason}")
    return _or_by_file(own, client.latched_reason_on(day) or client.state_reason, client.pk)


def shown_state(client: Client, day: date) -> StateView:
    """Give the state that a screen shows of a client: not ACTIVE, either, where every account was stopped by itself."""
    own = client_state(client, day)
    if own.state is not TradingState.ACTIVE:
        return own
    accounts = BrokerAccount.objects.filter(owner=client.user, is_enabled=True).exclude(key="").order_by("pk")
    states = [(account.key, account_state(account, client, day).state) for account in accounts]
    if not states or any(state is TradingState.ACTIVE for _, state in states):
        return own
    least = min((state for _, state in states), key=lambda state: state.strictness)
    return StateView(least, f"the kill switch of {', '.join(key for key, _ in states)}")


def account_state(account: BrokerAccount, client: Client, day: date) -> StateView:
    """Join an account's own state with its client's and the house's: the strictest counts."""
    control = AccountControl.objects.filter(account=account).first() or AccountControl()
    own, above = control.state_on(day), client_state(client, day)
    if strictest(own, above.state) is not own:
        return above
    return _or_by_file(own, control.latched_reason_on(day) or control.state_reason, client.pk, account.key)


def house_state(day: date) -> StateView:
    """Give the state of the whole house."""
    house = House.objects.first() or House()
    return _or_by_file(house.state_on(day), house.latched_reason_on(day) or house.state_reason, None)


def _or_by_file(state: TradingState, reason: str, client_id: int | None, account_key: str = "") -> StateView:
    """A kill file stops from the moment at which it lies there, also before an engine has written it down."""
    if state is TradingState.ACTIVE and (why := kill_files.why_stopped(client_id, account_key)):
        return StateView(TradingState.REDUCING, why)
    return StateView(state, reason)

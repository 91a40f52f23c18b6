"""A believable morning: alice holds three positions at 10:42:07, and her log tells it. For tests and pictures."""

import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import redis as redis_client
from django.db import transaction

from tests.factories import DAY, PREVIOUS_DAY, make_account, make_instrument, make_range
from trading.domain.ladder_config import LadderConfig
from trading.domain.ladder_levels import LadderSide, compute_levels
from trading.domain.money import to_scaled
from trading.domain.orders import OrderIntent, OrderType, Purpose, PurposeKey, Side
from trading.domain.ticks import Tick
from trading.domain.timezone import at_ist
from trading.marketdata import keys
from trading.marketdata.codec import encode_tick
from trading.marketdata.status import FeedState, FeedStatus, encode_status
from trading.models import (
    BrokerAccount,
    Client,
    FeedAccount,
    FeedConsent,
    Fill,
    LadderState,
    OrderIntentRow,
    PnlPoint,
    User,
    WatchItem,
)
from trading.ports import EngineEvent
from trading.stores.chain import append_events

NOW = at_ist(DAY, time(10, 42, 7))
MORNING = at_ist(DAY, time(9, 15))
GATE = ("kill_state", "lease", "session", "cutoff", "reconciled", "feed", "tick", "day_limits", "order_rules")
STOCKS: dict[str, tuple[Any, ...]] = {
    # symbol: token, last session's high and low, units, side, entry price, targets reached, units booked, last price
    "INFY": (408065, "1560", "1500", 100, "long", "1548.60", 3, 30, "1558.85"),
    "RELIANCE": (738561, "1302", "1270", 250, "short", "1272.85", 1, 25, "1270.20"),
    "SBIN": (779521, "830", "806", 400, "long", "825.45", 0, 0, "824.40"),
}
WATCHED_ONLY: dict[str, tuple[Any, ...]] = {
    "HDFCBANK": (341249, "1712", "1690", "1702.55"),
    "ABBOTINDIA": (4583169, "29400", "28900", "29210.00"),
}


class ControlPort:
    """The exchange's control port with a clock that stands; `now` may be moved. Close it when done."""

    def __init__(self, now: datetime = NOW, phase: str = "open") -> None:
        port = self
        self.now, self.phase = now, phase

        class Answer(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body = json.dumps(port.told()).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
        # Closing it waits for the next look: half a second a test, unless told.
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def told(self) -> dict[str, Any]:
        """Give what GET /clock answers."""
        return {
            "now": self.now.isoformat(),
            "epoch_ms": int(self.now.timestamp() * 1000),
            "speed": 60,
            "pace": "hold",
            "phase": self.phase,
            "day": DAY.isoformat(),
            "step": 1,
            "held": False,
            "finished": False,
            "participants": [],
            "exchange_id": "exchange-seed",
        }

    def close(self) -> None:
        """Stop answering."""
        self._server.shutdown()
        self._server.server_close()


@dataclass(frozen=True, slots=True)
class SeededDay:
    """What was seeded: the account, the token by symbol."""

    account: BrokerAccount
    tokens: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Teller:
    """One instrument of one client, and the log that is being gathered."""

    client: Client
    account: BrokerAccount
    symbol: str
    told: list[EngineEvent]

    def tell(self, kind: str, data: Mapping[str, Any], at: datetime, tag: str = "") -> None:
        """Add one line of the log."""
        key, instrument = self.account.key, f"NSE:{self.symbol}"
        self.told.append(EngineEvent(self.client.pk, kind, at, data, key, instrument, tag))


def seed_day(client: Client) -> SeededDay:
    """Fill one client's morning: watchlist, ranges, fills, ladders, orders with their why, P&L and sentences."""
    account = make_account(client)
    Client.objects.filter(pk=client.pk).update(
        onboarded_at=MORNING, daily_loss_limit=Decimal(25000), daily_profit_limit=Decimal(40000)
    )
    for symbol, (token, high, low, *_rest) in {**STOCKS, **WATCHED_ONLY}.items():
        _watch(client, account, symbol, token, high, low)
    told: list[EngineEvent] = []
    for number, symbol in enumerate(STOCKS):
        _trade(Teller(client, account, symbol, told), MORNING + timedelta(minutes=7 * number + 3))
    with transaction.atomic():
        for event in sorted(told, key=lambda event: event.at):
            append_events([event], wall=event.at)
    for minute in range(87):
        swing = Decimal((minute * 37) % 23 - 9) * 60
        point = {"realised_pnl": Decimal(minute * 22), "unrealised_pnl": swing + minute * 30 - 700}
        PnlPoint.objects.create(client=client, at=MORNING + timedelta(minutes=minute), **point)
    return SeededDay(account, {symbol: row[0] for symbol, row in {**STOCKS, **WATCHED_ONLY}.items()})


def seed_feed(operator: User, *, consent: bool = True) -> FeedAccount:
    """Make the operator's account the feed, with the recorded consent or without."""
    account = BrokerAccount.objects.create(
        owner=operator, broker="kite", broker_user_id="OP1000", key="kite:OP1000", access_token="token"
    )
    feed = FeedAccount.objects.create(account=account)
    if consent:
        FeedConsent.objects.create(feed=feed, given_by=operator, text="others may see these prices")
    return feed


def seed_prices(redis: "redis_client.Redis[bytes]", now: datetime = NOW) -> None:
    """Put the last prices and a live feed into Redis."""
    for symbol in (*STOCKS, *WATCHED_ONLY):
        row = {**STOCKS, **WATCHED_ONLY}[symbol]
        put_price(redis, int(row[0]), Decimal(str(row[-1])), now)
    status = FeedStatus(FeedState.CONNECTED, "kite:OP1000", int(now.timestamp() * 1000) - 400, 5, 1, "connected")
    redis.set(keys.FEED_STATUS, encode_status(status))


def put_price(redis: "redis_client.Redis[bytes]", token: int, price: Decimal, now: datetime = NOW) -> None:
    """Put one last price into Redis."""
    ltp, close = to_scaled(price), to_scaled((price * Decimal("0.9925")).quantize(Decimal("0.01")))
    tick = Tick(token, ltp, int(now.timestamp()), close, ltp + 90_000, close - 40_000, close, 120_000)
    redis.hset(keys.LAST_PRICES, str(token), encode_tick(tick))


def _watch(client: Client, account: BrokerAccount, symbol: str, token: int, high: str, low: str) -> None:
    row = make_instrument(symbol, token=token, name=f"{symbol.title()} Ltd", has_derivatives=symbol != "ABBOTINDIA")
    make_range(symbol, high, low, PREVIOUS_DAY)
    units = STOCKS[symbol][3] if symbol in STOCKS else 10
    WatchItem.objects.create(client=client, account=account, instrument=row, quantity=units)


def _trade(of: Teller, at: datetime) -> None:
    symbol, account = of.symbol, of.account
    _, high, low, units, side_word, price, k, booked, _ = STOCKS[symbol]
    side = LadderSide(side_word)
    ladder = compute_levels(LadderConfig(), high=Decimal(high), low=Decimal(low), tick_size=Decimal("0.05")).of(side)
    levels = ladder.as_dict()
    facts = {"time": f"{at:%H:%M:%S}", "side": side_word, "levels": levels}
    tick = {"ltp": price, "exchange_ts": int(at.timestamp()), "volume": 81_220}
    entry = {
        "event": "ENTRY",
        "ltp": price,
        "level": levels["entry"],
        "quantity": units,
        "stop": _of(levels, "stops", 0),
    }
    _order(of, Purpose.ENTRY, side.entry_side, units, price, at, {**facts, **entry, "tick": tick})
    for step in range(1, k + 1):
        when, level = at + timedelta(minutes=9 * step), _of(levels, "targets", step - 1)
        target = {"event": "TARGET", "k": step, "level": level, "ltp": level, "quantity": booked // k}
        reason = {**facts, **target, "tick": {**tick, "ltp": level, "exchange_ts": int(when.timestamp())}}
        _order(of, Purpose.TARGET, side.exit_side, booked // k, level, when, reason, number=step)
        trail = {**facts, "from": _of(levels, "stops", step - 1), "to": _of(levels, "stops", step), "y": step + 1}
        of.tell("TRAIL", {**trail, "open": units - step * (booked // k)}, when)
    position = {"side": side_word, "k": k, "stop": ladder.stops[k], "entered": units, "open": units - booked}
    kept = {"ladder": {"version": 1, "ended": False, "sides": {}, "position": position}, "position": 1}
    LadderState.objects.create(account=account, instrument=f"NSE:{symbol}", day=DAY, snapshot=kept)


def _of(levels: Mapping[str, Any], name: str, index: int) -> str:
    return str(levels[name][index])


def _order(
    of: Teller,
    purpose: Purpose,
    side: Side,
    quantity: int,
    price: str,
    at: datetime,
    reason: Mapping[str, Any],
    number: int = 0,
) -> None:
    """One order that was sent, taken and filled within 180 ms."""
    client, account = of.client, of.account
    key = PurposeKey(DAY, account.key, f"NSE:{of.symbol}", 1, purpose, round=number)
    intent = OrderIntent(key=key, side=side, quantity=quantity, order_type=OrderType.MARKET, price=None)
    wall = datetime(2026, 11, 21, 6, 0, tzinfo=UTC) + (at - MORNING) / 60
    order_id = f"2611230000{OrderIntentRow.objects.count():05d}"
    row = OrderIntentRow.objects.create(
        purpose_key=key.text(),
        tag=intent.tag,
        client=client,
        account=account,
        day=DAY,
        instrument=key.instrument,
        position=1,
        purpose=purpose,
        round=number,
        side=side,
        quantity=quantity,
        order_type=OrderType.MARKET,
        product="MIS",
        state="ACKED",
        is_exit=purpose.is_exit,
        epoch=1,
        reason=dict(reason),
        gate=[{"check": name, "ok": True} for name in GATE],
        decided_at=at,
        created_at=wall,
        claimed_at=wall + timedelta(milliseconds=4),
        resolved_at=wall + timedelta(milliseconds=31),
        closed_at=wall + timedelta(milliseconds=176),
        order_id=order_id,
        order_status="COMPLETE",
        filled_quantity=quantity,
        average_price=Decimal(price),
        broker_placed_at=at + timedelta(milliseconds=22),
        broker_updated_at=at + timedelta(milliseconds=140),
    )
    Fill.objects.create(
        account=account,
        client=client,
        intent=row,
        day=DAY,
        exchange="NSE",
        trade_id=f"T{order_id}",
        order_id=order_id,
        instrument=key.instrument,
        side=side,
        product="MIS",
        quantity=quantity,
        price=Decimal(price),
        filled_at=at + timedelta(milliseconds=140),
        created_at=wall + timedelta(milliseconds=180),
    )
    of.tell(str(reason["event"]), reason, at)
    of.tell("GATE", {"purpose": purpose.value, "verdicts": row.gate}, at, row.tag)
    of.tell("ORDER_ACKED", {"order_id": order_id}, at + timedelta(milliseconds=22), row.tag)
    fill = {"side": side.value, "quantity": quantity, "price": price, "purpose": purpose.value}
    of.tell("FILL", fill, at + timedelta(milliseconds=140), row.tag)

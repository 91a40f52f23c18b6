"""Faults of the ticker's frames: other prices, bursts, yesterday's quotes, and what `delivery` does to any message.

Used only while a rule about frames is in force; one that names an instrument makes that instrument a frame of its own.
"""

import struct
from collections.abc import Iterable
from dataclasses import replace

from trading.exchange.faults import Faults, absurd
from trading.exchange.faults.places import SNAPSHOT, TICK
from trading.exchange.faults.rules import Rule, Target
from trading.exchange.kite import packets
from trading.exchange.kite.connection import Connection
from trading.exchange.kite.delivery import Delivery
from trading.exchange.market.quotes import Quote
from trading.exchange.venue import Venue

PRICE = slice(4, 8)
"""Where a packet of any mode has its last price."""
STEP_PAISE = 5


class TickFaults:
    """Sends frames as the rules have them."""

    def __init__(self, venue: Venue, faults: Faults, delivery: Delivery) -> None:
        self._venue = venue
        self._faults = faults
        self._delivery = delivery

    @property
    def are_on(self) -> bool:
        """Say whether a rule about frames or snapshots may strike now."""
        if self._delivery.holds_something:
            return True
        return bool(self._faults.rules) and bool(self._faults.due(TICK, SNAPSHOT))

    def snapshot(self, connection: Connection, quotes: Iterable[Quote]) -> None:
        """Answer a subscription, with yesterday's quotes or not at all when a rule says so."""
        rule = self._faults.pick(Target(SNAPSHOT, "/ticks", connection.user_id, connection.api_key))
        if rule is None:
            self.publish(connection, quotes)
        elif rule.action == "stale":
            old = [_aged(quote, rule.age_s) for quote in quotes if quote.token in connection.modes]
            if old:
                connection.send_ticks(packets.frame([packets.packet(one, connection.modes[one.token]) for one in old]))

    def publish(self, connection: Connection, quotes: Iterable[Quote]) -> None:
        """Send one connection what it subscribed of these quotes."""
        parts: dict[str, list[bytes]] = {}
        apart = {rule.match["instrument"] for rule in self._faults.due(TICK) if "instrument" in rule.match}
        for quote in quotes:
            mode = connection.modes.get(quote.token)
            if mode is not None:
                key = self._venue.market.instruments[quote.token].key if apart else ""
                parts.setdefault(key if key in apart else "", []).append(packets.packet(quote, mode))
        for instrument, part in parts.items():
            self._send(connection, instrument, part)

    def _send(self, connection: Connection, instrument: str, part: list[bytes]) -> None:
        target = Target(TICK, "/ticks", connection.user_id, connection.api_key, instrument=instrument)
        bent = self._faults.pick(target, only=("price",))
        if bent is not None:
            part = [_with_price(one, _bent(bent, _price(one))) for one in part]
        burst = self._faults.pick(target, only=("burst",))
        for copy in range(1, burst.times if burst is not None else 1):
            step = STEP_PAISE if copy % 2 else -STEP_PAISE
            connection.send_ticks(packets.frame([_with_price(one, max(0, _price(one) + step)) for one in part]))
        frame = packets.frame(part)
        self._delivery.deliver(target, connection, lambda: connection.send_ticks(frame))


def _price(packet: bytes) -> int:
    return int.from_bytes(packet[PRICE], "big")


def _with_price(packet: bytes, wire: int) -> bytes:
    return packet[: PRICE.start] + struct.pack(">I", wire) + packet[PRICE.stop :]


def _bent(rule: Rule, paise: int) -> int:
    """Give the price that a rule tells instead of the true one, as the wire has it."""
    if rule.kind == "list":
        absurd_one = absurd.PRICES[(rule.injected - 1) % len(absurd.PRICES)]
        return absurd.on_the_wire(absurd_one.of(paise / absurd.PAISE))
    if rule.kind == "value":
        return absurd.on_the_wire(rule.value)
    return absurd.on_the_wire(round(paise * rule.factor) / absurd.PAISE)


def _aged(quote: Quote, age_s: float) -> Quote:
    """Give what a cache would still have: the previous close, with old time stamps."""
    age_ms = round(age_s * 1000)
    traded_ms, at_ms = max(0, quote.last_trade_ms - age_ms), max(0, quote.at_ms - age_ms)
    return replace(quote, ltp=quote.close, last_trade_ms=traded_ms, at_ms=at_ms)

"""Deeds of broker and client that faults do: at once, at a market time, or when a request strikes them."""

import asyncio
from collections.abc import Callable

from trading.domain.orders import Side
from trading.exchange.faults import Faults
from trading.exchange.faults.places import CLOCK
from trading.exchange.faults.rules import Rule, Target
from trading.exchange.kite.feed import Feed
from trading.exchange.venue import Venue
from trading.exchange.venue.orders import Order
from trading.exchange.venue.refusals import Refusal


class Deeds:
    """Carries deeds out over one venue and its sockets. Those with `every_s` are repeated in wire time."""

    def __init__(self, faults: Faults, venue: Venue, feed: Feed) -> None:
        self._faults = faults
        self._venue = venue
        self._feed = feed
        self._repeating: set[int] = set()
        self._deeds: dict[str, Callable[[Rule, str], str]] = {
            "close": self._close,
            "trade": self._trade,
            "square_off": self._square_off,
            "invalidate": self._invalidate,
            "cancel_stops": self._cancel_stops,
            "thaw": self._thaw,
        }

    def look(self) -> None:
        """Do what is due by now. Called after each change of the rules and at each step of the market."""
        for rule in self._faults.due(CLOCK):
            if rule.action not in self._deeds:
                continue  # the impostor's, which is asked beside this
            if rule.every_s is None:
                if not rule.seen:
                    self._strike(rule)
            elif rule.rule_id not in self._repeating:
                self._repeating.add(rule.rule_id)
                self._repeat(rule, rule.every_s)

    def _repeat(self, rule: Rule, every_s: float) -> None:
        """Do a deed again and again, as long as its rule is in force."""
        if rule.rule_id not in self._faults.rules or not self._faults.is_due(rule):
            self._repeating.discard(rule.rule_id)
            return
        self._strike(rule)
        asyncio.get_running_loop().call_later(every_s, self._repeat, rule, every_s)

    def _strike(self, rule: Rule) -> None:
        target = Target(CLOCK, "", rule.match.get("user_id", ""), instrument=rule.match.get("instrument", ""))
        if self._faults.comes_up(rule):
            self._faults.inject(rule, target, self.do(rule, target))

    def do(self, rule: Rule, target: Target) -> str:
        """Carry a deed out for the account that the rule names, else the target's, and say what came of it."""
        user_id = rule.match.get("user_id", "") or target.user_id
        if user_id and user_id not in self._venue.users:
            return f"there is no account {user_id}"
        try:
            return self._deeds[rule.action](rule, user_id)
        except Refusal as refusal:
            return f"refused: {refusal.message}"

    def _users(self, user_id: str) -> list[str]:
        return [user_id] if user_id else list(self._venue.users)

    def _close(self, rule: Rule, user_id: str) -> str:
        return f"{self._feed.cut(user_id)} sockets cut"

    def _invalidate(self, rule: Rule, user_id: str) -> str:
        count = sum(self._venue.invalidate_tokens(one) for one in self._users(user_id))
        return f"{count} tokens void"

    def _trade(self, rule: Rule, user_id: str) -> str:
        instrument = rule.match.get("instrument", "")
        if rule.kind == "close":
            return _told(self._venue.by_hand.close_positions(user_id, instrument, rule.product))
        return _told([self._venue.by_hand.trade(user_id, instrument, Side(rule.side), rule.quantity, rule.product)])

    def _square_off(self, rule: Rule, user_id: str) -> str:
        orders: list[Order] = []
        for one in self._users(user_id):
            orders += self._venue.by_hand.close_positions(one, rule.match.get("instrument", ""), "MIS")
        return _told(orders)

    def _cancel_stops(self, rule: Rule, user_id: str) -> str:
        return _told(self._venue.by_hand.cancel_stops(user_id, rule.match.get("instrument", "")))

    def _thaw(self, rule: Rule, user_id: str) -> str:
        return _told(self._venue.by_hand.thaw(user_id))


def _told(orders: list[Order]) -> str:
    """Say which orders a deed made or ended."""
    lines = (
        f"{one.order_id} {one.user_id} {one.side} {one.terms.quantity} {one.instrument.key} {one.status}"
        for one in orders
    )
    return "; ".join(lines) or "nothing to do"

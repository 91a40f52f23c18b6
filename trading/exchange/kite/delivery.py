"""How a message goes out when a fault may strike it: once, several times, late, after the next one, or never."""

import asyncio
from collections.abc import Callable, Hashable
from random import Random

from trading.exchange.faults import Faults
from trading.exchange.faults.places import MESSAGE_ACTIONS
from trading.exchange.faults.rules import Rule, Target

Send = Callable[[], None]


class Delivery:
    """Messages in lanes: one user's order messages, one connection's frames. A lane keeps its order but for a fault."""

    def __init__(self, faults: Faults) -> None:
        self._faults = faults
        self._held_back: dict[Hashable, list[Send]] = {}

    @property
    def may_strike(self) -> bool:
        """True while a rule is in force or a message is held back."""
        return bool(self._faults.rules or self._held_back)

    @property
    def holds_something(self) -> bool:
        """True while a message waits for the next one of its lane."""
        return bool(self._held_back)

    def deliver(self, target: Target, lane: Hashable, send: Send) -> None:
        """Send a message as the rules say."""
        rule = self._faults.pick(target, only=MESSAGE_ACTIONS) if self._faults.rules else None
        if rule is None or rule.action == "dup":
            self._send(lane, send, times=1 if rule is None else rule.times)
        elif rule.action == "delay":
            asyncio.get_running_loop().call_later(rule.seconds, self._send, lane, send, 1)
        elif rule.action == "shuffle":
            asyncio.get_running_loop().call_later(_part_of(rule), send)
        elif rule.action == "reorder":
            self._hold_back(lane, send, rule)

    def _send(self, lane: Hashable, send: Send, times: int) -> None:
        for _ in range(times):
            send()
        self._release(lane)

    def _hold_back(self, lane: Hashable, send: Send, rule: Rule) -> None:
        """Keep a message until the lane's next one has gone out, but no longer than the rule's seconds."""
        self._held_back.setdefault(lane, []).append(send)
        asyncio.get_running_loop().call_later(rule.seconds, self._release, lane)

    def _release(self, lane: Hashable) -> None:
        for send in self._held_back.pop(lane, ()):
            send()


def _part_of(rule: Rule) -> float:
    """Give by how much of the window a message is late: by chance, the same at each repetition."""
    return Random(f"{rule.rule_id}:{rule.seen}:late").random() * rule.seconds  # noqa: S311 - a repeatable test

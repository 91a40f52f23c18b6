"""The scripted faults in force: which rule strikes a request or message, and what was injected so far. Pure.

What a rule is, `rules` says; `http` and the ticker's feed carry them out.
"""

from collections import Counter, deque
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from random import Random
from typing import Any

from trading.exchange.faults.rules import Rule, Target, parse_rule

LOG_LENGTH = 1000


@dataclass(slots=True)
class Faults:
    """The rules in force, and everything that was injected so far. Chance is seeded."""

    seed: int = 0
    rules: dict[int, Rule] = field(default_factory=dict)
    counts: Counter[str] = field(default_factory=Counter)
    log: deque[dict[str, Any]] = field(default_factory=lambda: deque(maxlen=LOG_LENGTH))
    _last_id: int = 0
    _chances: dict[int, Random] = field(default_factory=dict)

    def add(self, rule: object) -> int:
        """Put a rule in force and give its number. Raises ValueError that says what was wrong."""
        return self.add_all([rule])[0]

    def add_all(self, rules: Iterable[object]) -> list[int]:
        """Put rules in force, all or none of them, and give their numbers. Raises ValueError."""
        return [self._enforce(rule) for rule in [parse_rule(one) for one in rules]]

    def _enforce(self, rule: Rule) -> int:
        self._last_id += 1
        rule.rule_id = self._last_id
        self.rules[rule.rule_id] = rule
        self._chances[rule.rule_id] = Random(f"{self.seed}:{rule.rule_id}")  # noqa: S311 - a repeatable test
        return rule.rule_id

    def clear(self) -> None:
        """Forget every rule; counts and log stay."""
        self.rules.clear()
        self._chances.clear()

    def pick(self, target: Target, phase: str) -> Rule | None:
        """Give the first rule that strikes here, and count it."""
        for rule in self.rules.values():
            if rule.phase != phase or not rule.hits(target):
                continue
            if rule.prob < 1 and self._chances[rule.rule_id].random() >= rule.prob:
                continue
            rule.injected += 1
            self.counts[rule.action] += 1
            self.log.append({"rule_id": rule.rule_id, "action": rule.action, "phase": phase, **asdict(target)})
            return rule
        return None

    def report(self) -> dict[str, Any]:
        """Give the rules with how often each struck, the counts by action, and the last injections."""
        return {
            "rules": [asdict(rule) for rule in self.rules.values()],
            "injected": dict(self.counts),
            "log": list(self.log),
        }

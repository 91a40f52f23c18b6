"""The scripted faults in force: which rule strikes a request, message or order, and what was injected so far.

What a rule is, `rules` says; `http`, `kite/delivery`, `orders` and `kite/deeds` carry them out. Nothing here waits.
"""

import logging
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import asdict
from datetime import UTC, datetime
from itertools import islice
from random import Random
from typing import Any

from trading.domain.timezone import IST
from trading.exchange.faults.journal import Journal
from trading.exchange.faults.rules import Rule, Target, parse_rule

logger = logging.getLogger(__name__)

LOG_LENGTH = 1000
_COUNTS = ("rule_id", "seen", "injected")


class Faults:
    """The rules in force, and everything that was injected so far. Chance is seeded and follows from the count alone.

    `now_ms` is market time, `monotonic` wire time in seconds.
    """

    def __init__(
        self,
        seed: int = 0,
        *,
        now_ms: Callable[[], int] = lambda: 0,
        monotonic: Callable[[], float] = lambda: 0.0,
        journal: Journal | None = None,
    ) -> None:
        self.rules: dict[int, Rule] = {}
        self.journal = journal or Journal()
        self._seed = seed
        self._now_ms = now_ms
        self._monotonic = monotonic
        self._last_id = self.journal.last_rule
        self._restore()

    # -- what is in force ----------------------------------------------------------------------------

    def add(self, rule: object) -> int:
        """Put a rule in force and give its number. Raises ValueError that says what was wrong."""
        return self.add_all([rule])[0]

    def add_all(self, rules: Iterable[object]) -> list[int]:
        """Put rules in force, all or none of them, and give their numbers. Raises ValueError."""
        return self.enforce([parse_rule(one) for one in rules])

    def enforce(self, rules: Iterable[Rule]) -> list[int]:
        """Put parsed rules in force and give their numbers."""
        numbers = []
        for rule in rules:
            self._last_id += 1
            rule.rule_id = self._last_id
            self.rules[rule.rule_id] = rule
            spec = {name: value for name, value in rule.told().items() if name not in _COUNTS}
            spec |= {"script": rule.script, "turn": rule.turn}
            self.journal.rule_added(rule.rule_id, spec, self._moment().isoformat())
            numbers.append(rule.rule_id)
        return numbers

    def remove(self, rule_id: int) -> None:
        """Forget one rule. Raises ValueError when it is not in force."""
        if rule_id not in self.rules:
            raise ValueError(f"rule_id must be one of {sorted(self.rules)}, was {rule_id}")
        del self.rules[rule_id]
        self.journal.rule_removed(rule_id, self._moment().isoformat())

    def remove_script(self, name: str) -> None:
        """Forget every rule of a script. Raises ValueError when there is none."""
        mine = [rule.rule_id for rule in self.rules.values() if rule.script == name]
        if not mine:
            raise ValueError(f"script must be one of {sorted(self.scripts())}, was {name!r}")
        for rule_id in mine:
            self.remove(rule_id)

    def clear(self) -> None:
        """Forget every rule; counts and log stay."""
        for rule_id in list(self.rules):
            self.remove(rule_id)

    def scripts(self) -> set[str]:
        """Give the names of the scripts in force."""
        return {rule.script for rule in self.rules.values() if rule.script}

    def _restore(self) -> None:
        """Take back the rules of an earlier process of this market day; those of another day are over."""
        today = self._moment().date().isoformat()
        for line in list(self.journal.rules.values()):
            if line["at"][:10] != today:
                self.journal.rule_removed(line["rule_id"], line["at"])
                continue
            spec = dict(line["spec"])
            script, turn = spec.pop("script", ""), spec.pop("turn", None)
            try:
                rule = parse_rule(spec)
            except ValueError as error:  # kept by another version of this program
                logger.warning("rule %s of an earlier start is not taken over: %s", line["rule_id"], error)
                self.journal.rule_removed(line["rule_id"], line["at"])
                continue
            rule.rule_id, rule.seen, rule.injected = line["rule_id"], line["seen"], line["injected"]
            rule.script, rule.turn = script, turn
            self.rules[rule.rule_id] = rule

    # -- striking ------------------------------------------------------------------------------------

    def pick(self, target: Target, phase: str = "reply", *, only: tuple[str, ...] = ()) -> Rule | None:
        """Give the first rule that strikes here, and write it down. `only` names the actions that are asked for."""
        rule = self.find(target, phase, only=only)
        if rule is not None:
            self.inject(rule, target)
        return rule

    def find(self, target: Target, phase: str = "reply", *, only: tuple[str, ...] = ()) -> Rule | None:
        """Give the first rule that strikes here; whoever carries it out calls `inject`."""
        for rule in self.rules.values():
            if rule.phase != phase or (only and rule.action not in only):
                continue
            if rule.is_about(target) and self.is_due(rule) and self.comes_up(rule):
                return rule
        return None

    def due(self, *places: str) -> list[Rule]:
        """Give the rules about these places that hold now, without counting anything."""
        return [rule for rule in self.rules.values() if rule.place in places and self.is_due(rule)]

    def comes_up(self, rule: Rule) -> bool:
        """Count one chance of a rule and say whether it takes it."""
        rule.seen += 1
        beyond = rule.seen - rule.after
        if beyond < 1 or (beyond - 1) % rule.every:
            return False
        chance = Random(f"{self._seed}:{rule.rule_id}:{rule.seen}")  # noqa: S311 - a repeatable test
        return rule.prob >= 1 or chance.random() < rule.prob

    def inject(self, rule: Rule, target: Target, detail: str = "") -> None:
        """Count a strike and keep it in the log, with what came of it."""
        rule.injected += 1
        if rule.begun_s is None:
            rule.begun_s = self._monotonic()
        hit = {name: value for name, value in asdict(target).items() if value or name in ("method", "path", "user_id")}
        entry = {
            "at": self._moment().isoformat(),
            "rule_id": rule.rule_id,
            "script": rule.script,
            "action": rule.action,
        }
        self.journal.injected(entry | {"phase": rule.phase, "seen": rule.seen, "detail": detail} | hit)

    def is_due(self, rule: Rule) -> bool:
        """Say whether a rule may strike now."""
        if rule.is_used_up or self._is_spent(rule):
            return False
        if rule.at is not None and not rule.at.begin <= self._second_of_day() < rule.at.end:
            return False
        return rule.turn is None or all(
            self._is_over(other)
            for other in self.rules.values()
            if other.script == rule.script and other.turn is not None and other.turn < rule.turn
        )

    def _is_spent(self, rule: Rule) -> bool:
        """True once the rule's seconds since its first strike are over."""
        if rule.for_s is None or rule.begun_s is None:
            return False
        return self._monotonic() - rule.begun_s >= rule.for_s

    def _is_over(self, rule: Rule) -> bool:
        is_past = rule.at is not None and self._second_of_day() >= rule.at.end
        return rule.is_used_up or self._is_spent(rule) or is_past

    def _second_of_day(self) -> int:
        now = self._moment()
        return now.hour * 3600 + now.minute * 60 + now.second

    def _moment(self) -> datetime:
        return datetime.fromtimestamp(self._now_ms() / 1000, UTC).astimezone(IST)

    # -- asking --------------------------------------------------------------------------------------

    def report(self, most: int = LOG_LENGTH) -> dict[str, Any]:
        """Give the rules with how often each struck, the counts by action, and the last injections."""
        log = self.journal.injections
        return {
            "rules": [rule.told() | {"is_over": self._is_over(rule)} for rule in self.rules.values()],
            "injected": dict(self.counts),
            "log": list(islice(log, max(0, len(log) - most), None)),
        }

    @property
    def counts(self) -> Counter[str]:
        """Give how often each action was injected, from the beginning of this exchange."""
        return self.journal.totals

    def log(self, wanted: dict[str, str], *, since: int = 0, most: int = LOG_LENGTH) -> list[dict[str, Any]]:
        """Give the injections after number `since` with these fields, oldest first, the newest `most` of them."""
        found = [
            line
            for line in self.journal.injections
            if line["number"] > since and all(str(line.get(name, "")) == value for name, value in wanted.items())
        ]
        return found[-most:] if most else []

"""Scripted faults: which request or message they hit, when, and how often. Pure; `fault_http` carries them out.

A rule is JSON: {"match": {"method", "path", "user_id", "api_key"}, "phase", "action", "prob", "n", ...}.
`path` is a prefix, or a regular expression when it begins with `^`. Socket messages match by the methods UPDATE
(order messages) and TICK (binary frames); dup and reorder without a method mean UPDATE.
"""

import re
from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from random import Random
from typing import Any

PHASES = ("before_accept", "after_accept", "reply")
ACTIONS = ("delay", "drop", "rst", "status", "body", "dup", "reorder")
UPDATE = "UPDATE"
TICK = "TICK"
SOCKET_METHODS = (UPDATE, TICK)
SOCKET_ACTIONS = ("delay", "drop", "dup", "reorder")
LOG_LENGTH = 1000
_MATCH_KEYS = ("method", "path", "user_id", "api_key")


@dataclass(frozen=True, slots=True)
class Target:
    """One request or message that a rule may hit. Unknown users are empty strings."""

    method: str
    path: str = ""
    user_id: str = ""
    api_key: str = ""


@dataclass(slots=True)
class Rule:
    """One fault. `seconds` is wire time: how long a delay or a dropped connection takes.

    `n` bounds how often it is injected (None: no bound). With `accept_after_s` a request that was refused before
    it was accepted is accepted all the same, that much later. `body` replaces the answer's text.
    """

    rule_id: int
    match: dict[str, str]
    phase: str
    action: str
    prob: float = 1.0
    n: int | None = None
    seconds: float = 1.0
    status: int = 502
    body: str = ""
    content_type: str = "application/json"
    error_type: str = "NetworkException"
    message: str = "Gateway error"
    accept_after_s: float | None = None
    injected: int = 0

    def hits(self, target: Target) -> bool:
        """Say whether the rule is about this target and not used up."""
        if self.n is not None and self.injected >= self.n:
            return False
        wanted = self.match
        if "method" in wanted and wanted["method"] != target.method:
            return False
        if "method" not in wanted and (target.method in SOCKET_METHODS) is not (self.action in ("dup", "reorder")):
            return False
        if "path" in wanted and not _path_matches(wanted["path"], target.path):
            return False
        return all(getattr(target, name) == wanted[name] for name in ("user_id", "api_key") if name in wanted)


def _path_matches(wanted: str, path: str) -> bool:
    return bool(re.search(wanted, path)) if wanted.startswith("^") else path.startswith(wanted)


@dataclass(slots=True)
class Faults:
    """The rules in force, and everything that was injected so far. Chance is seeded."""

    seed: int = 0
    rules: dict[int, Rule] = field(default_factory=dict)
    counts: Counter[str] = field(default_factory=Counter)
    log: deque[dict[str, Any]] = field(default_factory=lambda: deque(maxlen=LOG_LENGTH))
    _last_id: int = 0
    _chances: dict[int, Random] = field(default_factory=dict)

    def add(self, rule: Mapping[str, Any]) -> int:
        """Put a rule in force and give its number. Raises ValueError that says what was wrong."""
        self._last_id += 1
        self.rules[self._last_id] = _parsed(rule, self._last_id)
        self._chances[self._last_id] = Random(f"{self.seed}:{self._last_id}")  # noqa: S311 - a repeatable test
        return self._last_id

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


def _parsed(rule: Mapping[str, Any], rule_id: int) -> Rule:
    known = {"match", "phase", "action", "prob", "n", "seconds", "status", "body", "content_type"} | {
        "error_type", "message", "accept_after_s",
    }  # fmt: skip
    unknown = sorted(set(rule) - known)
    if unknown:
        raise ValueError(f"a fault rule had {unknown[0]!r}, it may have {', '.join(sorted(known))}")
    match = _parsed_match(rule.get("match", {}))
    phase, action = rule.get("phase", "before_accept"), rule.get("action")
    if phase not in PHASES:
        raise ValueError(f"phase must be one of {', '.join(PHASES)}, was {phase!r}")
    if action not in ACTIONS:
        raise ValueError(f"action must be one of {', '.join(ACTIONS)}, was {action!r}")
    is_socket = match.get("method") in SOCKET_METHODS or action in ("dup", "reorder")
    if is_socket and (action not in SOCKET_ACTIONS or match.get("method", UPDATE) not in SOCKET_METHODS):
        raise ValueError(f"{action} cannot be done to {match.get('method', UPDATE)}")
    made = Rule(
        rule_id=rule_id,
        match=match,
        phase="reply" if is_socket else phase,
        action=action,
        prob=_number(rule, "prob", 1.0, most=1.0),
        n=None if rule.get("n") is None else int(_number(rule, "n", 0)),
        seconds=_number(rule, "seconds", 1.0),
        status=int(_number(rule, "status", 502, most=599)),
        accept_after_s=None if rule.get("accept_after_s") is None else _number(rule, "accept_after_s", 0),
    )
    for name in ("body", "content_type", "error_type", "message"):
        if name in rule:
            setattr(made, name, str(rule[name]))
    return made


def _parsed_match(match: object) -> dict[str, str]:
    if not isinstance(match, Mapping) or not set(match) <= set(_MATCH_KEYS):
        raise ValueError(f"match must be an object with {', '.join(_MATCH_KEYS)}, was {match!r}")
    wanted = {str(name): str(value) for name, value in match.items() if value not in (None, "")}
    if "method" in wanted:
        wanted["method"] = wanted["method"].upper()
    if wanted.get("path", "").startswith("^"):
        try:
            re.compile(wanted["path"])
        except re.error as error:
            raise ValueError(f"path was no regular expression: {error}") from error
    return wanted


def _number(rule: Mapping[str, Any], name: str, default: float, *, most: float = float("inf")) -> float:
    value = rule.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= most:
        raise ValueError(
            f"{name} must be a number from 0{'' if most == float('inf') else f' to {most:g}'}, was {value!r}"
        )
    return float(value)

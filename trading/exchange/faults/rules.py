"""One scripted fault: the JSON of the control port, checked, and what it hits. Pure.

A rule is {"match": {"method", "path", "user_id", "api_key"}, "phase", "action", "prob", "n", ...}. `path` is a prefix,
or a regular expression when it begins with `^`. Socket messages match by the methods UPDATE (order messages) and TICK
(binary frames); dup and reorder without a method mean UPDATE.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from math import inf
from typing import Any

PHASES = ("before_accept", "after_accept", "reply")
ACTIONS = ("delay", "drop", "rst", "status", "body", "dup", "reorder")
UPDATE = "UPDATE"
TICK = "TICK"
SOCKET_METHODS = (UPDATE, TICK)
SOCKET_ACTIONS = ("delay", "drop", "dup", "reorder")
ONLY_SOCKET_ACTIONS = ("dup", "reorder")
LONGEST_S = 86_400.0
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
    """One fault. `seconds` is wire time: how long a delay, a dropped connection or a held-back message takes.

    `n` bounds how often it is injected (None: no bound). With `accept_after_s` a request that was refused before
    it was accepted is accepted all the same, that much later. `body` replaces the answer's text.
    """

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
    rule_id: int = 0
    injected: int = 0

    def hits(self, target: Target) -> bool:
        """Say whether the rule is about this target and not used up."""
        if self.n is not None and self.injected >= self.n:
            return False
        wanted = self.match
        if "method" in wanted and wanted["method"] != target.method:
            return False
        if "method" not in wanted and (target.method in SOCKET_METHODS) is not (self.action in ONLY_SOCKET_ACTIONS):
            return False
        if "path" in wanted and not _path_matches(wanted["path"], target.path):
            return False
        return all(getattr(target, name) == wanted[name] for name in ("user_id", "api_key") if name in wanted)


def _path_matches(wanted: str, path: str) -> bool:
    return bool(re.search(wanted, path)) if wanted.startswith("^") else path.startswith(wanted)


_KNOWN = {one.name for one in fields(Rule)} - {"rule_id", "injected"}


def parse_rule(rule: object) -> Rule:
    """Check one rule. Raises ValueError that says what was wrong."""
    if not isinstance(rule, Mapping):
        raise ValueError(f"a fault rule must be a JSON object, was {rule!r}")
    unknown = sorted(set(rule) - _KNOWN)
    if unknown:
        raise ValueError(f"a fault rule had {unknown[0]!r}, it may have {', '.join(sorted(_KNOWN))}")
    match = _parsed_match(rule.get("match", {}))
    phase = _one_of(rule.get("phase", "before_accept"), "phase", PHASES)
    action = _one_of(rule.get("action"), "action", ACTIONS)
    is_socket = match.get("method") in SOCKET_METHODS or action in ONLY_SOCKET_ACTIONS
    if is_socket and (action not in SOCKET_ACTIONS or match.get("method", UPDATE) not in SOCKET_METHODS):
        raise ValueError(f"{action} cannot be done to {match.get('method', UPDATE)}")
    made = Rule(match, "reply" if is_socket else phase, action)
    for name in ("body", "content_type", "error_type", "message"):
        if name in rule:
            setattr(made, name, str(rule[name]))
    _parse_numbers(made, rule)
    if not re.fullmatch(r"[\x20-\x7e]+", made.content_type):
        raise ValueError(f"content_type must be the text of one header, was {made.content_type!r}")
    return made


def _parse_numbers(made: Rule, rule: Mapping[str, Any]) -> None:
    made.prob = _number(rule.get("prob", made.prob), "prob", most=1)
    made.seconds = _number(rule.get("seconds", made.seconds), "seconds", most=LONGEST_S)
    made.status = _whole(rule.get("status", made.status), "status", least=200, most=599)
    if rule.get("n") is not None:
        made.n = _whole(rule["n"], "n")
    if rule.get("accept_after_s") is not None:
        made.accept_after_s = _number(rule["accept_after_s"], "accept_after_s", most=LONGEST_S)


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


def _one_of(value: object, name: str, words: tuple[str, ...]) -> str:
    if value not in words:
        raise ValueError(f"{name} must be one of {', '.join(words)}, was {value!r}")
    return str(value)


def _number(value: object, name: str, *, least: float = 0, most: float = inf) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most:
        raise ValueError(
            f"{name} must be a number from {least:g}{'' if most == inf else f' to {most:g}'}, was {value!r}"
        )
    return float(value)


def _whole(value: object, name: str, *, least: int = 0, most: float = inf) -> int:
    number = _number(value, name, least=least, most=most)
    if not number.is_integer():
        raise ValueError(f"{name} must be a whole number, was {value!r}")
    return int(number)

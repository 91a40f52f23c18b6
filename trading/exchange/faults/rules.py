"""One fault: the JSON of the control port, checked, and what it hits. Pure.

A rule is {"match": {...}, "action", "phase", and when: "at", "after", "every", "n", "prob", "for_s", "every_s", ...}.
`places` says what can be struck and which fields an action takes.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any

from trading.exchange.faults import values
from trading.exchange.faults.places import (
    ACTIONS,
    ACTIONS_AT,
    ANY_REQUEST,
    BOOK,
    CLOCK,
    FIELDS_OF,
    KINDS_OF,
    MATCHED_AT,
    PLACES,
    REQUESTS,
    TICK,
    UPDATE,
    place_of,
    takes,
)
from trading.exchange.faults.values import LONGEST_S, Window

__all__ = ["TICK", "UPDATE", "Rule", "Target", "parse_rule"]

PHASES = ("before_accept", "after_accept", "reply")
NOT_FAR_S = 0.0
REJECTED = "The order was rejected by the exchange."
MOST_COPIES = 100_000


@dataclass(frozen=True, slots=True)
class Target:
    """One request, message or order that a rule may hit. What is not known is an empty string."""

    method: str
    path: str = ""
    user_id: str = ""
    api_key: str = ""
    peer: str = ""
    """Address of the caller."""
    instrument: str = ""
    """`EXCHANGE:TRADINGSYMBOL`."""
    side: str = ""
    tag: str = ""
    is_exit: bool = False
    """True for an order that closes what is open and opens nothing."""


@dataclass(slots=True)
class Rule:
    """One fault. `seconds`, `for_s` and `every_s` are wire time for messages, market time for orders.

    The first `after` that it could strike pass, then it strikes each `every`-th with the chance `prob`, `n` times at
    most (None: no bound), inside `at`, and until `for_s` after its first strike. `every_s` repeats a deed on the
    clock. With `accept_after_s` a request that was refused before it was accepted is accepted all the same, that much
    later. `body` replaces the answer's text.
    """

    match: dict[str, str]
    phase: str
    action: str
    place: str = ANY_REQUEST
    prob: float = 1.0
    n: int | None = None
    after: int = 0
    every: int = 1
    at: Window | None = None
    for_s: float | None = None
    every_s: float | None = None
    seconds: float = 1.0
    status: int = 502
    body: str = ""
    content_type: str = "application/json"
    error_type: str = "NetworkException"
    message: str = "Gateway error"
    accept_after_s: float | None = None
    kind: str = ""
    times: int = 2
    factor: float = 1.0
    value: float = 0.0
    percent: float = 0.0
    age_s: float = 86_400.0
    schedule: tuple[int, ...] = ()
    side: str = "BUY"
    quantity: int = 1
    product: str = "MIS"
    script: str = ""
    turn: int | None = None
    """Its place in a script that goes on rule by rule, None where all rules hold together."""
    rule_id: int = 0
    seen: int = 0
    injected: int = 0
    begun_s: float | None = None
    """Wire moment of the first strike."""

    def is_about(self, target: Target) -> bool:
        """Say whether the rule is about this target, whatever the time and the count."""
        if self.place == ANY_REQUEST:
            if target.method not in REQUESTS:
                return False
        elif self.place != target.method:
            return False
        known = _MATCHERS if self.place not in _WITHOUT_INSTRUMENT else _PLAIN_MATCHERS
        return all(known[key](wanted, target) for key, wanted in self.match.items() if key in known)

    @property
    def is_used_up(self) -> bool:
        """True once it struck as often as it may."""
        return self.n is not None and self.injected >= self.n

    def told(self) -> dict[str, Any]:
        """Give the rule as the control port shows it: what is usual is left out."""
        usual = _USUAL
        said = {name: getattr(self, name) for name in _SHOWN}
        rest = {name: getattr(self, name) for name in usual if getattr(self, name) != usual[name]}
        return said | {name: values.told(value) for name, value in rest.items()}


_SHOWN = ("rule_id", "match", "phase", "action", "prob", "n", "seen", "injected")
_USUAL = {one.name: one.default for one in fields(Rule) if one.name not in {*_SHOWN, "place", "begun_s", "turn"}}

_MATCHERS: dict[str, Callable[[str, Target], bool]] = {
    "path": lambda wanted, target: values.matches(wanted, target.path),
    "user_id": lambda wanted, target: wanted == target.user_id,
    "api_key": lambda wanted, target: wanted == target.api_key,
    "not_from": lambda allowed, target: target.peer not in allowed.split(","),
    "instrument": lambda wanted, target: wanted == target.instrument,
    "side": lambda wanted, target: wanted == target.side,
    "tag": lambda wanted, target: values.matches(wanted, target.tag),
    "is_exit": lambda wanted, target: (wanted == "true") is target.is_exit,
}
"""How each key of `match` is compared."""
_PLAIN_MATCHERS = {key: is_it for key, is_it in _MATCHERS.items() if key != "instrument"}
_WITHOUT_INSTRUMENT = (ANY_REQUEST, *REQUESTS, CLOCK)
"""Where an instrument says what is done, not what is struck."""


def parse_rule(rule: object) -> Rule:
    """Check one rule. Raises ValueError that says what was wrong."""
    if not isinstance(rule, Mapping):
        raise ValueError(f"a fault rule must be a JSON object, was {rule!r}")
    match = _parsed_match(rule.get("match", {}))
    action = values.one_of(rule.get("action"), "action", ACTIONS)
    _check_fields(rule, action)
    phase = values.one_of(rule.get("phase", "before_accept"), "phase", PHASES)
    place = place_of(match.get("method", ""), action)
    if action not in ACTIONS_AT[place]:
        raise ValueError(f"{action} cannot be done to {place or 'a request'}, there are {', '.join(ACTIONS_AT[place])}")
    for key in match:
        if not takes(place, action, key):
            raise ValueError(f"match must be without {key!r} for {action}: it says nothing about {place or 'requests'}")
    is_request = place in (ANY_REQUEST, *REQUESTS)
    made = Rule(match, phase if is_request else "reply", action, place)
    if action in ("fuzz", "csv", "price") and is_request:
        made.phase = "reply"
    for name, read in _READERS.items():
        if rule.get(name) is not None:
            setattr(made, name, read(rule[name], name))
    _complete(made, rule)
    return made


def _check_fields(rule: Mapping[str, Any], action: str) -> None:
    known = {"match", "phase", "action", *_READERS} - {name for names in FIELDS_OF.values() for name in names}
    known |= set(FIELDS_OF.get(action, ()))
    unknown = sorted(set(rule) - known)
    if unknown:
        raise ValueError(f"a fault rule had {unknown[0]!r}, one to {action} may have {', '.join(sorted(known))}")


def _complete(made: Rule, rule: Mapping[str, Any]) -> None:
    """Set what follows from the action, and refuse what it cannot do without."""
    if made.action in KINDS_OF:
        made.kind = values.one_of(rule.get("kind", KINDS_OF[made.action][0]), "kind", KINDS_OF[made.action])
    if made.action == "fill":
        made.schedule = values.percentages(rule.get("schedule", [100] if made.place == "CANCEL" else None), "schedule")
    if made.action == "reject":
        made.seconds = NOT_FAR_S if rule.get("seconds") is None else made.seconds
        made.message = made.message if rule.get("message") else REJECTED
    if made.place == BOOK and "instrument" not in made.match:
        raise ValueError(f"match must name an instrument to {made.action}, such as NSE:INFY")
    if made.place == BOOK and (made.n is not None or made.after or made.every > 1 or made.prob < 1):
        raise ValueError(f"a {made.action} holds while it is in force: it must be without n, after, every and prob")
    if made.action == "trade" and ("user_id" not in made.match or "instrument" not in made.match):
        raise ValueError("match must name user_id and instrument of a trade by hand")
    if made.place != CLOCK and made.every_s is not None:
        raise ValueError(
            f"every_s must be with a deed on the clock, not with {made.action} to {made.place or 'requests'}"
        )
    if made.place == CLOCK and made.every_s is None:
        if made.n not in (None, 1) or made.after or made.every > 1:
            raise ValueError(f"n, after and every of a {made.action} on the clock must be with every_s")
        made.n = 1


def _parsed_match(match: object) -> dict[str, str]:
    if not isinstance(match, Mapping) or not set(match) <= set(MATCHED_AT):
        raise ValueError(f"match must be an object with {', '.join(MATCHED_AT)}, was {match!r}")
    wanted = {str(name): _match_text(value) for name, value in match.items() if value not in (None, "")}
    for name in ("method", "side"):
        if name in wanted:
            wanted[name] = wanted[name].upper()
    if "method" in wanted:
        values.one_of(wanted["method"], "method", PLACES)
    for name in ("path", "tag"):
        values.pattern(wanted.get(name, ""), name)
    return wanted


def _match_text(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return ",".join(map(str, value)) if isinstance(value, list) else str(value)


def _text(value: object, _: str) -> str:
    return str(value)


_READERS: dict[str, Callable[[Any, str], Any]] = {
    "prob": lambda value, name: values.number(value, name, most=1),
    "n": values.whole,
    "after": values.whole,
    "every": lambda value, name: values.whole(value, name, least=1),
    "at": lambda value, _: values.parse_window(value),
    "for_s": lambda value, name: values.number(value, name, most=LONGEST_S),
    "every_s": lambda value, name: values.number(value, name, least=0.05, most=LONGEST_S),
    "seconds": lambda value, name: values.number(value, name, most=LONGEST_S),
    "status": lambda value, name: values.whole(value, name, least=200, most=599),
    "accept_after_s": lambda value, name: values.number(value, name, most=LONGEST_S),
    "body": _text,
    "content_type": values.header,
    "error_type": _text,
    "message": _text,
    "kind": _text,
    "times": lambda value, name: values.whole(value, name, least=2, most=MOST_COPIES),
    "factor": lambda value, name: values.number(value, name, most=1_000_000),
    "value": lambda value, name: values.number(value, name, least=-1_000_000_000, most=1_000_000_000),
    "percent": lambda value, name: values.number(value, name, least=-99, most=1000),
    "age_s": lambda value, name: values.number(value, name, most=100 * LONGEST_S),
    "schedule": values.percentages,
    "side": lambda value, name: values.one_of(value, name, ("BUY", "SELL")),
    "quantity": lambda value, name: values.whole(value, name, least=1, most=10_000_000),
    "product": lambda value, name: values.one_of(value, name, ("MIS", "CNC", "NRML")),
}

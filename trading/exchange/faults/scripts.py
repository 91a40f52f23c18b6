"""Reads what somebody posts to /faults: one rule, a list of rules, a script of rules with a name, or a preset. Pure."""

from collections.abc import Mapping
from typing import Any

from trading.exchange.faults import values
from trading.exchange.faults.places import place_of, takes
from trading.exchange.faults.presets import PRESETS, Preset
from trading.exchange.faults.rules import Rule, parse_rule

MODES = ("together", "sequence")
MOST_RULES = 200
_SCRIPT_FIELDS = ("script", "mode", "user_id", "at", "rules")
_FOR_ALL = ("user_id", "instrument", "at")


def parse_wish(body: object, taken: set[str]) -> list[Rule]:
    """Give the rules that a body asks for. `taken` are the names of scripts in force. Raises ValueError."""
    if isinstance(body, list):
        return [parse_rule(one) for one in body]
    if isinstance(body, Mapping) and "preset" in body:
        return _parse_preset(body, taken)
    if isinstance(body, Mapping) and ("script" in body or "rules" in body):
        return _parse_script(body, taken)
    return [parse_rule(body)]


def _parse_script(body: Mapping[str, Any], taken: set[str]) -> list[Rule]:
    unknown = sorted(set(body) - set(_SCRIPT_FIELDS))
    if unknown:
        raise ValueError(f"a script had {unknown[0]!r}, it may have {', '.join(_SCRIPT_FIELDS)}")
    name, rules = body.get("script"), body.get("rules")
    if not isinstance(name, str) or not name or len(name) > 40:
        raise ValueError(f"script must be a name of 1 to 40 characters, was {name!r}")
    if name in taken:
        raise ValueError(f"script must be a name that is not in force already, was {name!r}")
    if not isinstance(rules, list) or not 0 < len(rules) <= MOST_RULES:
        raise ValueError(f"rules must be a list of 1 to {MOST_RULES} fault rules")
    common = {key: body[key] for key in ("user_id", "at") if body.get(key) not in (None, "")}
    mode = values.one_of(body.get("mode", "together"), "mode", MODES)
    return _script(name, mode, [_with(one, common) for one in rules])


def _parse_preset(body: Mapping[str, Any], taken: set[str]) -> list[Rule]:
    word = str(body["preset"]).upper()
    if word not in PRESETS:
        raise ValueError(f"preset must be one of {', '.join(PRESETS)}, was {body['preset']!r}")
    preset = PRESETS[word]
    missing = next((one for one in preset.needs if body.get(one) in (None, "")), None)
    if missing is not None:
        raise ValueError(f"preset {word} needs {missing}")
    wish = {key: value for key, value in body.items() if key != "preset" and value not in (None, "")}
    return _script(_free_name(word, taken), preset.mode, _preset_rules(preset, wish))


def _preset_rules(preset: Preset, wish: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Put what was wished into a preset's rules: account, instrument and time into all, the rest into the first."""
    common = {key: wish[key] for key in _FOR_ALL if key in wish}
    rules = [_with(rule, common) for rule in preset.rules]
    rules[0] = rules[0] | {key: value for key, value in wish.items() if key not in _FOR_ALL}
    return rules


def _with(rule: Any, common: Mapping[str, Any]) -> Any:
    """Give a rule with the account, the instrument and the time that hold for its whole script."""
    if not isinstance(rule, Mapping) or not isinstance(rule.get("match", {}), Mapping):
        return rule  # parse_rule says what is wrong
    match = dict(rule.get("match", {}))
    action = str(rule.get("action"))
    place = place_of(str(match.get("method", "")).upper(), action)
    for key in ("user_id", "instrument"):
        if key in common and takes(place, action, key):
            match[key] = common[key]
    made = dict(rule) | {"match": match}
    return made | ({"at": common["at"]} if "at" in common else {})


def _script(name: str, mode: str, rules: list[Any]) -> list[Rule]:
    parsed = [parse_rule(one) for one in rules]
    for turn, rule in enumerate(parsed):
        rule.script = name
        if mode == "sequence":
            rule.turn = turn
            has_end = (
                rule.n is not None or rule.for_s is not None or (rule.at is not None and "until" in rule.at.told())
            )
            if turn < len(parsed) - 1 and not has_end:
                raise ValueError(f"rule {turn + 1} of a sequence must have an end: n, for_s or at with until")
    return parsed


def _free_name(word: str, taken: set[str]) -> str:
    count = 1
    while (name := word if count == 1 else f"{word}-{count}") in taken:
        count += 1
    return name

"""What a fault makes of a true answer: bodies that cannot be read, other instruments, other prices. Pure.

Chance comes in as a `Random`, so that a test can be repeated.
"""

import csv
import io
import json
from collections.abc import Callable
from datetime import date, timedelta
from random import Random
from typing import Any, Final

HTML: Final = (
    "<html><head><title>502 Bad Gateway</title></head><body><center><h1>502 Bad Gateway</h1></center></body></html>"
)
HUGE: Final = 10**30
WORDS: Final = ("status", "order_type", "product", "variety", "transaction_type", "validity", "exchange")
"""Fields with a word out of a list: a new word there is what a client meets first when the broker adds one."""


def fuzzed(text: str, kind: str, rng: Random) -> tuple[str, str]:
    """Give (body, content type) that a client must not trust."""
    if kind == "any":
        kind = rng.choice(tuple(_FUZZ))
    return _FUZZ[kind](text, rng)


def _html(text: str, rng: Random) -> tuple[str, str]:
    return HTML, "text/html"


def _truncated(text: str, rng: Random) -> tuple[str, str]:
    return text[: rng.randrange(1, max(2, len(text)))], "application/json"


def _empty(text: str, rng: Random) -> tuple[str, str]:
    return "", "application/json"


def _changed(change: Callable[[dict[str, Any], str], None], wanted: Callable[[str, Any], bool]) -> Callable[..., Any]:
    """Give a fuzzer that changes one field, chosen by chance among those wanted."""

    def fuzz(text: str, rng: Random) -> tuple[str, str]:
        try:
            body = json.loads(text)
        except ValueError:
            return _html(text, rng)
        places = [(row, name) for row, name in _fields(body) if wanted(name, row[name])]
        if places:
            change(*rng.choice(places))
        return json.dumps(body), "application/json"

    return fuzz


def _fields(body: Any) -> list[tuple[dict[str, Any], str]]:
    """List every field of every object inside `data`."""
    found: list[tuple[dict[str, Any], str]] = []
    waiting = [body.get("data")] if isinstance(body, dict) else []
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict):
            found += [(one, name) for name in one]
            waiting += one.values()
        elif isinstance(one, list):
            waiting += one
    return found


def _put(value: Any) -> Callable[[dict[str, Any], str], None]:
    def put(row: dict[str, Any], name: str) -> None:
        row[name] = value

    return put


def _is_number(name: str, value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _take_out(row: dict[str, Any], name: str) -> None:
    del row[name]


_FUZZ: Final[dict[str, Callable[[str, Random], tuple[str, str]]]] = {
    "html": _html,
    "truncated": _truncated,
    "empty": _empty,
    "new_enum": _changed(_put("SOMETHING NEW"), lambda name, _: name in WORDS),
    "huge_number": _changed(_put(HUGE), _is_number),
    "missing_field": _changed(_take_out, lambda name, value: True),
    "wrong_type": _changed(_put({"unexpected": []}), lambda name, value: not isinstance(value, dict | list)),
}


# -- instruments ---------------------------------------------------------------------------------------


def altered_csv(text: str, kind: str, instrument: str, day: date) -> str:
    """Give the instrument file with its end missing, or with one field of one row wrong.

    `instrument` is EXCHANGE:TRADINGSYMBOL; without it the first row that fits is taken.
    """
    if kind == "truncated":
        return text[: len(text) * 2 // 3]
    lines = text.splitlines(keepends=True)
    header = lines[0].strip().split(",")
    symbol = instrument.partition(":")[2]
    for place, line in enumerate(lines[1:], 1):
        if symbol not in line:
            continue
        row = dict(zip(header, next(csv.reader([line])), strict=False))
        is_it = f"{row.get('exchange')}:{row.get('tradingsymbol')}" == instrument
        if is_it or (not instrument and (kind != "expiry" or row.get("expiry"))):
            lines[place] = _written({**row, kind_column(kind): _wrong(row, kind, day)}, header)
            break
    return "".join(lines)


def kind_column(kind: str) -> str:
    """Give the column that a kind of `csv` falsifies."""
    return "instrument_token" if kind == "token" else kind


def _wrong(row: dict[str, str], kind: str, day: date) -> str:
    if kind == "token":
        return str(int(row["instrument_token"]) + 256)
    if kind == "lot_size":
        return str(int(row["lot_size"]) * 10)
    if kind == "tick_size":
        return "1.5"
    return (day - timedelta(days=7)).isoformat()


def _written(row: dict[str, str], header: list[str]) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerow([row[name] for name in header])
    return out.getvalue()


# -- prices --------------------------------------------------------------------------------------------


def priced(text: str, instrument: str, price: Callable[[float], Any]) -> str:
    """Give the answer of a quote call with every last price, or one instrument's, put through `price`."""
    try:
        body = json.loads(text)
        rows = body["data"].items()
    except (ValueError, KeyError, AttributeError, TypeError):
        return text
    for key, row in rows:
        if isinstance(row, dict) and "last_price" in row and instrument in ("", key):
            row["last_price"] = price(row["last_price"])
    return json.dumps(body)

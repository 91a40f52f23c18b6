"""Compare the shape of two JSON values, or of what the SDK made of them: field sets and types, over every row seen."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any

WHOLE_ENDINGS = ("quantity", "_token", "orders", "volume", "oi", "_ttl", "multiplier", "_count", "trigger_id")
"""Fields that are whole numbers wherever the broker shows them so; any other number may come as 1 or as 1.0."""


def differences(theirs: Sequence[Any], ours: Sequence[Any], path: str = "") -> list[str]:
    """Say what of `ours` (all values seen at this place) is not as in `theirs`; a line a difference, by path."""
    known, shown = {_kind(value) for value in theirs}, {_kind(value) for value in ours}
    found = [f"{path}: {kind} is not theirs" for kind in sorted(shown - known)]
    if shown == {"null"} != known:
        found.append(f"{path}: always null")
    if _is_whole(path, theirs) and not _is_whole(path, ours):
        found.append(f"{path}: not whole")
    objects = [value for value in ours if isinstance(value, dict)]
    samples = [value for value in theirs if isinstance(value, dict)]
    if objects and samples:
        found += _fields(samples, objects, path)
    lists = [value for value in ours if isinstance(value, list)]
    inside = [one for value in theirs if isinstance(value, list) for one in value]
    if lists and inside:
        rows = [one for value in lists for one in value]
        found += differences(inside, rows, f"{path}[]") if rows else [f"{path}: always empty"]
    return found


def _fields(theirs: Sequence[dict[str, Any]], ours: Sequence[dict[str, Any]], path: str) -> list[str]:
    if all(":" in key for row in (*theirs, *ours) for key in row):  # a map by instrument
        return differences(_values(theirs), _values(ours), f"{path}{{}}")
    known = {key for row in theirs for key in row}
    always = {key for key in known if all(key in row for row in theirs)}
    found = [f"{path}.{key}: missing" for key in sorted({key for row in ours for key in always - set(row)})]
    found += [f"{path}.{key}: not a field of theirs" for key in sorted({key for row in ours for key in row} - known)]
    for key in sorted(known):
        mine = [row[key] for row in ours if key in row]
        if mine:
            found += differences([row[key] for row in theirs if key in row], mine, f"{path}.{key}")
    return found


def _values(rows: Iterable[dict[str, Any]]) -> list[Any]:
    return [value for row in rows for value in row.values()]


def _kind(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int | float):
        return "number"
    if isinstance(value, str):
        return "text"
    if isinstance(value, datetime):
        return "moment" if value.tzinfo is None else "aware moment"
    if isinstance(value, date):
        return "day"
    return "list" if isinstance(value, list) else "object"


def _is_whole(path: str, values: Sequence[Any]) -> bool:
    numbers = [value for value in values if isinstance(value, int | float) and not isinstance(value, bool)]
    return path.endswith(WHOLE_ENDINGS) and all(isinstance(number, int) for number in numbers)

"""Lists that are read again and again, and are mostly what they were: order book and trades."""

from collections.abc import Callable, Mapping
from typing import Any, Generic, TypeVar

from trading.brokers.kite import parse

Answer = TypeVar("Answer")


class Rereading(Generic[Answer]):
    """Reads a list answer row by row; a row that says field by field what it said at its place in the answer before
    is not parsed again and gives the same object. Keeps one answer."""

    def __init__(self, read: Callable[[Mapping[str, Any]], Answer]) -> None:
        self._read = read
        self._known: list[tuple[Mapping[str, Any], Answer]] = []

    def __call__(self, data: object) -> list[Answer]:
        """Give what each row says. Raises ParseError; then the answer before is still the one that is known."""
        rows = parse.rows_of(data)
        known = self._known
        read = [
            known[place] if place < len(known) and _are_same(known[place][0], row) else (row, self._read(row))
            for place, row in enumerate(rows)
        ]
        self._known = read
        return [answer for _, answer in read]


def _are_same(before: Mapping[str, Any], now: Mapping[str, Any]) -> bool:
    """Compare two rows; a field of another type (`true` for 1) makes another row, which the parser is to judge."""
    return before == now and all(type(value) is type(now[name]) for name, value in before.items())

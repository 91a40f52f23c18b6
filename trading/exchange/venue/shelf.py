"""Rows of one noun beside the orders (GTT, alerts, funds): kept by key, written in the orders' own transaction."""

import json
from collections.abc import Callable, Iterable
from typing import Any, Generic, TypeVar

import msgspec

Row = TypeVar("Row")


class Shelf(Generic[Row]):
    """What an account has of one noun, in order of arrival, and which rows are not on disk yet.

    Rows are never removed, so a number is never given twice. Whoever changes a row calls `put` again.
    """

    def __init__(self, noun: str, pack: Callable[[Row], Any], unpack: Callable[[Any], Row]) -> None:
        """`pack` gives JSON-able data of a row, `unpack` makes the row of it again."""
        self.noun = noun
        self._pack = pack
        self._unpack = unpack
        self._rows: dict[str, Row] = {}
        self._unsaved: dict[str, Row] = {}

    def __len__(self) -> int:
        """Give how many rows there have ever been."""
        return len(self._rows)

    def get(self, key: str) -> Row | None:
        """Give one row."""
        return self._rows.get(key)

    def has(self, key: str) -> bool:
        """Say whether there is such a row."""
        return key in self._rows

    def rows(self) -> list[Row]:
        """Give all rows, the oldest first."""
        return list(self._rows.values())

    def items(self) -> list[tuple[str, Row]]:
        """Give all rows with their keys, the oldest first."""
        return list(self._rows.items())

    def put(self, key: str, row: Row) -> None:
        """Add a row, or say that it has changed."""
        self._rows[key] = self._unsaved[key] = row

    def unsaved(self) -> list[tuple[str, str, str]]:
        """Give (noun, key, text) of every row that is not on disk."""
        return [(self.noun, key, msgspec.json.encode(self._pack(row)).decode()) for key, row in self._unsaved.items()]

    def saved(self) -> None:
        """Hear that what `unsaved` gave is on disk."""
        self._unsaved.clear()

    def restore(self, texts: Iterable[tuple[str, str]]) -> None:
        """Take back what an earlier process wrote: (key, text) in order of arrival."""
        for key, text in texts:
            self._rows[key] = self._unpack(json.loads(text))

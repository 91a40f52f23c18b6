"""The venue on disk: one SQLite file, one transaction a batch of changes.

Positions are not stored: they follow from what was carried overnight and the trades, in order. WAL with
`synchronous=NORMAL` survives a killed process; the last moments may be lost when the machine itself loses power.
"""

import json
import sqlite3
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from trading.domain.instruments import Instrument
from trading.exchange.venue import rows
from trading.exchange.venue.access import Session
from trading.exchange.venue.accounts import Account
from trading.exchange.venue.books import Books
from trading.exchange.venue.orders import Order, Snapshot
from trading.exchange.venue.rows import Instruments
from trading.exchange.venue.shelf import Shelf

_SCHEMA = """
CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS accounts (user_id TEXT PRIMARY KEY, body TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS orders (sequence INTEGER PRIMARY KEY, body TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS lines (sequence INTEGER, first INTEGER, body TEXT NOT NULL, PRIMARY KEY (sequence, first))
    WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS trades (sequence INTEGER PRIMARY KEY, body TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS sessions (access_token TEXT PRIMARY KEY, body TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS shelves (noun TEXT, key TEXT, body TEXT NOT NULL, PRIMARY KEY (noun, key));
"""

_PUT_ON_SHELF = (
    "INSERT INTO shelves VALUES (?, ?, ?) ON CONFLICT (noun, key) DO UPDATE SET body = excluded.body"  # keeps its place
)


@dataclass(frozen=True, slots=True)
class Kept:
    """What an earlier process left: the day, the books of that day, the logins."""

    books: Books
    sessions: list[Session]


class VenueStore:
    """The file. `path` None keeps everything in memory (tests of pure behaviour)."""

    def __init__(self, path: Path | None) -> None:
        """Open the file, made when there is none. Raises ValueError for one that is no ledger."""
        self._name = ":memory:" if path is None else str(path)
        self._shelves: list[Shelf[Any]] = []
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch(mode=0o600, exist_ok=True)
        self._db = sqlite3.connect(self._name, isolation_level=None)
        try:
            self._db.execute("PRAGMA journal_mode=WAL")
            self._db.execute("PRAGMA synchronous=NORMAL")
            self._db.executescript(_SCHEMA)
        except sqlite3.Error as error:
            raise self._damage(error) from error

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def save_changes(self, books: Books) -> None:
        """Write the orders, trades and shelves that changed, in one transaction, and mark them written."""
        shelved = [row for shelf in self._shelves for row in shelf.unsaved()]
        if not books.dirty and not books.new_trades and not shelved:
            return
        dirty = books.dirty.values()
        trades = [(trade.sequence, rows.trade_text(trade)) for trade in books.new_trades]
        with _Transaction(self._db):
            self._put_orders(dirty)
            self._db.executemany("INSERT INTO trades VALUES (?, ?)", trades)
            self._db.executemany(_PUT_ON_SHELF, shelved)
        for order in dirty:
            order.lines_kept = len(order.history)
        books.dirty.clear()
        books.new_trades.clear()
        for shelf in self._shelves:
            shelf.saved()

    def _put_orders(self, orders: Iterable[Order]) -> None:
        """Write orders as they stand, and of their histories what was added: a long one is not written again."""
        self._db.executemany(
            "INSERT OR REPLACE INTO orders VALUES (?, ?)",
            [(order.sequence, rows.order_text(order)) for order in orders],
        )
        self._db.executemany(
            "INSERT INTO lines VALUES (?, ?, ?)",
            [
                (order.sequence, order.lines_kept, rows.lines_text(order.history[order.lines_kept :]))
                for order in orders
                if len(order.history) > order.lines_kept
            ],
        )

    def keep(self, shelf: Shelf[Any]) -> None:
        """Fill a shelf with what an earlier process kept of its noun, and write its changes from now on.

        Raises ValueError for a damaged file.
        """
        try:
            shelf.restore(
                self._db.execute("SELECT key, body FROM shelves WHERE noun = ? ORDER BY rowid", (shelf.noun,))
            )
        except (sqlite3.Error, LookupError, TypeError, ValueError) as error:
            raise self._damage(error) from error
        self._shelves.append(shelf)

    def save_sessions(self, sessions: Iterable[Session]) -> None:
        """Write who is logged in."""
        kept = [(s.access_token, json.dumps([s.user_id, s.api_key, s.login_ms, s.expires_ms])) for s in sessions]
        with _Transaction(self._db):
            self._db.execute("DELETE FROM sessions")
            self._db.executemany("INSERT INTO sessions VALUES (?, ?)", kept)

    def save_day(self, books: Books) -> None:
        """Write the beginning of a day: opening balances, orders that wait for the open, the counters so far."""
        meta = {"day": books.day.isoformat(), "last_order": str(books.last_order), "last_trade": str(books.last_trade)}
        with _Transaction(self._db):
            self._forget_all_orders_but(books.after_hours.values())
            self._db.executemany("INSERT OR REPLACE INTO meta VALUES (?, ?)", list(meta.items()))
            self._put_accounts(books.accounts.values())

    def _forget_all_orders_but(self, waiting: Iterable[Order]) -> None:
        for table in ("orders", "lines", "trades"):
            self._db.execute(f"DELETE FROM {table}")  # noqa: S608 (our own names)
        for order in waiting:
            order.lines_kept = 0
        self._put_orders(waiting)
        for order in waiting:
            order.lines_kept = len(order.history)

    def save_accounts(self, accounts: Iterable[Account]) -> None:
        """Write accounts that were just opened. (One that has traded is written at the day's beginning only.)"""
        with _Transaction(self._db):
            self._put_accounts(accounts)

    def _put_accounts(self, accounts: Iterable[Account]) -> None:
        made = [(account.user_id, rows.account_text(account)) for account in accounts]
        self._db.executemany("INSERT OR REPLACE INTO accounts VALUES (?, ?)", made)

    def load(self, by_key: Callable[[str], Instrument | None]) -> Kept | None:
        """Read everything back, None from an empty file.

        Raises ValueError for a damaged file and for an instrument that is gone.
        """
        try:
            return self._kept(by_key)
        except (sqlite3.Error, LookupError, TypeError, ValueError) as error:
            raise self._damage(error) from error

    def _damage(self, error: Exception) -> ValueError:
        return ValueError(f"the ledger {self._name} cannot be read ({error}); start with --fresh to begin anew")

    def _kept(self, by_key: Callable[[str], Instrument | None]) -> Kept | None:
        meta = dict(self._db.execute("SELECT key, value FROM meta"))
        if "day" not in meta:
            return None
        instruments = Instruments(by_key)
        accounts = [
            rows.account_from(user_id, json.loads(body), instruments)
            for user_id, body in self._db.execute("SELECT user_id, body FROM accounts ORDER BY user_id")
        ]
        books = Books(accounts, date.fromisoformat(meta["day"]))
        books.last_order, books.last_trade = int(meta["last_order"]), int(meta["last_trade"])
        self._load_orders(books, instruments)
        self._load_trades(books)
        return Kept(books, self._load_sessions())

    def _load_orders(self, books: Books, instruments: Instruments) -> None:
        for sequence, body in self._db.execute("SELECT sequence, body FROM orders ORDER BY sequence"):
            order = rows.order_from(sequence, json.loads(body), instruments)
            kept = self._kept_lines(sequence)
            order.history += kept
            order.lines_kept = len(kept)  # a history in the order's own row is written again as lines
            books.index(order)
            books.last_order = max(books.last_order, sequence)

    def _kept_lines(self, sequence: int) -> list[Snapshot]:
        texts = self._db.execute("SELECT body FROM lines WHERE sequence = ? ORDER BY first", (sequence,))
        return [line for (text,) in texts for line in rows.lines_from(json.loads(text))]

    def _load_trades(self, books: Books) -> None:
        for sequence, body in self._db.execute("SELECT sequence, body FROM trades ORDER BY sequence"):
            trade = rows.trade_from(sequence, json.loads(body))
            order = books.orders[trade.order_id]
            books.accounts[order.user_id].book(trade, order.instrument)
            books.last_trade = sequence

    def _load_sessions(self) -> list[Session]:
        found = self._db.execute("SELECT access_token, body FROM sessions")
        return [Session(token, *json.loads(body)) for token, body in found]


class _Transaction:
    """BEGIN IMMEDIATE ... COMMIT, or ROLLBACK on an exception."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    def __enter__(self) -> None:
        self._db.execute("BEGIN IMMEDIATE")

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        self._db.execute("ROLLBACK" if kind else "COMMIT")

"""The venue on disk: one SQLite file, one transaction a batch of changes.

Positions are not stored: they follow from what was carried overnight and the trades, in order. WAL with
`synchronous=NORMAL` survives a killed process; the last moments may be lost when the machine itself loses power.
"""

import json
import sqlite3
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from trading.domain.instruments import Instrument
from trading.domain.orders import Side
from trading.exchange.venue.access import Session
from trading.exchange.venue.accounts import Account, Holding
from trading.exchange.venue.books import Books
from trading.exchange.venue.kinds import PLAIN, kind_from
from trading.exchange.venue.orders import LONG_AGO, Order, Snapshot, Status, Terms, Trade
from trading.exchange.venue.positions import Position
from trading.exchange.venue.shelf import Shelf

_SCHEMA = """
CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS accounts (user_id TEXT PRIMARY KEY, body TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS orders (sequence INTEGER PRIMARY KEY, body TEXT NOT NULL);
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
        rows = [row for shelf in self._shelves for row in shelf.unsaved()]
        if not books.dirty and not books.new_trades and not rows:
            return
        orders = [(order.sequence, _order_text(order)) for order in books.dirty.values()]
        trades = [(trade.sequence, _trade_text(trade)) for trade in books.new_trades]
        with _Transaction(self._db):
            self._db.executemany("INSERT OR REPLACE INTO orders VALUES (?, ?)", orders)
            self._db.executemany("INSERT INTO trades VALUES (?, ?)", trades)
            self._db.executemany(_PUT_ON_SHELF, rows)
        books.dirty.clear()
        books.new_trades.clear()
        for shelf in self._shelves:
            shelf.saved()

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
        rows = [(s.access_token, json.dumps([s.user_id, s.api_key, s.login_ms, s.expires_ms])) for s in sessions]
        with _Transaction(self._db):
            self._db.execute("DELETE FROM sessions")
            self._db.executemany("INSERT INTO sessions VALUES (?, ?)", rows)

    def save_day(self, books: Books) -> None:
        """Write the beginning of a day: opening balances, orders that wait for the open, the counters so far."""
        meta = {"day": books.day.isoformat(), "last_order": str(books.last_order), "last_trade": str(books.last_trade)}
        waiting = [(order.sequence, _order_text(order)) for order in books.after_hours.values()]
        with _Transaction(self._db):
            self._db.execute("DELETE FROM orders")
            self._db.execute("DELETE FROM trades")
            self._db.executemany("INSERT INTO orders VALUES (?, ?)", waiting)
            self._db.executemany("INSERT OR REPLACE INTO meta VALUES (?, ?)", list(meta.items()))
            self._put_accounts(books.accounts.values())

    def save_accounts(self, accounts: Iterable[Account]) -> None:
        """Write accounts that were just opened. (One that has traded is written at the day's beginning only.)"""
        with _Transaction(self._db):
            self._put_accounts(accounts)

    def _put_accounts(self, accounts: Iterable[Account]) -> None:
        rows = [(account.user_id, _account_text(account)) for account in accounts]
        self._db.executemany("INSERT OR REPLACE INTO accounts VALUES (?, ?)", rows)

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
        instruments = _Instruments(by_key)
        accounts = [
            _account_from(user_id, json.loads(body), instruments)
            for user_id, body in self._db.execute("SELECT user_id, body FROM accounts ORDER BY user_id")
        ]
        books = Books(accounts, date.fromisoformat(meta["day"]))
        books.last_order, books.last_trade = int(meta["last_order"]), int(meta["last_trade"])
        self._load_orders(books, instruments)
        self._load_trades(books)
        return Kept(books, self._load_sessions())

    def _load_orders(self, books: Books, instruments: "_Instruments") -> None:
        for sequence, body in self._db.execute("SELECT sequence, body FROM orders ORDER BY sequence"):
            books.index(_order_from(sequence, json.loads(body), instruments))
            books.last_order = max(books.last_order, sequence)

    def _load_trades(self, books: Books) -> None:
        for sequence, body in self._db.execute("SELECT sequence, body FROM trades ORDER BY sequence"):
            trade = _trade_from(sequence, json.loads(body))
            order = books.orders[trade.order_id]
            books.accounts[order.user_id].book(trade, order.instrument)
            books.last_trade = sequence

    def _load_sessions(self) -> list[Session]:
        rows = self._db.execute("SELECT access_token, body FROM sessions")
        return [Session(token, *json.loads(body)) for token, body in rows]


class _Transaction:
    """BEGIN IMMEDIATE ... COMMIT, or ROLLBACK on an exception."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    def __enter__(self) -> None:
        self._db.execute("BEGIN IMMEDIATE")

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        self._db.execute("ROLLBACK" if kind else "COMMIT")


class _Instruments:
    """Looks instruments up by `EXCHANGE:TRADINGSYMBOL`, and says which one is gone."""

    def __init__(self, by_key: Callable[[str], Instrument | None]) -> None:
        self._by_key = by_key

    def __getitem__(self, key: str) -> Instrument:
        found = self._by_key(key)
        if found is None:
            raise LookupError(f"it holds {key}, which this market does not know")
        return found


_ORDER_FIELDS = (
    "order_id", "user_id", "api_key", "product", "tag", "placed_ms", "filled", "filled_value", "cancelled", "opening",
    "passive", "mark", "triggered", "attempts", "modifications", "resting_since_ms", "message", "raw", "exchange_ms",
    "wants_cancel",
)  # fmt: skip


def _order_text(order: Order) -> str:
    body = {name: getattr(order, name) for name in _ORDER_FIELDS}
    body |= {
        "instrument": order.instrument.key,
        "side": order.side,
        "status": order.status,
        "terms": order.terms,
        "kind": order.kind,
        "wants": order.wants,
        "history": [(*line[:2], *line[3:]) for line in order.history],
    }
    return json.dumps(body, separators=(",", ":"))


def _order_from(sequence: int, body: Mapping[str, Any], instruments: _Instruments) -> Order:
    order = Order(
        sequence=sequence,
        instrument=instruments[body["instrument"]],
        side=Side(body["side"]),
        status=Status(body["status"]),
        terms=Terms(*body["terms"]),
        kind=kind_from(body["kind"]) if "kind" in body else PLAIN,  # without: kept before there were varieties
        wants=None if body["wants"] is None else Terms(*body["wants"]),
        **{name: body[name] for name in _ORDER_FIELDS if name != "mark"},
        mark=body.get("mark"),  # without: kept before there was one book for all
    )
    for status, at_ms, terms, *rest in body["history"]:
        order.history.append(Snapshot(Status(status), at_ms, LONG_AGO, Terms(*terms), *rest))
    return order


def _trade_text(trade: Trade) -> str:
    fields = (trade.trade_id, trade.order_id, trade.user_id, trade.token, trade.side, trade.product)
    return json.dumps([*fields, trade.quantity, trade.price, trade.at_ms])


def _trade_from(sequence: int, body: list[Any]) -> Trade:
    trade_id, order_id, user_id, token, side, product, quantity, price, at_ms = body
    return Trade(trade_id, sequence, order_id, user_id, token, Side(side), product, quantity, price, at_ms, LONG_AGO)


def _account_text(account: Account) -> str:
    """Write an account as it opens the day: cash, holdings, and the lots carried overnight."""
    carried = [(p.instrument.key, p.product, list(p.lots)) for p in account.positions.values()]
    holdings = [(h.instrument.key, h.quantity, h.average_price, h.t1_quantity) for h in account.holdings.values()]
    return json.dumps({"cash": account.cash, "carried": carried, "holdings": holdings})


def _account_from(user_id: str, body: Mapping[str, Any], instruments: _Instruments) -> Account:
    account = Account(user_id, body["cash"])
    for key, product, lots in body["carried"]:
        position = Position(instruments[key], product)
        position.carry((quantity, price) for quantity, price in lots)
        account.positions[position.instrument.token, product] = position
    for key, *held in body["holdings"]:
        instrument = instruments[key]
        account.holdings[instrument.token] = Holding(instrument, *held)  # three numbers, two before there was T+1
    return account

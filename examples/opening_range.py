"""Opening range breakout, a whole day, with nothing but the official SDK and the standard library.

Five stocks. The first minutes make a range. Whoever leaves it is bought (or sold short) with a limit order, protected
by a stop order at the other end; the stop moves to the entry price after a move of one range; everything is closed
before the broker squares intraday positions off. Not advice: a small clear example of a program against the API.

    python examples/opening_range.py                       # starts the exchange itself, a day in a few minutes
    python examples/opening_range.py --join first_line     # an exchange that runs already
"""

import os
import queue
import time as wall
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from datetime import datetime, time, timedelta
from itertools import count
from pathlib import Path
from typing import Any

from kiteconnect import KiteConnect, KiteTicker
from kiteconnect.exceptions import DataException, InputException, NetworkException, OrderException
from report import Report
from simulated import Simulated
from stock import Stock

SYMBOLS = ("INFY", "ICICIBANK", "RELIANCE", "SBIN", "HDFCBANK")
CLOCK = 256265  # NIFTY 50: an index speaks every second, its exchange time is our clock
OPEN = time(9, 15)
CASH_A_STOCK = 100_000
CHASE_AFTER, GIVE_UP_AFTER = timedelta(minutes=1), timedelta(minutes=3)
FINAL = ("COMPLETE", "CANCELLED", "REJECTED")
READ_EVERY_S = 2.0  # order messages may be lost: the book is read besides


class Trader:
    """Decides in one thread; what the ticker's thread hears comes through a queue."""

    def __init__(self, kite: KiteConnect, stocks: list[Stock], *, range_ends: time, square_off: time) -> None:
        self.kite = kite
        self.stocks = {stock.token: stock for stock in stocks}
        self.range_ends = range_ends
        self.square_off = square_off
        self.book: dict[str, dict[str, Any]] = {}
        self.heard: queue.Queue[tuple[str, Any]] = queue.Queue()
        self.now = datetime.min  # naive Indian time, as the SDK gives it
        self.doubts: list[str] = []
        self.is_over = False
        self._numbers = count(1)
        self._read_at = 0.0

    # -- the loop -------------------------------------------------------------------------------------

    def run(self) -> None:
        """Trade until everything is done after the square-off."""
        while any(stock.state != "done" for stock in self.stocks.values()):
            try:
                what, data = self.heard.get(timeout=READ_EVERY_S)
            except queue.Empty:
                what, data = "nothing", None
            if what == "ticks":
                self.on_ticks(data)
            elif what == "order":
                self.on_order(data)
            if wall.monotonic() > self._read_at + READ_EVERY_S:
                self.read_book()

    def wait_until_closed(self) -> None:
        """Let the ticker's thread close its socket."""
        self.is_over = True
        while self.heard.get(timeout=10)[0] != "closed":
            pass

    def read_book(self) -> None:
        """Read all orders: they count, should a message have been lost."""
        self._read_at = wall.monotonic()
        for row in self.kite.orders():
            self.on_order(row)

    # -- prices ---------------------------------------------------------------------------------------

    def on_ticks(self, ticks: list[dict[str, Any]]) -> None:
        for tick in ticks:
            self.now = max(self.now, tick.get("exchange_timestamp") or datetime.min)
            stock = self.stocks.get(tick["instrument_token"])
            if stock is not None:
                stock.last = tick["last_price"]
        if self.now.time() < OPEN:
            return
        for stock in self.stocks.values():
            if self.now.time() >= self.square_off:
                self.leave(stock)
            elif stock.last:
                self.follow(stock)

    def follow(self, stock: Stock) -> None:
        """Take the next step of one stock's day."""
        if stock.state == "range":
            stock.high, stock.low = max(stock.high, stock.last), min(stock.low, stock.last)
            if self.now.time() >= self.range_ends:
                stock.state = "watching"
        elif stock.state == "watching" and not stock.low <= stock.last <= stock.high:
            self.enter(stock)
        elif stock.state == "entering" and self.now > stock.entered_at + GIVE_UP_AFTER:
            self.try_to(self.kite.cancel_order, "regular", stock.entry)
        elif stock.state == "entering" and self.now > stock.entered_at + CHASE_AFTER:
            price = stock.on_grid(stock.last)
            if price != self.book.get(stock.entry, {}).get("price", price):
                self.try_to(self.kite.modify_order, "regular", stock.entry, price=price)
        elif stock.state == "holding" and not stock.is_safe and stock.gain > stock.high - stock.low:
            stock.is_safe = True
            self.try_to(self.kite.modify_order, "regular", stock.stop, **self.stop_prices(stock, stock.entry_price))

    def enter(self, stock: Stock) -> None:
        """Ask for the edge of the range: a breakout often looks back once."""
        stock.side = "BUY" if stock.last > stock.high else "SELL"
        stock.quantity = max(1, int(CASH_A_STOCK / stock.last))
        stock.entered_at = self.now
        stock.state = "entering"
        edge = stock.high if stock.side == "BUY" else stock.low
        stock.entry = self.place(stock, stock.side, stock.quantity, order_type="LIMIT", price=stock.on_grid(edge))

    def protect(self, stock: Stock) -> None:
        """Rest a stop at the other end of the range."""
        other_end = stock.low if stock.side == "BUY" else stock.high
        prices = self.stop_prices(stock, other_end)
        stock.stop = self.place(stock, stock.other_side, stock.quantity, order_type="SL", **prices)

    def stop_prices(self, stock: Stock, trigger: float) -> dict[str, float]:
        """Give trigger and limit: the limit is 0.5 % worse, so that a jump is filled too."""
        worse = -1 if stock.side == "BUY" else 1
        return {"trigger_price": stock.on_grid(trigger), "price": stock.on_grid(trigger * (1 + worse * 0.005))}

    def leave(self, stock: Stock) -> None:
        """Square off: first take back what rests, and only when that is confirmed close what is open."""
        if stock.state in ("range", "watching"):
            stock.state = "done"
        elif stock.state in ("entering", "holding"):
            resting = stock.entry if stock.state == "entering" else stock.stop
            stock.state = "leaving"
            self.try_to(self.kite.cancel_order, "regular", resting)

    # -- orders ---------------------------------------------------------------------------------------

    def on_order(self, row: dict[str, Any]) -> None:
        """Take one state of one order, from the socket or the book: late and repeated ones are dropped."""
        known = self.book.get(row["order_id"])
        if known and (known["status"] in FINAL or row["filled_quantity"] < known["filled_quantity"]):
            return
        self.book[row["order_id"]] = row
        if row["status"] not in FINAL:
            return
        for stock in self.stocks.values():
            if row["order_id"] == stock.entry:
                self.entry_is_final(stock, row)
            elif row["order_id"] in (stock.stop, stock.exit):
                self.close_rest(stock, row)

    def entry_is_final(self, stock: Stock, row: dict[str, Any]) -> None:
        stock.quantity, stock.entry_price = row["filled_quantity"], row["average_price"]
        if not stock.quantity:
            stock.state = "done"
        elif stock.state == "leaving":
            self.exit_at_market(stock)
        else:
            stock.state = "holding"
            self.protect(stock)

    def close_rest(self, stock: Stock, row: dict[str, Any]) -> None:
        """A stop or an exit is final: what it did not close is closed at the market."""
        stock.quantity -= row["filled_quantity"]
        if stock.quantity:
            self.exit_at_market(stock)
        else:
            stock.state = "done"

    def exit_at_market(self, stock: Stock) -> None:
        stock.state = "leaving"
        stock.exit = self.place(
            stock,
            stock.other_side,
            stock.quantity,
            order_type="MARKET",
            market_protection=self.kite.MARKET_PROTECTION_AUTO,
        )

    def place(self, stock: Stock, side: str, quantity: int, **more: Any) -> str:
        """Place one intraday order and give its id. An answer that was lost is no answer: the book is asked."""
        tag = f"orb{self.now:%H%M%S}n{next(self._numbers)}"
        try:
            order_id = self.kite.place_order(
                "regular", "NSE", stock.symbol, side, quantity, "MIS", validity="DAY", tag=tag, **more
            )
        except (OSError, DataException, NetworkException) as error:  # requests' errors are OSErrors
            self.doubts.append(f"{tag}: {type(error).__name__}")
            order_id = self.look_up(tag)
        print(f"{self.now:%H:%M:%S}  {side:4} {quantity:4} {stock.symbol:9} {more['order_type']:6} {tag} {order_id}")
        return str(order_id)

    def look_up(self, tag: str) -> str:
        """Find out whether an order exists whose answer was lost. Sending it again could buy twice."""
        for _ in range(5):
            wall.sleep(0.5)
            for row in self.kite.orders():
                if row["tag"] == tag:
                    return str(row["order_id"])
        raise SystemExit(f"the order {tag} is not in the book; look at it before trading on")

    def try_to(self, call: Any, *arguments: Any, **more: Any) -> None:
        """Modify or cancel. The order may be filled at this moment: then the book says so, and that counts."""
        try:
            call(*arguments, **more)
        except (InputException, OrderException) as error:
            print(f"{self.now:%H:%M:%S}  {error}")
            self.read_book()


def watch(ticker: KiteTicker, trader: Trader) -> None:
    """Connect the ticker: prices and order messages go into the trader's queue."""
    tokens = [CLOCK, *trader.stocks]

    def subscribe(socket: KiteTicker, _: Any) -> None:
        socket.subscribe(tokens)
        socket.set_mode(socket.MODE_FULL, tokens)

    ticker.on_connect = subscribe
    ticker.on_ticks = lambda _, ticks: trader.heard.put(("ticks", ticks))
    ticker.on_order_update = lambda _, order: trader.heard.put(("order", order))
    ticker.on_close = lambda *_: trader.heard.put(("closed", None))
    # close() belongs into the ticker's own thread, where every message (heartbeats too) comes by
    ticker.on_message = lambda socket, *_: socket.close() if trader.is_over else None
    ticker.connect(threaded=True)
    what, _ = trader.heard.get(timeout=30)  # the prices of now come at once
    if what != "ticks":
        raise SystemExit(f"the ticker said {what!r} first")


def chosen(kite: KiteConnect) -> Iterator[Stock]:
    """Find our stocks in the day's list of instruments."""
    rows = {row["tradingsymbol"]: row for row in kite.instruments("NSE")}
    for symbol in SYMBOLS:
        row = rows[symbol]
        yield Stock(symbol, row["instrument_token"], row["tick_size"])


def trade(exchange: Simulated, options: Namespace) -> Report:
    """Sign in, trade the day, report."""
    user = exchange.user(options.user)
    kite = KiteConnect(user["api_key"], root=exchange.info["rest"])
    exchange.control("POST", "/clock", {"hold": True})  # nothing is missed while we sign in
    exchange.sign_in(kite, user)
    trader = Trader(kite, list(chosen(kite)), range_ends=options.range_ends, square_off=options.square_off)
    ticker = KiteTicker(user["api_key"], kite.access_token, root=exchange.info["ws"])
    watch(ticker, trader)
    # the first order's answer is lost after the exchange has accepted it
    fault = {"match": {"method": "POST", "path": "/orders", "user_id": user["user_id"]}, "phase": "after_accept"}
    exchange.control("POST", "/faults", fault | {"action": "rst", "n": 1})
    exchange.control("POST", "/clock", {"resume": True, "speed": options.speed})
    trader.run()
    trader.wait_until_closed()
    return Report.of(kite, doubts=trader.doubts)


def main() -> None:
    os.environ["TZ"] = "Asia/Kolkata"  # the SDK's ticks have naive times of the process's zone, its orders Indian ones
    wall.tzset()
    parser = ArgumentParser(description="Trade an opening range breakout on the simulated exchange.")
    parser.add_argument("--join", type=Path, help="file with the first line of a running `run_exchange --json`")
    parser.add_argument("--speed", type=int, default=120, help="market seconds a second, 1 to 600 (default 120)")
    parser.add_argument("--day", default="2026-11-23", help="the day to start (not with --join)")
    parser.add_argument("--user", default="AB1001", help="the account (default AB1001)")
    parser.add_argument("--range-ends", type=time.fromisoformat, default=time(9, 30), metavar="HH:MM")
    parser.add_argument("--square-off", type=time.fromisoformat, default=time(15, 5), metavar="HH:MM")
    parser.add_argument("--result", type=Path, help="write the report as JSON too")
    options = parser.parse_args()
    exchange = Simulated.join(options.join) if options.join else Simulated.start("--day", options.day)
    try:
        report = trade(exchange, options)
        print(report.text())
        if options.result:
            options.result.write_text(report.as_json())
    finally:
        exchange.stop()


if __name__ == "__main__":
    main()

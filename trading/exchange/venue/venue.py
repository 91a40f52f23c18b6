"""The venue: one object that holds users, logins, books and desk together, and keeps them on disk.

Everything runs on one event loop and returns at once. A call that changes something has been written to the store
when it returns (where `writing.later` is set: when `writing.written` does); only then the messages about it go out.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Any, TypeVar

from trading.exchange.market.quotes import Quote
from trading.exchange.venue import day_charges, opening, refusals, truth
from trading.exchange.venue.access import Access
from trading.exchange.venue.alerts import AlertBook
from trading.exchange.venue.behaviour import Behaviour
from trading.exchange.venue.books import Books
from trading.exchange.venue.by_hand import ByHand
from trading.exchange.venue.conversions import ConversionRequest, Conversions
from trading.exchange.venue.day_counts import DayCounts
from trading.exchange.venue.desk import Desk, Update
from trading.exchange.venue.funds import FundBook
from trading.exchange.venue.gtt import GttBook
from trading.exchange.venue.latency import Latency
from trading.exchange.venue.logins import Logins
from trading.exchange.venue.orders import Order
from trading.exchange.venue.prices import Market
from trading.exchange.venue.reads import Reads
from trading.exchange.venue.refusals import Refusal
from trading.exchange.venue.rules import OrderRequest
from trading.exchange.venue.sessions import Sessions
from trading.exchange.venue.slicing import Sliced, place_slices
from trading.exchange.venue.square_off import SquareOff
from trading.exchange.venue.standing import Standing, standing_of
from trading.exchange.venue.store import Kept, VenueStore
from trading.exchange.venue.transit import Transit, show_later
from trading.exchange.venue.users import User, demo_users, user_sheet
from trading.exchange.venue.writing import Writing

T = TypeVar("T")

LEDGER_FILE = "ledger.sqlite3"
DEFAULT_REDIRECT_URL = "http://127.0.0.1:8000/brokers/kite/callback/"


class Venue(Logins):
    """The simulated broker. `state_dir` None keeps nothing on disk; `more_accounts` are there beside the demo ones."""

    def __init__(
        self,
        *,
        exchange_id: str,
        market: Market,
        hours: Sessions,
        now_ms: Callable[[], int],
        monotonic: Callable[[], float],
        state_dir: Path | None = None,
        more_accounts: int = 0,
    ) -> None:
        self.exchange_id = exchange_id
        self._store = VenueStore(None if state_dir is None else state_dir / LEDGER_FILE)
        kept = self._store.load(market.recall)
        more = max(more_accounts, opening.more_than_the_demo(kept.books if kept else None))
        self.users: dict[str, User] = demo_users(exchange_id, more)
        self.redirect_url = DEFAULT_REDIRECT_URL
        self.postback_url = ""
        self.wake: Callable[[], None] = _nothing
        self.writing = Writing(self._flush)
        self.listeners: list[Callable[[Sequence[Update]], None]] = []
        self.behaviour = Behaviour(latency=Latency(seed=exchange_id))
        self.transit = Transit(monotonic)
        self.now_ms = now_ms
        self.access = Access(self.users, now_ms=now_ms, monotonic=monotonic, seed=exchange_id)
        books = self._first_day(market) if kept is None else self._restored(kept, market)
        self._desk = Desk(books, market, hours, now_ms, monotonic, self.behaviour)
        self._store.keep(self._desk.street.shelf)
        if books.day == market.day:
            self._desk.street.restored(books.by_token, market.quote)
        self._store.keep(self._desk.struck)
        self.hand = self._desk.hand
        self._store.keep(self.hand.shelf)
        self.by_hand = ByHand(self._desk, self._flush)
        self._store.keep(self._desk.square_off_times.shelf)
        self._square_off = SquareOff(self._desk)
        self.gtt = GttBook(self._desk)
        self._store.keep(self.gtt.shelf)
        self.gtt.restored()
        self.alerts = AlertBook(self._desk, seed=exchange_id)
        self._store.keep(self.alerts.shelf)
        self.alerts.restored()
        self.funds = FundBook(now_ms, seed=exchange_id)
        self._store.keep(self.funds.orders)
        self._store.keep(self.funds.sips)
        self.day_counts = DayCounts()
        self._store.keep(self.day_counts.shelf)
        self._conversions = Conversions(self._desk)
        self._store.keep(self._conversions.shelf)
        self._conversions.restored()
        self.reads = Reads(lambda: self._desk.books, self.behaviour, monotonic, self.hand)
        if books.day != market.day:
            self.begin_day(market)
        self._desk.open_due()
        self._flush()

    def _restored(self, kept: Kept, market: Market) -> Books:
        self.access.restore(kept.sessions)
        if opened := opening.open_missing(kept.books, self.users, market):
            self._store.save_accounts(opened)
        return kept.books

    def _first_day(self, market: Market) -> Books:
        books = opening.first_books(self.users, market)
        self._store.save_day(books)
        return books

    # -- the day -------------------------------------------------------------------------------------

    @property
    def books(self) -> Books:
        """Give the ledger of the day."""
        return self._desk.books

    @property
    def market(self) -> Market:
        """Give the day's prices."""
        return self._desk.market

    def shown(self, quotes: Sequence[Quote]) -> Sequence[Quote]:
        """Give quotes as the broker shows them: with the accounts' orders and what they took in the depth."""
        return self._desk.street.shown(quotes, self.books.queues)

    def session_moments(self) -> set[int]:
        """Give the day's moments (epoch ms) at which the venue has to act, whether or not anything is traded then."""
        edges = self._desk.hours.edges(self.market.day) | self._desk.square_off_times.moments(self.market.day)
        return {int(edge.timestamp() * 1000) for edge in edges}

    def begin_day(self, market: Market) -> None:
        """Roll to another trading day: what still lives lapses, accounts settle, the books are empty."""
        self.end_of_day()
        self._desk.market = market
        self._desk.street.clear()
        self.gtt.begin_day()
        self.alerts.begin_day()
        self.funds.begin_day(market.day)
        self._flush()
        self.books.roll(market.day, market.final_price)
        self._store.save_day(self.books)

    def end_of_day(self) -> None:
        """Let every order lapse that is still live. Safe to call twice."""
        self._desk.cancel_all()
        self._flush()

    def close(self) -> None:
        """Close the file. Nothing is pending: every change was written when it happened."""
        self._store.close()

    # -- orders --------------------------------------------------------------------------------------

    def place(self, user_id: str, api_key: str, request: OrderRequest) -> Order:
        """Take an order or raise Refusal."""
        order = self._desk.place(user_id, api_key, request)
        self._asked()
        return order

    def place_slices(self, user_id: str, api_key: str, slices: Sequence[OrderRequest]) -> Sliced:
        """Take the slices of an autosliced order that the account can pay, or raise Refusal for a bad order."""
        sliced = place_slices(self._desk, user_id, api_key, slices)
        self._asked()
        return sliced

    def modify(self, order: Order, request: OrderRequest) -> None:
        """Take the wish to change an order or raise Refusal."""
        self._desk.request_modify(order, request)
        self._asked()

    def cancel(self, order: Order, parent_order_id: str = "") -> None:
        """Take the wish to cancel an order, with its parent to exit a cover order, or raise Refusal."""
        self._desk.request_cancel(order, parent_order_id)
        self._asked()

    def convert(self, user_id: str, request: ConversionRequest) -> None:
        """Give units of an open position another product or raise Refusal."""
        self._conversions.convert(user_id, request)
        self._flush()

    def order_of(self, user_id: str, order_id: str) -> Order:
        """Find a user's order. Raises Refusal for an unknown id and for somebody else's."""
        order = self.books.accounts[user_id].orders.get(order_id)
        if order is None:
            raise Refusal(refusals.UNKNOWN_ORDER, error_type="OrderException", status=404)
        return order

    def _asked(self) -> None:
        self.wake()  # first: a clock that nobody holds matches before the write, in one transaction
        self.writing.soon()

    def waited_for(self) -> Iterator[int]:
        """Give the tokens whose prices orders, triggers or alerts wait for."""
        return chain(self.books.by_token, self.gtt.tokens(), self.alerts.tokens())

    def on_quotes(self, quotes: Iterable[Quote]) -> None:
        """Match resting orders and stops on new prices, then let triggers and alerts see them."""
        quotes = list(quotes)
        self._desk.on_quotes(quotes)
        self.gtt.on_quotes(quotes)
        self.alerts.on_quotes(quotes)
        self._square_off.on_step()
        self._flush()
        if self.has_pending():
            self.wake()

    def saved(self, result: T) -> T:
        """Write what a call to `gtt`, `alerts` or `funds` changed, then give its result on."""
        self._flush()
        return result

    def write(self) -> None:
        """Write what has changed, so that nobody reads what a kill could undo."""
        self._flush()

    def has_pending(self) -> bool:
        """Say whether something was asked for that `match_pending` has not done."""
        return bool(self.books.pending)

    def match_pending(self) -> None:
        """Do what was asked for since the last time: cancels, modifications, new orders.

        What follows from it (an iceberg's next leg, a cover order's stop) is pending then and wakes the clock again.
        """
        self._desk.match_pending()
        self._flush()
        if self.has_pending():
            self.wake()

    def _flush(self) -> None:
        """Write what changed, let those answer who wait for it, then tell the listeners."""
        try:
            self._store.save_changes(self.books)
        except Exception as error:
            self.writing.failed(error)
            raise
        self.writing.done()
        updates, self._desk.updates = self._desk.updates, []
        if updates:
            show_later(self.transit, self.behaviour.latency, [one.order for one in updates], self.books.last_trade)
            for listener in self.listeners:
                listener(updates)

    def set_square_off(self, wish: Mapping[str, Any]) -> dict[str, Any]:
        """Switch the broker's square-off or move it (`SquareOffTimes.set`), and give its report. Raises ValueError."""
        self._desk.square_off_times.set(wish)
        self._flush()
        return self._desk.square_off_times.report(self.books.day)

    def end_gtt(self, trigger_id: int, status: str) -> None:
        """End an active trigger as the broker does (disabled, cancelled, rejected). Raises ValueError."""
        self.gtt.end_by_broker(trigger_id, status)
        self._flush()

    # -- control port --------------------------------------------------------------------------------

    def user_sheet(self) -> list[dict[str, str]]:
        """List who has an account here, with everything needed to sign in."""
        return user_sheet(self.users.values(), self.access.totp_hint())

    def ledger_truth(self) -> dict[str, Any]:
        """Give the ledger as JSON-able data, by user id."""
        self._flush()
        return truth.ledger_truth(self.books, self._standing())

    def charges_of_the_day(self) -> dict[str, dict[str, str]]:
        """Give what each user's executed orders cost. Raises ValueError on a day without known rates."""
        self._flush()
        try:
            return day_charges.charges_of_the_day(self.books)
        except LookupError as error:
            raise ValueError(str(error)) from error

    def ledger_hash(self) -> str:
        """Give the hash over the ledger's contents, without ids and wall times."""
        self._flush()
        return truth.ledger_hash(self.books, self._standing())

    def _standing(self) -> dict[str, Standing]:
        return standing_of(self.users, self.gtt, self.alerts, self.funds)


def _nothing() -> None:
    """Stand in until somebody wants to be woken."""

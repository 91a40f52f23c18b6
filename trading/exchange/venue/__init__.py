"""The simulated broker and its exchange: accounts, orders, matching, margin, and the ledger that is the test truth."""

from trading.exchange.venue.venue import Venue

__all__ = ["Venue"]

"""A market whose prices the control port can bend: one instrument locked at a circuit, or moved by some percent.

Everything else is the true market's. Beneath a bent price the true one goes on, and shows again when the rule is gone.
"""

from dataclasses import replace
from datetime import date
from typing import Any

from trading.exchange.faults import Faults
from trading.exchange.faults.places import BOOK
from trading.exchange.faults.rules import Target
from trading.exchange.market.quotes import Quote

Bend = tuple[str, str, float]
"""(action, kind, percent)."""


class BentMarket:
    """Stands before a market; a day without such rules costs it one comparison a step."""

    def __init__(self, market: Any, faults: Faults) -> None:
        self._market = market
        self._faults = faults
        self._bends: dict[int, Bend] = {}

    def __getattr__(self, name: str) -> Any:
        """Give what only the true market has."""
        return getattr(self._market, name)

    def on(self, day: date) -> "BentMarket":
        """Give another day of a live market, under the same rules."""
        return BentMarket(self._market.on(day), self._faults)

    def advance(self, *moment: int) -> list[Quote]:
        """Move the true market on and give its quotes bent, with those of instruments whose rule came or went."""
        quotes: list[Quote] = self._market.advance(*moment)
        changed = self._look()
        if not self._bends and not changed:
            return quotes
        found = {quote.token: quote for quote in quotes}
        for token in sorted(changed - found.keys()):
            found[token] = self._market.quote(token)
        return [self._bent(quote) for quote in found.values()]

    def quote(self, token: int) -> Quote:
        """Give the present quote, bent when a rule says so."""
        true: Quote = self._market.quote(token)
        return self._bent(true) if self._bends else true

    def _look(self) -> set[int]:
        """Follow the rules, and give the tokens whose prices they bend from now on, or no more."""
        before, self._bends = self._bends, {}
        for rule in self._faults.due(BOOK) if self._faults.rules else ():
            instrument = self._market.by_key(rule.match["instrument"])
            if instrument is None or not instrument.is_tradable:
                continue
            self._bends[instrument.token] = (rule.action, rule.kind, rule.percent)
            if not rule.injected:
                self._faults.inject(rule, Target(BOOK, instrument=instrument.key))
        return {token for token in before.keys() | self._bends.keys() if before.get(token) != self._bends.get(token)}

    def _bent(self, quote: Quote) -> Quote:
        bend = self._bends.get(quote.token)
        if bend is None:
            return quote
        action, kind, percent = bend
        if action == "lock":
            return _locked(quote, is_upper=kind == "upper")
        return _moved(quote, percent)


def _locked(quote: Quote, *, is_upper: bool) -> Quote:
    """Put a quote at its circuit: nobody is on the other side, and whoever trades meets those who wait."""
    price = quote.upper_circuit if is_upper else quote.lower_circuit
    touch = (price, 0) if is_upper else (0, price)
    return _at(replace(quote, touch=touch, is_bought=is_upper), price)


def _moved(quote: Quote, percent: float) -> Quote:
    """Move a price and the book behind it, inside the circuits and on the tick."""
    step = quote.depth.step
    wished = round(quote.ltp * (100 + percent) / 100 / step) * step
    price = min(max(wished, quote.lower_circuit), quote.upper_circuit)
    return _at(replace(quote, touch=None), price)


def _at(quote: Quote, price: int) -> Quote:
    return replace(quote, ltp=price, high=max(quote.high, price), low=min(quote.low or price, price))

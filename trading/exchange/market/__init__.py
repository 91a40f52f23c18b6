"""The market side of the simulated exchange: prices, depth, history and instruments of one trading day."""

from trading.exchange.market.bars import folder_days
from trading.exchange.market.market import Market, make_market
from trading.exchange.market.quotes import Depth, Level, Quote

__all__ = ["Depth", "Level", "Market", "Quote", "folder_days", "make_market"]

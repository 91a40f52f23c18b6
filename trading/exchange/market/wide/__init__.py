"""Prices of everything in the dump that has no tape of its own: contracts, and thousands of shares and bonds.

Each is a function of seed, symbol, day and moment, and of what it stands on; nothing is made before somebody asks.
"""

from trading.exchange.market.wide.universe import WideMarket

__all__ = ["WideMarket"]

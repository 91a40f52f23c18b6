"""Kite Connect v3 in front of the venue: REST, login page, ticker socket, postbacks."""

from trading.exchange.kite.face import KiteFace

__all__ = ["KiteFace"]

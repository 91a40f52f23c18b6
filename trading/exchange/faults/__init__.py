"""The faults that somebody asked for: what is in force, whom it strikes, what it does, and what was injected."""

from trading.exchange.faults.engine import Faults

__all__ = ["Faults"]

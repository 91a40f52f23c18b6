"""The referee: holds the invariants of the engine against the exchange's ledger after every event."""

from trading.simulation.referee.bench import Referee

__all__ = ["Referee"]

"""The strategy process: ladder book, gate, gateway, reconciliation, square-off. Takes ports as arguments."""

from trading.engine.deps import EngineDeps
from trading.engine.runtime import run_engine

__all__ = ["EngineDeps", "run_engine"]

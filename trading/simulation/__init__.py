"""Simulated days: the engine and the simulated exchange in one process, on one virtual clock and one seeded chance.

The exchange's ledger is the truth, and the referee holds the invariants against it after every event
(docs/simulation.md).
"""

"""The broker's faults, put in force at the exchange's control port while a real stack trades."""

import pytest

from tests.chaos.arena import A_WHILE_S, Arena

pytestmark = [pytest.mark.processes, pytest.mark.timeout(400)]

FAULTS = ("F11", "F12", "F13", "F14", "F15", "F16", "F18", "F19", "F24", "F26", "F28", "F33")


@pytest.mark.parametrize("number", [pytest.param(number, marks=pytest.mark.proves(number)) for number in FAULTS])
def test_a_fault_of_the_broker_loses_and_doubles_nothing(arena: Arena, number: str) -> None:
    arena.until_the_engine_works()
    arena.fault(number)
    arena.advance(A_WHILE_S)
    arena.heal()

    arena.advance(A_WHILE_S)

    arena.settle()

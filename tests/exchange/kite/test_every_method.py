"""Every public method of the SDK is answered by the exchange."""

import inspect

import pytest
from kiteconnect import KiteConnect
from kiteconnect import exceptions as kite_errors

from tests.exchange.kite.samples import CALLS, LOCAL, REFUSED, World
from tests.exchange.kite.served import serving

METHODS = sorted(name for name, _ in inspect.getmembers(KiteConnect, callable) if not name.startswith("_"))


def test_every_method_of_the_sdk_has_its_place() -> None:
    placed = [*CALLS, *REFUSED, *LOCAL]

    assert sorted(placed) == METHODS, "a method of the SDK is new or gone: say in samples.py how it is called"


@pytest.mark.parametrize("name", sorted(CALLS))
async def test_a_method_is_answered(name: str) -> None:
    async with serving() as served:
        world = World(served)
        method = getattr(world.kite, name)
        answer = await CALLS[name](world, method)

    assert answer is not None
    assert world.answers[-1].status_code == 200


@pytest.mark.parametrize("name", sorted(REFUSED))
async def test_a_method_is_refused_with_the_brokers_words(name: str) -> None:
    async with serving() as served:
        world = World(served)
        with pytest.raises(kite_errors.TokenException) as refused:
            await REFUSED[name](world, getattr(world.kite, name))

    assert refused.value.code == 403


@pytest.mark.parametrize("name", sorted(LOCAL))
async def test_a_method_sends_nothing(name: str) -> None:
    async with serving() as served:
        world = World(served)
        LOCAL[name](world.kite)

    assert world.answers == []

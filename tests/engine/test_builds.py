"""Two engines, two builds: one works, the other waits and says so; a standby of other code does not go on."""

import asyncio

import pytest

from tests.engine.stage import Stage
from tests.engine.test_lease import freeze, trading
from trading.domain.errors import ConfigurationError
from trading.engine.runtime import Engine


async def waiting(stage: Stage, holder: str, *, standby: bool) -> tuple[Engine, "asyncio.Task[None]"]:
    engine = Engine(stage.deps(holder=holder), standby=standby)
    task = asyncio.create_task(engine.run())
    await stage.settle(2.0)
    return engine, task


@pytest.mark.proves("F46", "I14", database="none")
async def test_a_second_engine_says_whom_it_waits_for(stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    await trading(stage)

    _, task = await waiting(stage, "second#b1", standby=False)

    assert stage.store.waiting == {"second#b1": "waits: main is held by first with epoch 1"}
    assert "second#b1 waits: main is held by first" in caplog.text
    task.cancel()


async def test_an_engine_that_got_the_lease_waits_no_more(stage: Stage) -> None:
    await trading(stage)
    second, task = await waiting(stage, "second", standby=False)

    await stage.stop()
    await stage.settle(2.0)

    assert second.session is not None
    assert stage.store.waiting == {}
    task.cancel()


@pytest.mark.proves("F64", "I14", database="none")
async def test_a_standby_of_another_build_does_not_take_over(stage: Stage) -> None:
    stage.client()
    await stage.start(holder="first#new")
    standby, task = await waiting(stage, "b#old", standby=True)
    await freeze(stage)

    await stage.settle(30.0)

    assert standby.session is None
    assert "another build" in stage.store.waiting["standby:b#old"]
    task.cancel()


@pytest.mark.proves("F64", database="none")
async def test_a_standby_of_the_same_build_takes_over(stage: Stage) -> None:
    stage.client()
    await stage.start(holder="first#new")
    standby, task = await waiting(stage, "b#new", standby=True)
    await freeze(stage)

    await stage.settle(10.0)

    assert standby.session is not None
    task.cancel()


async def test_an_engine_of_a_new_build_follows_the_old_one_once_that_has_ended(stage: Stage) -> None:
    stage.client()
    await stage.start(holder="first#old")
    engine, task = await waiting(stage, "second#new", standby=False)
    assert engine.session is None

    await stage.stop()
    await stage.settle(2.0)

    assert engine.session is not None
    task.cancel()


@pytest.mark.proves("F69", database="none")
async def test_nobody_reigns_while_the_schema_is_another_builds(stage: Stage) -> None:
    stage.client()
    real = stage.store.acquire

    async def refusing(*_: object, **__: object) -> int | None:
        raise ConfigurationError("the database lacks migrations of this build (0042_more)")

    stage.store.acquire = refusing  # type: ignore[method-assign]
    await stage.start(holder="first")
    await stage.settle(10.0)
    assert stage.engine is not None
    assert stage.engine.session is None
    assert "0042_more" in stage.store.waiting["first"]

    stage.store.acquire = real  # type: ignore[method-assign]
    await stage.settle(2.0)
    assert stage.session is not None

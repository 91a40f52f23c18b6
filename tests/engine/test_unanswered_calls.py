"""Each call to the database fails, hangs, or is done and never answered, one after the other: no order is lost, none is
doubled, nothing is left undecided, and no exit waits for the database longer than some seconds."""

from collections.abc import Awaitable, Callable

import pytest

from tests.engine.one_thread import DONE_FAILS, DONE_HANGS, DONE_LATE, FAILS, HANGS, HANGS_S, STALLS, OneThread
from tests.engine.stage import GILLETTE, Stage
from trading.domain.orders import Purpose
from trading.engine.orders import UNSETTLED

KEY, ACCOUNT = GILLETTE.key, "kite:AB1001"
PATIENCE_S = 6.0
"""Wire seconds: what hinders an exit for three may do so at its commit and, once more, at its claim."""
MOST = 2
"""So many calls of one name are tried: the entry's and the exit's."""
ELSEWHERE = frozenset(
    {"observe", "acquire", "renew", "save_pnl", "save_reconciliation", "finish_command", "lower_state"}
)
"""What the lease asks on its own thread, and what no order waits for."""
Life = Callable[[Stage], Awaitable[None]]


async def a_ladder(stage: Stage) -> None:
    """A target, then the stop takes the rest."""
    await stage.tick("09:15:02", "108.60")
    await stage.settle(PATIENCE_S)
    await stage.tick("09:15:12", "103.00")


async def a_square_off(stage: Stage) -> None:
    for at in ("15:10:00", "15:14:55", "15:15:00"):
        await stage.at(at, 0.2)


async def a_kill(stage: Stage) -> None:
    stage.kill_files.touch("client:1")


LIVES: dict[str, tuple[Life, str]] = {
    "STOP": (a_ladder, "09:16:00"),
    "SQUARE_OFF": (a_square_off, "15:16:00"),
    "KILL": (a_kill, "09:16:00"),
}
"""By the word of the decision in the log: what happens, and a moment after it."""


async def live(stage: Stage, life: Life, thread: OneThread) -> None:
    """Enter, and want it closed."""
    stage.client()
    stage.plan(GILLETTE, quantity=100)
    await stage.start(store=thread.around(stage.store), leases=thread.around(stage.store, counts=False))
    await stage.ticks(("09:15:00", "108.00"), ("09:15:01", "108.10"))
    await stage.settle(2.0)
    if not stage.broker.net(KEY) and thread.is_busy:
        await stage.settle(HANGS_S)
    await life(stage)
    await stage.settle(PATIENCE_S)


async def problems(stage: Stage, word: str) -> list[str]:
    """Say what is not as it has to be, when the exit should have gone and at the end."""
    found = [f"{stage.broker.net(KEY)} are still open"] if stage.broker.net(KEY) else []
    await stage.at(LIVES[word][1], 25.0)
    stored, outcomes = stage.store.intents, stage.session.house.accounts[ACCOUNT].desk.outcomes
    if any(one.state in UNSETTLED for one in stored.values()):
        await stage.settle(130.0)  # an entry's absence takes so long to prove
    found += [f"{one.intent.key.purpose} is {one.state}" for one in stored.values() if one.state in UNSETTLED]
    found += [f"{tag} keeps every later exit back" for tag in stage.store.exit_slots.values()]
    placed = stage.broker.placed
    found += [f"{one.key.purpose} is not written down" for one in placed if one.tag not in stored]
    if len({one.tag for one in placed}) < len(placed) or stage.broker.most_open[KEY] > 100:
        found.append("an order was doubled")
    if sum(one.key.purpose is Purpose.ENTRY for one in placed) > 1:
        found.append("it entered twice")
    if stage.broker.net(KEY) or len(stage.store.trades) != len(stage.broker.fills):
        found.append(f"{len(stage.store.trades)} of {len(stage.broker.fills)} fills are kept")
    if outcomes.is_owing or not stage.session.house.accounts[ACCOUNT].desk.is_reconciled:
        found.append("entries stay off")
    told = {event.kind for event in stage.store.events}
    needed = {"ENTRY", "GATE", "FILL", word} if stage.broker.fills else set()
    return found + [f"the log lacks {kind}" for kind in sorted(needed - told)]


async def calls_of(life: Life) -> dict[str, int]:
    """Give how often each call is made where nothing goes wrong."""
    stage = Stage()
    thread = OneThread(stage.clock)
    await live(stage, life, thread)
    await stage.stop()
    return {name: count for name, count in thread.calls.items() if name not in ELSEWHERE}


@pytest.mark.proves("F40", "F41", "I1", "I2", "I6", "I17", database="none")
@pytest.mark.parametrize("word", LIVES)
@pytest.mark.parametrize("how", [FAILS, STALLS, HANGS, DONE_FAILS, DONE_LATE, DONE_HANGS])
async def test_whatever_the_database_leaves_unanswered_it_ends_flat_and_decided(word: str, how: str) -> None:
    broken = {}
    for name, count in (await calls_of(LIVES[word][0])).items():
        for nth in range(1, min(count, MOST) + 1):
            stage = Stage()
            await live(stage, LIVES[word][0], OneThread(stage.clock, name, nth, how))
            if found := await problems(stage, word):
                broken[f"{name} {nth}"] = found
            await stage.stop()

    assert broken == {}


async def test_the_lives_make_the_calls_that_matter() -> None:
    called = {word: await calls_of(life) for word, (life, _) in LIVES.items()}

    needed = {"create_intent", "claim", "resolve", "save_order", "save_trades", "append_events", "save_ladder"}
    assert all(needed <= names.keys() for names in called.values())
    assert all(calls["create_intent"] >= MOST for calls in called.values())

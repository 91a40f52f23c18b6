"""Redis and the database restart, hang, lose everything or lock while orders are on their way."""

import pytest

from tests.chaos.arena import A_WHILE_S, Arena

pytestmark = [pytest.mark.processes, pytest.mark.timeout(400)]


@pytest.mark.proves("F37", "F38", "I17")
def test_redis_loses_everything(arena: Arena) -> None:
    arena.begin_to_advance(A_WHILE_S)

    arena.redis().flushall()

    arena.wait_for_the_market()
    arena.advance(A_WHILE_S)
    arena.settle()


@pytest.mark.proves("F36", "F53", "I17")
def test_redis_restarts_twice(arena: Arena) -> None:
    arena.begin_to_advance(A_WHILE_S)
    for _ in range(2):
        arena.kill("redis")
        arena.until_redis_answers()

    arena.wait_for_the_market()
    arena.advance(A_WHILE_S)
    arena.settle()


@pytest.mark.proves("F39")
def test_redis_answers_nobody_for_a_while(arena: Arena) -> None:
    pid = arena.freeze("redis")
    arena.advance(A_WHILE_S)
    arena.thaw(pid)

    arena.advance(A_WHILE_S)
    arena.settle()


@pytest.mark.proves("F40", "I2")
def test_the_database_is_locked_for_some_seconds(arena: Arena) -> None:
    with arena.locked_database():
        arena.advance(4 * A_WHILE_S)

    arena.until_the_engine_works()
    arena.advance(A_WHILE_S)
    arena.settle()


@pytest.mark.proves("F41", "I2")
@pytest.mark.parametrize("arena", ["postgresql"], indirect=True)
@pytest.mark.postgres
def test_the_database_server_crashes_and_comes_back(arena: Arena) -> None:
    with arena.stopped_database():
        arena.advance(4 * A_WHILE_S)

    arena.until_the_engine_works()
    arena.advance(A_WHILE_S)
    arena.settle()


@pytest.mark.proves("F42", "I2")
@pytest.mark.parametrize("arena", ["sqlite"], indirect=True)
def test_the_disk_is_full_for_the_engine(arena: Arena) -> None:
    with arena.no_room_for("strategy"):
        arena.advance(A_WHILE_S)

    arena.until_the_engine_works()
    arena.advance(A_WHILE_S)
    arena.settle()

"""One transaction for what is asked in one turn of the loop, and nobody answered before it is on disk."""

import asyncio
import json
import sqlite3
from pathlib import Path

from tests.exchange.fakes import Desk, order
from tests.exchange.kite.samples import MARKET
from tests.exchange.kite.served import serving
from trading.exchange.venue.writing import Writing


def statuses_on_disk(folder: Path) -> dict[str, str]:
    """Give the status of each order by tag, as another process would find it now."""
    with sqlite3.connect(folder / "ledger.sqlite3") as ledger:
        bodies = [json.loads(body) for (body,) in ledger.execute("SELECT body FROM orders")]
    return {body["tag"]: body["status"] for body in bodies}


class Disk:
    """A write that can fail; `writes` counts them."""

    def __init__(self) -> None:
        self.writing = Writing(self.write)
        self.writing.later = asyncio.get_running_loop().call_soon
        self.writes = 0
        self.error: Exception | None = None

    def write(self) -> None:
        self.writes += 1
        if self.error is None:
            self.writing.done()
        else:
            self.writing.failed(self.error)

    async def ask(self) -> int:
        """Ask for a write and give how many there were when it was done."""
        self.writing.soon()
        await self.writing.written()
        return self.writes


async def test_all_that_is_asked_in_one_turn_is_written_once_and_then_all_are_told() -> None:
    disk = Disk()

    answers = await asyncio.gather(*(disk.ask() for _ in range(5)))
    await disk.writing.written()

    assert answers == [1] * 5
    assert await disk.ask() == 2


def test_without_a_loop_it_is_written_at_once() -> None:
    written: list[str] = []
    writing = Writing(lambda: written.append("now"))

    writing.soon()

    assert written == ["now"]


async def test_a_write_that_fails_is_told_to_everybody_who_waits_and_the_next_one_goes_on() -> None:
    disk = Disk()
    disk.error = OSError("disk full")

    failures = await asyncio.gather(disk.ask(), disk.ask(), return_exceptions=True)
    disk.error = None

    assert [str(failure) for failure in failures] == ["disk full"] * 2
    assert await disk.ask() == 2


async def test_orders_asked_for_together_are_on_disk_with_their_fills_when_each_is_answered(tmp_path: Path) -> None:
    async with serving(Desk(tmp_path)) as served:
        kites = [served.kite(user_id) for user_id in ("AB1001", "AB1002", "AB1003")]

        def place(number: int) -> dict[str, str]:
            kites[number % 3].place_order(**MARKET | {"tag": f"T{number}"})
            return statuses_on_disk(tmp_path)

        seen = await asyncio.gather(*(served.call(place, number) for number in range(12)))

    assert [one[f"T{number}"] for number, one in enumerate(seen)] == ["COMPLETE"] * 12


async def test_what_a_read_shows_is_on_disk_even_before_its_order_is_answered(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.venue.writing.later = asyncio.get_running_loop().call_soon
    desk.place(order(tag="ASKED"))
    before = statuses_on_disk(tmp_path)

    truth = desk.venue.ledger_truth()

    assert before == {}
    assert truth["AB1001"]["orders"][0]["tag"] == "ASKED"
    assert list(statuses_on_disk(tmp_path)) == ["ASKED"]


async def test_messages_about_an_order_go_out_after_it_was_written(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.venue.writing.later = asyncio.get_running_loop().call_soon
    heard: list[dict[str, str]] = []
    desk.venue.listeners.append(lambda updates: heard.append(statuses_on_disk(tmp_path)))

    desk.trade(order(tag="FILLED"))

    assert heard == [{"FILLED": "COMPLETE"}]

"""The holder's sign of life on this machine's disk."""

import os
from pathlib import Path

import pytest

from trading.stores.pulse import FilePulse


async def test_every_beat_is_seen_as_another_one(tmp_path: Path) -> None:
    holder, observer = FilePulse(tmp_path / "engine"), FilePulse(tmp_path / "engine")
    assert await observer.look("main") is None

    await holder.beat("main", "engine-1@here#build", 7)
    first = await observer.look("main")
    os.utime(tmp_path / "engine" / "main.pulse", ns=(1, 1))
    await holder.beat("main", "engine-1@here#build", 7)
    second = await observer.look("main")

    assert first is not None
    assert second is not None
    assert (first.holder, first.epoch) == (second.holder, second.epoch) == ("engine-1@here#build", 7)
    assert second.beat not in (first.beat, 1)


async def test_without_a_beat_it_stands_still(tmp_path: Path) -> None:
    pulse = FilePulse(tmp_path)
    await pulse.beat("main", "engine", 1)

    assert await pulse.look("main") == await pulse.look("main")


async def test_another_holder_or_epoch_is_told(tmp_path: Path) -> None:
    pulse = FilePulse(tmp_path)
    await pulse.beat("main", "engine", 1)
    await pulse.beat("main", "standby:b", 2)

    seen = await pulse.look("main")

    assert seen is not None
    assert (seen.holder, seen.epoch) == ("standby:b", 2)


async def test_a_file_that_somebody_tidied_away_is_made_again(tmp_path: Path) -> None:
    pulse = FilePulse(tmp_path)
    await pulse.beat("main", "engine", 1)
    (tmp_path / "main.pulse").unlink()

    await pulse.beat("main", "engine", 1)
    await pulse.beat("main", "engine", 1)

    assert await pulse.look("main") is not None


@pytest.mark.parametrize("text", ["", "{}", "[1]", '{"holder": "a", "epoch": "x"}', "\x00"])
async def test_what_cannot_be_read_is_no_sign_of_life(tmp_path: Path, text: str) -> None:
    (tmp_path / "main.pulse").write_text(text)

    assert await FilePulse(tmp_path).look("main") is None


async def test_a_place_that_cannot_be_written_stops_nobody(tmp_path: Path) -> None:
    (tmp_path / "engine").write_text("a file where the folder should be")

    await FilePulse(tmp_path / "engine").beat("main", "engine", 1)

"""The instrument master: what a new dump must be, and what becomes of one that is not."""

import gzip
from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path

import pytest

from trading.brokers.kite.instruments import parse_dump
from trading.marketdata.master import DumpFolder, DumpRefused

DAY = date(2026, 11, 23)
HEADER = (
    "instrument_token,exchange_token,tradingsymbol,name,last_price,expiry,strike,tick_size,lot_size,"
    "instrument_type,segment,exchange"
)


def rows(count: int, *, expiry: date | None = None) -> list[str]:
    """Make shares, or futures of an expiry."""
    kind = "EQ,NSE,NSE" if expiry is None else "FUT,NFO-FUT,NFO"
    return [f"{n * 256 + 1},{n},SYM{n},NAME {n},0,{expiry or ''},0,0.05,1,{kind}" for n in range(1, count + 1)]


def dump(lines: Sequence[str]) -> bytes:
    """Join rows into a file."""
    return "\n".join([HEADER, *lines, ""]).encode()


@pytest.fixture
def folder(tmp_path: Path) -> DumpFolder:
    """Give the broker's folder with a good dump of the Friday before."""
    kept = DumpFolder(tmp_path, "kite")
    kept.accept(dump(rows(2000)), day=DAY - timedelta(days=3), parse=parse_dump)
    return kept


def test_a_good_dump_is_kept_compressed_by_broker_and_day(folder: DumpFolder, tmp_path: Path) -> None:
    new = folder.accept(dump(rows(2001)), day=DAY, parse=parse_dump)

    assert new.record.path == Path("instruments/kite/2026-11-23.csv.gz")
    assert gzip.decompress((tmp_path / new.record.path).read_bytes()) == dump(rows(2001))
    assert (new.record.row_count, len(new.contents.instruments)) == (2001, 2001)
    assert folder.days() == [DAY - timedelta(days=3), DAY]
    assert folder.read(DAY, parse=parse_dump) == new.contents
    assert folder.latest() == new.record


def test_a_dump_may_come_compressed(folder: DumpFolder) -> None:
    plain = dump(rows(2001))

    packed = folder.accept(gzip.compress(plain), day=DAY, parse=parse_dump)

    assert packed.record == folder.accept(plain, day=DAY, parse=parse_dump).record


@pytest.mark.proves("F06")
@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (dump(rows(2000)), "is the one of 2026-11-20 again"),
        (gzip.compress(dump(rows(2000))), "is the one of 2026-11-20 again"),
        (dump(rows(1599)), "1599 rows, at least 1600"),
        (dump(rows(2100))[:-40], "last line is cut"),
        (dump(rows(2100)).replace(b"lot_size", b"lots"), "columns were missing: lot_size"),
        (gzip.compress(dump(rows(2100)))[:-20], "gzip stream is damaged"),
        (gzip.compress(dump(rows(2100)))[:-8] + b"\0" * 8, "gzip stream is damaged"),
        (b"", "the file is empty"),
        (b"<html>502 Bad Gateway</html>\n", "columns were missing"),
        (dump([*rows(2100), *["1,1,Y,Y,0,,0,-1,1,EQ,NSE,NSE"] * 22]), "22 of 2122 rows could not be read"),
        (dump(rows(2100, expiry=DAY - timedelta(days=1))), "2100 of 2100 contracts expired before 2026-11-23"),
    ],
)
def test_a_dump_that_is_cut_small_broken_or_old_is_refused_and_the_last_good_one_stays(
    folder: DumpFolder, raw: bytes, words: str
) -> None:
    with pytest.raises(DumpRefused, match=words):
        folder.accept(raw, day=DAY, parse=parse_dump)

    assert folder.days() == [DAY - timedelta(days=3)]


def test_contracts_that_expire_on_the_day_are_still_of_the_day(folder: DumpFolder) -> None:
    assert folder.accept(dump(rows(2100, expiry=DAY)), day=DAY, parse=parse_dump).record.row_count == 2100


def test_the_same_day_may_be_fetched_again(folder: DumpFolder) -> None:
    folder.accept(dump(rows(2001)), day=DAY, parse=parse_dump)

    again = folder.accept(dump(rows(2001)), day=DAY, parse=parse_dump)
    corrected = folder.accept(dump(rows(2002)), day=DAY, parse=parse_dump)

    assert again.record.row_count == 2001
    assert folder.latest() == corrected.record


def test_the_very_first_dump_needs_a_thousand_rows(tmp_path: Path) -> None:
    folder = DumpFolder(tmp_path, "kite")

    with pytest.raises(DumpRefused, match="999 rows, at least 1000"):
        folder.accept(dump(rows(999)), day=DAY, parse=parse_dump)
    assert folder.latest() is None
    assert folder.accept(dump(rows(1000)), day=DAY, parse=parse_dump).record.row_count == 1000


def test_a_kept_file_that_was_damaged_is_passed_over(folder: DumpFolder, tmp_path: Path) -> None:
    record = folder.accept(dump(rows(2001)), day=DAY, parse=parse_dump).record
    damaged = (tmp_path / record.path).read_bytes()[:-30]
    (tmp_path / record.path).write_bytes(damaged)

    latest = folder.latest()

    assert latest is not None
    assert latest.day == DAY - timedelta(days=3)
    with pytest.raises(DumpRefused):
        folder.read(DAY, parse=parse_dump)


def test_a_day_that_was_never_kept_is_said_so(folder: DumpFolder) -> None:
    with pytest.raises(FileNotFoundError):
        folder.read(DAY, parse=parse_dump)


def test_nothing_half_written_is_left(folder: DumpFolder, tmp_path: Path) -> None:
    folder.accept(dump(rows(2001)), day=DAY, parse=parse_dump)

    assert {path.suffix for path in (tmp_path / "instruments/kite").iterdir()} == {".gz"}

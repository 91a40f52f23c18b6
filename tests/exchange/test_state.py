"""The exchange's clock file and its claim on the folder."""

from datetime import date
from pathlib import Path

import pytest

from trading.exchange.state import FILE_NAME, KeptState, StateFile

STATE = KeptState("exchange-1", date(2026, 11, 23), 7, "", 1_795_405_500_000, 99, is_finished=False, ports=(1, 2, 3))


def test_what_was_written_is_read_also_after_writing_over_it(tmp_path: Path) -> None:
    file = StateFile(tmp_path / "exchange")
    assert file.read() is None
    file.claim()

    file.write(STATE)
    assert file.read() == STATE
    later = KeptState("exchange-1", STATE.day, 7, "", STATE.now_ms + 1000, 100, is_finished=True, ports=(1, 2, 3))
    file.overwrite(later)

    assert StateFile(tmp_path / "exchange").read() == later


def test_one_write_never_crosses_a_page_so_a_kill_leaves_the_old_or_the_new_text(tmp_path: Path) -> None:
    file = StateFile(tmp_path)
    file.claim()
    file.write(STATE)
    size = (tmp_path / FILE_NAME).stat().st_size

    file.overwrite(KeptState("exchange-1", STATE.day, 7, "x" * 500, 1, 1, is_finished=True, ports=(1, 2, 65535)))

    assert size == (tmp_path / FILE_NAME).stat().st_size == 4096


@pytest.mark.parametrize("text", ["", "{", "[1]", "{}", '{"exchange_id": "e", "ports": [1]}', '{"ports": "abc"}'])
def test_a_damaged_file_is_named_with_the_remedy(tmp_path: Path, text: str) -> None:
    (tmp_path / FILE_NAME).write_text(text)

    with pytest.raises(ValueError, match=r"clock\.json was damaged .*--fresh"):
        StateFile(tmp_path).read()


def test_a_folder_belongs_to_one_exchange_at_a_time(tmp_path: Path) -> None:
    first, second = StateFile(tmp_path), StateFile(tmp_path)
    first.claim()

    with pytest.raises(ValueError, match=r"an exchange runs in .* already; stop it"):
        second.claim()
    first.release()
    second.claim()


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(ValueError, match=r"file/exchange cannot be written \(Not a directory\); choose another"):
        StateFile(tmp_path / "file" / "exchange").claim()


def test_erasing_forgets_everything_and_keeps_the_claim(tmp_path: Path) -> None:
    file = StateFile(tmp_path)
    file.claim()
    file.write(STATE)
    (tmp_path / "ledger.sqlite3").write_text("x")

    file.erase()

    assert [path.name for path in tmp_path.iterdir()] == ["lock"]
    with pytest.raises(ValueError, match="already"):
        StateFile(tmp_path).claim()

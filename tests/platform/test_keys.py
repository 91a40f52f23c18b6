"""Secrets that are made once."""

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from django.core.exceptions import ImproperlyConfigured

from algosystem.keys import kept_keys


def test_keys_are_made_once_and_only_their_owner_can_read_them(tmp_path: Path) -> None:
    first = kept_keys(tmp_path / "var")
    second = kept_keys(tmp_path / "var")

    assert first == second
    assert stat.S_IMODE((tmp_path / "var" / "keys.json").stat().st_mode) == 0o600
    assert len(first["SECRET_KEY"]) >= 50
    Fernet(first["FIELD_KEYS"])


def test_processes_that_start_together_agree_on_the_keys(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        seen = list(pool.map(lambda _: kept_keys(tmp_path)["SECRET_KEY"], range(8)))

    assert len(set(seen)) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["keys.json"]


def test_a_damaged_file_stops_the_process_instead_of_making_new_keys(tmp_path: Path) -> None:
    (tmp_path / "keys.json").write_text("{")

    with pytest.raises(ImproperlyConfigured, match="damaged"):
        kept_keys(tmp_path)

    assert (tmp_path / "keys.json").read_text() == "{"

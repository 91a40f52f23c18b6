"""Zerodha's recorded answers (kiteconnect-mocks), in the folder beside this checkout; never a part of it."""

import json
from pathlib import Path
from typing import Any

import pytest

MOCKS = Path(__file__).parents[2] / "shared" / "data" / "fixtures" / "kiteconnect-mocks"
needs_mocks = pytest.mark.skipif(not MOCKS.is_dir(), reason="Zerodha's mock responses are not beside this checkout")


def mock_data(name: str) -> Any:
    """Give the `data` of a recorded answer; the test is skipped where they are not."""
    if not MOCKS.is_dir():
        pytest.skip("Zerodha's mock responses are not beside this checkout")
    return json.loads((MOCKS / name).read_text())["data"]

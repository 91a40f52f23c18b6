"""Zerodha's recorded answers (kiteconnect-mocks), in the folder beside this checkout; never a part of it."""

from pathlib import Path

import pytest

MOCKS = Path(__file__).parents[2] / "shared" / "data" / "fixtures" / "kiteconnect-mocks"
needs_mocks = pytest.mark.skipif(not MOCKS.is_dir(), reason="Zerodha's mock responses are not beside this checkout")

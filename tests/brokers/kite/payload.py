"""Small payloads in Kite's shapes, made by hand."""

import json
from pathlib import Path
from typing import Any

PAYLOADS = Path(__file__).parent / "payloads"


def load(name: str) -> Any:
    """Read `payloads/<name>.json`."""
    return json.loads((PAYLOADS / f"{name}.json").read_text())

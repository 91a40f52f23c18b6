"""The two text frames with which the ticker socket begins.

They are in no document, but in what people recorded of the real socket (2023 to 2025): how many instruments there are,
and when the server's program was made. The SDKs pass over them; a program that takes every text frame for an order
message does not get far.
"""

import json

MADE_AT = "2025-08-04T13:50:28+05:30"
"""Of the broker's program, not of the day: recorded ones lie years back."""


def greeting(instruments: int) -> tuple[str, str]:
    """Give both frames; `instruments` is the number of instruments of the day."""
    meta = {"type": "instruments_meta", "data": {"count": instruments, "etag": f'W/"68907d60-{instruments:x}"'}}
    return json.dumps(meta), json.dumps({"type": "app_code", "timestamp": MADE_AT})

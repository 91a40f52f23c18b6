"""The unmodified KiteTicker as a process of its own (its reactor cannot be started twice).

Arguments: root, api key, access token, then `mode:token` pairs. Prints one JSON line for whatever happens.
"""

import json
import sys
from typing import Any

from kiteconnect import KiteTicker


def say(kind: str, data: Any) -> None:
    print(json.dumps([kind, data], default=str), flush=True)  # noqa: T201 - the parent reads it


def main() -> None:
    root, api_key, access_token, *wishes = sys.argv[1:]
    ticker = KiteTicker(api_key, access_token, root=root)

    def on_connect(ws: Any, response: Any) -> None:
        pairs = [(mode, int(token)) for mode, token in (wish.split(":") for wish in wishes)]
        if pairs:
            ws.subscribe([token for _, token in pairs])
        for mode, token in pairs:
            ws.set_mode(mode, [token])
        say("connected", None)

    def on_ticks(ws: Any, ticks: list[Any]) -> None:
        for tick in ticks:
            say("tick", tick)

    ticker.on_connect = on_connect
    ticker.on_ticks = on_ticks
    ticker.on_order_update = lambda ws, data: say("order", data)
    ticker.on_error = lambda ws, code, reason: say("error", [code, str(reason)])
    ticker.on_close = lambda ws, code, reason: say("close", [code, str(reason)])
    ticker.on_message = lambda ws, payload, is_binary: say("heartbeat", None) if payload == b"\x00" else None
    ticker.connect()


if __name__ == "__main__":
    main()

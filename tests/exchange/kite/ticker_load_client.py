"""The unmodified KiteTicker as a process that is told what to subscribe while ticks come.

Arguments: root, api key, access token. Reads JSON lines `["subscribe", tokens]`, `["unsubscribe", tokens]` and
`["set_mode", mode, tokens]`; prints a JSON line for whatever happens, for each batch of ticks what is in it.
"""

import json
import sys
import threading
from collections import Counter
from typing import Any

from kiteconnect import KiteTicker
from twisted.internet import reactor

SAYING = threading.Lock()


def say(kind: str, data: Any) -> None:
    with SAYING:
        print(json.dumps([kind, data], default=str), flush=True)  # noqa: T201 - the parent reads it


def summary(ticks: list[dict[str, Any]]) -> dict[str, Any]:
    modes = Counter(tick["mode"] for tick in ticks)
    whole = sum("depth" in tick and len(tick["depth"]["buy"]) == len(tick["depth"]["sell"]) == 5 for tick in ticks)
    prices = {tick["last_price"] for tick in ticks}
    return {
        "modes": dict(modes),
        "instruments": len({tick["instrument_token"] for tick in ticks}),
        "with_depth": whole,
        "prices": sorted(prices)[:3],
    }


def main() -> None:
    root, api_key, access_token = sys.argv[1:]
    ticker = KiteTicker(api_key, access_token, root=root)
    ticker.on_connect = lambda ws, response: say("connected", None)
    ticker.on_reconnect = lambda ws, attempts: say("reconnect", attempts)
    ticker.on_ticks = lambda ws, ticks: say("ticks", summary(ticks))
    ticker.on_error = lambda ws, code, reason: say("error", [code, str(reason)])
    ticker.on_close = lambda ws, code, reason: say("close", [code, str(reason)])
    ticker.connect(threaded=True)
    for line in sys.stdin:
        call, *arguments = json.loads(line)
        reactor.callFromThread(getattr(ticker, call), *arguments)


if __name__ == "__main__":
    main()

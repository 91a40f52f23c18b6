"""What came of a kill switch, in one sentence: for the log, the pages and the mail."""

from collections.abc import Mapping
from typing import Any


def result_words(result: Mapping[str, Any], *, names_positions: bool = True) -> str:
    """Say what was measured (`KillSwitch.carry_out`) and whether the broker confirmed that nothing is open.

    Without `names_positions` it says of no account and instrument that it is open: for whom they do not concern.
    """
    last = result["last_entry_ms"]
    entries = f"the last entry left {last} ms after the press" if last else "no entry left after the press"
    entries += f", cancels done after {result['cancels_ms']} ms"
    if result["flat_ms"] is not None:
        return f"{entries}, flat after {result['flat_ms']} ms, confirmed by the broker"
    if not names_positions:
        return f"{entries}; not everything was closed or could be seen: look at your positions"
    if result["unconfirmed"]:
        unread = ", ".join(result["unconfirmed"])
        return f"{entries}; {unread} must be signed in before it can be seen flat, nothing was traded there today"
    left = ", ".join(f"{units:+d} {key}" for key, units in result["left_open"].items()) or "nothing"
    return f"{entries}; positions were left open: {left}"

"""The ladder strip: where a position stands between its stop and its targets, drawn by the server as SVG.

Everything is placed in percent of the width, so that the strip fits any screen and the browser moves the pointer by
setting an attribute (theme/static_src/src/js/strip.js computes the same places). Profit is always to the right.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django import template

from trading.web import formats

register = template.Library()

LEFT, WIDTH = Decimal(5), Decimal(90)
"""The first stop stands at 5 %, the last target at 95 % of the width."""
TRACK_LEFT, TRACK_RIGHT = Decimal(0), Decimal(100)


@register.inclusion_tag("board/strip.html")
def ladder_strip(row: Mapping[str, Any]) -> dict[str, Any]:
    """Draw one row of `services.views.positions.position_rows`; without levels only its sentence is said."""
    levels = row["levels"]
    if not levels or not row["open"]:
        return {"row": row, "scale": None}
    targets, stops = levels["targets"], levels["stops"]
    scale = Scale(Decimal(stops[0]), Decimal(targets[-1]))
    entry = scale.place(levels["entry"])
    ltp = scale.place(row["ltp"])
    stop = scale.place(row["stop"])
    return {
        "row": row,
        "scale": scale,
        "entry": entry,
        "targets": [
            {"at": scale.place(price), "name": f"T{k}", "is_reached": k <= row["k"]}
            for k, price in enumerate(targets, 1)
        ],
        "stops": [{"at": scale.place(price), "name": f"Y{k}"} for k, price in enumerate(stops, 1)],
        "stop": stop,
        "stop_word": f"Y{row['y']} {formats.price(_decimal(row['stop']))}" if row["stop"] else "",
        "next_word": _next_word(row, targets),
        "next_at": scale.place(targets[min(row["k"], len(targets) - 1)]),
        "ltp": ltp,
        "band": _band(entry, ltp),
        "booked_percent": _percent(row["entered"] - row["open"], row["entered"]),
    }


class Scale:
    """Prices to percent of the width; `low` is the first stop, `high` the last target (lower for a short)."""

    def __init__(self, low: Decimal, high: Decimal) -> None:
        self.low, self.high = low, high

    def place(self, price: object) -> Decimal | None:
        """Give a price's place, kept inside the strip; None for an unknown price."""
        value = _decimal(price)
        if value is None:
            return None
        at = LEFT + WIDTH * (value - self.low) / (self.high - self.low)
        return min(max(at, TRACK_LEFT), TRACK_RIGHT).quantize(Decimal("0.01"))


def _band(entry: Decimal | None, ltp: Decimal | None) -> dict[str, Any] | None:
    """Give the shading between entry and last price: gain to the right, loss to the left."""
    if entry is None or ltp is None:
        return None
    kind = "gain" if ltp >= entry else "loss"
    return {"kind": kind, "x": min(entry, ltp), "width": abs(ltp - entry)}


def _next_word(row: Mapping[str, Any], targets: list[str]) -> str:
    if row["k"] >= len(targets):
        return ""
    return f"T{row['k'] + 1} {formats.price(_decimal(targets[row['k']]))}"


def _percent(part: int, whole: int) -> int:
    return round(100 * max(part, 0) / whole) if whole else 0


def _decimal(value: object) -> Decimal | None:
    return None if value in (None, "") else Decimal(str(value))

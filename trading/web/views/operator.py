"""The operator's board: one row a client, the house's events and alarms."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from trading.domain.timezone import ist_day
from trading.services import wiring
from trading.services.events import market_now
from trading.services.instrument_facts import held_instruments
from trading.services.views.house import MONEY, alarms_of, house_snapshot
from trading.services.views.kills import kill_rows
from trading.web.access import the_operator

PARTS = ("tiles", "clients", "kills", "rehearsals", "alarms", "events")
COLUMNS = (
    ("email", "Client"),
    ("state", "State"),
    ("realised", "Realised"),
    ("unrealised", "Open P&L"),
    ("total", "Total"),
    ("open_positions", "Positions"),
    ("orders", "Orders"),
)
NUMBERS = frozenset({*MONEY, "open_positions", "orders"})


@dataclass(frozen=True, slots=True)
class Column:
    """One head of the table. `link` is the sorting that a press asks for, `order` what aria-sort says."""

    label: str
    link: str
    order: str
    is_number: bool


@login_required
@require_safe
def board(request: HttpRequest) -> HttpResponse:
    """All clients with P&L, state, open positions and their last action. `?sort=` orders, `?part=` gives one panel."""
    the_operator(request)
    part = request.GET.get("part", "")
    if part and part not in PARTS:
        raise Http404("no such part")
    house = house_snapshot()
    name, is_descending = _wanted(request)
    if house["clients"] is not None:
        house["clients"] = _sorted(house["clients"], name, is_descending=is_descending)
    today = ist_day(market_now(wiring.clock()))
    context = {
        "house": house,
        "alarms": alarms_of(today),
        "held": held_instruments(today),
        "kills": [{**row, "is_today": row["day"] == today.isoformat()} for row in kill_rows()],
        "columns": [_column(key, label, name, is_descending=is_descending) for key, label in COLUMNS],
    }
    return render(request, f"operator/parts/{part}.html" if part else "operator/board.html", context)


def _wanted(request: HttpRequest) -> tuple[str, bool]:
    """Give the column and direction asked for; by e-mail address otherwise."""
    asked = request.GET.get("sort", "")
    name = asked.removeprefix("-")
    return (name, asked.startswith("-")) if name in dict(COLUMNS) else ("email", False)


def _sorted(rows: list[dict[str, Any]], name: str, *, is_descending: bool) -> list[dict[str, Any]]:
    """Order the rows by one column; what is unknown stands last either way."""
    known = [row for row in rows if row[name] is not None]
    known.sort(key=lambda row: Decimal(row[name]) if name in NUMBERS else row[name], reverse=is_descending)
    return known + [row for row in rows if row[name] is None]


def _column(key: str, label: str, sorted_by: str, *, is_descending: bool) -> Column:
    """Make one head; numbers begin with the largest, a second press turns the order round."""
    is_number = key in NUMBERS
    if key != sorted_by:
        return Column(label, f"-{key}" if is_number else key, "none", is_number)
    return Column(label, key if is_descending else f"-{key}", "descending" if is_descending else "ascending", is_number)

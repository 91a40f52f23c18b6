"""The desk of a client: dashboard, positions, orders and their why, charts."""

from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from trading.domain.timezone import ist_day
from trading.services.views import charts, why
from trading.services.views.snapshot import client_snapshot, market_now
from trading.web.access import own_client, the_user

PARTS = ("state", "rehearsal", "tiles", "positions", "closed", "orders", "events", "watchlist")
LATEST_ORDERS = 8


@login_required
@require_safe
def dashboard(request: HttpRequest) -> HttpResponse:
    """Am I safe, how much, what is open, what happened, what is next. `?part=` gives one panel anew."""
    return _board(request, "board/dashboard.html", latest=LATEST_ORDERS)


@login_required
@require_safe
def positions(request: HttpRequest) -> HttpResponse:
    """What is open and was closed today, each with its ladder and a price chart."""
    return _board(request, "board/positions.html")


@login_required
@require_safe
def orders(request: HttpRequest) -> HttpResponse:
    """The order book of the day; each row leads to its why."""
    return _board(request, "board/orders.html")


@login_required
@require_safe
def order_why(request: HttpRequest, tag: str) -> HttpResponse:
    """Everything that led to one order and what came of it. Another client's order does not exist here: 404."""
    user = the_user(request)
    client = None if user.is_operator else own_client(request)
    row = why.find_order(client, tag)
    if row is None:
        raise Http404("no such order")
    return render(request, "board/order_why.html", {"why": why.order_why(row), "is_own": client is not None})


@login_required
@require_safe
def price_candles(request: HttpRequest) -> HttpResponse:
    """JSON for the price chart of one of the client's instruments."""
    client, market = own_client(request), market_now()
    if market is None:
        return JsonResponse({"candles": [], "why": "The market clock does not answer."}, status=503)
    chart = charts.price_chart(client, request.GET.get("instrument", ""), market.now)
    if chart is None:
        raise Http404("not an instrument of this client")
    return JsonResponse(chart)


@login_required
@require_safe
def pnl_points(request: HttpRequest) -> HttpResponse:
    """JSON for the P&L chart of today."""
    client, market = own_client(request), market_now()
    if market is None:
        return JsonResponse({"points": [], "day": None}, status=503)
    return JsonResponse(charts.pnl_chart(client, ist_day(market.now)))


def _board(request: HttpRequest, page: str, *, latest: int | None = None) -> HttpResponse:
    client = own_client(request)
    board: dict[str, Any] = client_snapshot(client)
    context = {
        "board": board,
        "client": client,
        "latest": latest,
        "chosen": request.GET.get("instrument", ""),
        **_split(board),
    }
    part = request.GET.get("part", "")
    if part:
        if part not in PARTS:
            raise Http404("no such part")
        return render(request, f"board/parts/{part}.html", context)
    return render(request, page, context)


def _split(board: dict[str, Any]) -> dict[str, Any]:
    """Part open from closed positions, and name the instruments that have a chart: what is open first."""
    rows = board["positions"]
    if rows is None:
        return {"open_rows": None, "closed_rows": None, "chart_choices": []}
    open_rows, closed_rows = [row for row in rows if row["open"]], [row for row in rows if not row["open"]]
    symbols = {row["instrument"]: row["symbol"] for row in (*open_rows, *board["watchlist"], *closed_rows)}
    held = {row["instrument"] for row in open_rows}
    choices = [{"instrument": key, "symbol": symbol, "is_open": key in held} for key, symbol in symbols.items()]
    return {"open_rows": open_rows, "closed_rows": closed_rows, "chart_choices": choices}

"""The watchlist: rows with price and levels, the search, and one line's form."""

import logging

import redis
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from trading.domain.errors import BrokerError, RiskDenied
from trading.domain.instruments import Instrument
from trading.domain.timezone import ist_day
from trading.marketdata.master import DumpRefused
from trading.marketdata.search import IndexMissing, InstrumentIndex
from trading.models import BrokerAccount, BrokerName, Client, WatchItem
from trading.services import glance, morning, watch_order, watchlist, wiring
from trading.services.brokers import open_instruments
from trading.services.events import market_now
from trading.services.views.prices import may_see_prices
from trading.services.views.snapshot import state_part
from trading.services.views.watch_lines import lines
from trading.services.watchlist import WatchlistRefused
from trading.web.access import own_client, the_user
from trading.web.watch_forms import WatchForm, account_choices

logger = logging.getLogger(__name__)

LONGEST_QUERY = 60


@login_required
@require_safe
def show(request: HttpRequest) -> HttpResponse:
    """Every line with its live price, the day's range and both sides' levels."""
    client, now = own_client(request), market_now(wiring.clock())
    state = state_part(client, now, glance.feed_age_s(now))
    context = {
        "lines": lines(client, now),
        "why_no_entries": state["why_no_entries"],
        "is_feed_old": state["is_feed_old"],
        "accounts": watchlist.trading_accounts(client),
        "has_prices": may_see_prices(client),
        "is_onboarded": client.onboarded_at is not None,
        "stale_after_s": glance.stale_after_s(),
    }
    return render(request, "watchlist/list.html", context)


@login_required
@require_safe
def search(request: HttpRequest) -> HttpResponse:
    """What was found, as a fragment for the search dialog."""
    return render(request, "watchlist/hits.html", _found(own_client(request), request.GET.get("q", "")))


@login_required
def add(request: HttpRequest) -> HttpResponse:
    """Find an instrument (`?q=`), say how much of it (`?key=`), and put it on the list (POST)."""
    client = own_client(request)
    key = request.POST.get("key") or request.GET.get("key", "")
    if not key:
        return render(request, "watchlist/search.html", _found(client, request.GET.get("q", "")))
    accounts = watchlist.trading_accounts(client)
    if not accounts:
        messages.warning(request, "Connect a broker account first: every line of the list belongs to one.")
        return redirect("broker-connect")
    account = _own_account(request, accounts)
    try:
        return _add(request, client, account, accounts, key)
    except (BrokerError, DumpRefused, OSError, redis.RedisError):
        logger.warning("an instrument could not be looked up: the list of instruments is away", exc_info=True)
        messages.error(request, "Nothing was added: today's list of instruments cannot be read. Try again in a minute.")
        return redirect("watchlist")


def _add(
    request: HttpRequest, client: Client, account: BrokerAccount, accounts: list[BrokerAccount], key: str
) -> HttpResponse:
    row = morning.instrument_rows({key}).get(key)
    if row is None:
        raise Http404("no such instrument today")
    base = watchlist.base_config(watchlist.ladder_mapping(account))
    form = WatchForm(request.POST or None, instrument=row, base=base)
    if request.method == "POST" and form.is_valid():
        try:
            watchlist.add(client, account, key, form.wish(), by=the_user(request), clock=wiring.clock())
        except WatchlistRefused as refused:
            _show_problems(form, refused)
        else:
            messages.success(request, f"{row.tradingsymbol} is on the list.")
            return redirect("watchlist")
    context = {"form": form, "instrument": row, "account": account, "accounts": account_choices(accounts)}
    return render(request, "watchlist/line.html", context)


@login_required
def change(request: HttpRequest, item: int) -> HttpResponse:
    """One line's size and ladder; somebody else's line is a 404."""
    client = own_client(request)
    row = _own_item(client, item)
    form = WatchForm(request.POST or None, instrument=row.instrument, base=watchlist.base_config(row.mapping), item=row)
    if request.method == "POST" and form.is_valid():
        try:
            watchlist.update(client, item, form.wish(), by=the_user(request), clock=wiring.clock())
        except WatchlistRefused as refused:
            _show_problems(form, refused)
        else:
            messages.success(request, f"{row.instrument.tradingsymbol} is saved. {_when_it_holds(row)}")
            return redirect("watchlist")
    context = {"form": form, "item": row, "instrument": row.instrument, "account": row.account}
    return render(request, "watchlist/line.html", context)


@login_required
@require_POST
def trading(request: HttpRequest, item: int) -> HttpResponse:
    """Switch the ladder of one line on or off."""
    client = own_client(request)
    row = _own_item(client, item)
    is_on = request.POST.get("on") == "1"
    try:
        watchlist.set_trading(client, item, is_on=is_on, by=the_user(request), clock=wiring.clock())
    except WatchlistRefused as refused:
        messages.error(request, f"{row.instrument.tradingsymbol} is still off. {' '.join(refused.problems.values())}")
    return redirect("watchlist")


@login_required
@require_POST
def move(request: HttpRequest, item: int) -> HttpResponse:
    """Move one line up (`to=up`) or down by one place."""
    try:
        watch_order.move(own_client(request), item, "up" if request.POST.get("to") == "up" else "down")
    except WatchItem.DoesNotExist as error:
        raise Http404("no such line") from error
    return redirect(f"{reverse('watchlist')}#line-{item}")


@login_required
@require_POST
def remove(request: HttpRequest, item: int) -> HttpResponse:
    """Take a line off the list; refused while something of it is open."""
    client = own_client(request)
    _own_item(client, item)
    try:
        key = watchlist.remove(client, item, by=the_user(request), clock=wiring.clock())
    except RiskDenied as denied:
        messages.error(request, f"Not removed: {denied}.")
    else:
        messages.success(request, f"{key} is off the list.")
    return redirect("watchlist")


def _own_item(client: Client, item: int) -> WatchItem:
    try:
        return watchlist.own_item(client, item)
    except WatchItem.DoesNotExist as error:
        raise Http404("no such line") from error


def _own_account(request: HttpRequest, accounts: list[BrokerAccount]) -> BrokerAccount:
    """Give the account that was chosen, else the first; one that is not the client's is a 404."""
    wanted = request.POST.get("account") or request.GET.get("account") or str(accounts[0].pk)
    chosen = next((account for account in accounts if str(account.pk) == wanted), None)
    if chosen is None:
        raise Http404("no such account")
    return chosen


def _found(client: Client, text: str) -> dict[str, object]:
    """Search, and mark what is on the list; `problem` says why nothing can be found."""
    query = text.strip()[:LONGEST_QUERY]
    hits: list[Instrument] = []
    problem = ""
    try:
        hits = InstrumentIndex(wiring.redis_client(), BrokerName.KITE.value).search(query) if query else []
    except IndexMissing:
        morning.ask_for_index()
        problem = "The list of instruments is not there yet. It was asked for just now: try again in a few seconds."
    except redis.RedisError:
        problem = "The search does not answer. Orders and stops are not touched by this; try again in a minute."
    watched = {item.instrument.key for item in client.watch_items.select_related("instrument")}
    return {"query": query, "hits": hits, "problem": problem, "watched": watched}


def _show_problems(form: WatchForm, refused: WatchlistRefused) -> None:
    for name, problem in refused.problems.items():
        form.add_error(name if name in form.fields else None, problem)


def _when_it_holds(row: WatchItem) -> str:
    is_open = row.instrument.key in open_instruments(row.account, ist_day(market_now(wiring.clock())))
    return "The open position keeps the ladder it was entered with." if is_open else "It holds from the next tick."

"""The frame of every page: theme, pages to go to, and the bar that never scrolls away."""

import logging
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse

from trading.domain.control import TradingState
from trading.domain.timezone import ist_day
from trading.models import Client, User
from trading.services import glance, people, wiring
from trading.services.views import house, positions
from trading.services.views.alarms import AlarmBar, alarm_bar

logger = logging.getLogger(__name__)

THEMES = ("dark", "light")
UNKNOWN = "UNKNOWN"
"""In place of a state that cannot be judged; the kill switch works then too."""


@dataclass(frozen=True, slots=True)
class Link:
    """One place to go. `key` follows `g` on the keyboard, `icon` and `short` are for the phone's bar."""

    label: str
    url: str
    key: str = ""
    icon: str = ""
    short: str = ""
    is_current: bool = False


@dataclass(frozen=True, slots=True)
class Bar:
    """The values of the bar; None where nothing is known, which is shown as a dash."""

    market_time: datetime | None
    phase: str
    speed_words: str
    feed_age_s: float | None
    feed_kind: str
    pnl_label: str
    pnl_total: Decimal | None
    state: str
    state_reason: str
    state_url: str
    kill_url: str
    kill_label: str
    kill_words: dict[str, str]
    """What the switch says of itself, by state."""

    @property
    def kill_says(self) -> str:
        """Give what the switch says now."""
        return self.kill_words[self.state]


@dataclass(frozen=True, slots=True)
class Frame:
    """What templates know as `frame`."""

    theme: str
    home: str
    is_demo: bool
    is_paper: bool
    can_search: bool = False
    bar: Bar | None = None
    alarms: AlarmBar = field(default_factory=AlarmBar)
    nav: tuple[Link, ...] = ()
    bottom: tuple[Link, ...] = ()
    menu: tuple[Link, ...] = ()

    @property
    def is_live(self) -> bool:
        """True where real money moves."""
        return not self.is_demo and not self.is_paper


CLIENT_PAGES = (
    ("Dashboard", "dashboard", "d", "pnl", "P&L"),
    ("Positions", "positions", "p", "positions", "Positions"),
    ("Orders", "orders", "o", "orders", "Orders"),
    ("Watchlist", "watchlist", "w", "watch", "Watchlist"),
)
OPERATOR_PAGES = (
    ("Clients", "operator", "c", "positions", "Clients"),
    ("Reports", "reports", "r", "pnl", "Reports"),
    ("Reconciliation", "reconciliation", "b", "orders", "Broker"),
    ("Status", "status", "s", "shield", "Status"),
)


def frame(request: HttpRequest) -> dict[str, Any]:
    """Context processor. Never raises: a page without figures is better than no page."""
    cookie = request.COOKIES.get("theme", "")
    theme = cookie if cookie in THEMES else THEMES[0]
    user = getattr(request, "user", None)
    if not isinstance(user, User):
        return {"frame": Frame(theme, reverse("home"), settings.IS_DEMO, settings.IS_PAPER)}
    client = Client.objects.filter(user=user).first()
    pages = OPERATOR_PAGES if client is None else CLIENT_PAGES
    nav = _links(pages, request.path)
    more = Link(
        "More", reverse("settings"), icon="more", short="More", is_current=request.path.startswith("/settings/")
    )
    return {
        "frame": Frame(
            theme=theme,
            home=url_of(people.landing_name(user)) or reverse("settings"),
            is_demo=settings.IS_DEMO,
            is_paper=settings.IS_PAPER,
            can_search=client is not None,
            bar=_bar(user, client) if client is not None or user.is_operator else None,
            alarms=alarm_bar(user, wiring.clock().wall()),
            nav=nav,
            bottom=(*nav, more),
            menu=_menu(client),
        )
    }


def _links(pages: tuple[tuple[str, str, str, str, str], ...], path: str) -> tuple[Link, ...]:
    links = []
    for label, name, key, icon, short in pages:
        url = url_of(name)
        links.append(Link(label, url, key, icon, short, is_current=bool(url) and path.startswith(url)))
    return tuple(link for link in links if link.url)


def url_of(name: str) -> str:
    """Give a page's address, empty when no such page is installed: then nothing links to it."""
    try:
        return reverse(name)
    except NoReverseMatch:
        return ""


def _menu(client: Client | None) -> tuple[Link, ...]:
    links = [
        Link("Settings", reverse("settings")),
        Link("Alarms", url_of("alarms")),
        Link("Day reports", url_of("reports")),
        Link("Reconciliation", url_of("reconciliation")),
        Link("Status", url_of("status")),
    ]
    if client is not None and client.onboarded_at is None:
        links.insert(0, Link("Getting started", reverse("onboarding")))
    if settings.IS_DEMO:
        links += [Link("Demo mail", reverse("demo-mail")), Link("Demo broker users", reverse("demo-brokers"))]
    if settings.IS_PAPER:
        links.append(Link("Paper broker users", reverse("demo-brokers")))
    return tuple(link for link in links if link.url)


def _bar(user: User, client: Client | None) -> Bar:
    try:
        market = glance.market()
    except OSError:
        logger.warning("the bar has no market time: the exchange's control port did not answer")
        market = None
    day = ist_day(market.now) if market else None
    phase = market.phase if market else ""
    age = glance.feed_age_s(market.now) if market else None
    state = None if day is None else glance.shown_state(client, day) if client else glance.house_state(day)
    return Bar(
        market_time=market.now if market else None,
        phase=phase,
        speed_words=market.speed_words if market else "",
        feed_age_s=age,
        feed_kind=glance.feed_kind(age, phase),
        pnl_label="Today" if client else "Today, all clients",
        pnl_total=_total(client, day) if day else None,
        state=state.state.value if state else UNKNOWN,
        state_reason=state.reason if state else "unknown while the market clock is away",
        state_url=url_of("raise-state" if client else "operator"),
        kill_url=url_of("kill" if client else "operator-kill"),
        kill_label="Kill switch" if client else "Stop all",
        kill_words=_kill_words(client),
    )


def _total(client: Client | None, day: date) -> Decimal | None:
    """Give the day's P&L as the desk shows it; None while something open has no price."""
    if client is None:
        total = house.house_pnl(house.figure_rows(day))["total"]
    else:
        total = positions.totals(positions.position_rows(client, day))["total"]
    return None if total is None else Decimal(total)


def _kill_words(client: Client | None) -> dict[str, str]:
    """Say what the next press does; it was chosen beforehand in the settings."""
    does = "as each chose"
    if client is not None:
        does = "squares off" if client.squares_off_on_kill else "leaves positions"
    return {
        UNKNOWN: f"stops, {does}",
        TradingState.ACTIVE.value: f"stops, {does}",
        TradingState.REDUCING.value: f"stopped, {does}",
        TradingState.HALTED.value: "stopped, no entry passes",
    }

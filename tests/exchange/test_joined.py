"""Where the market stops although nothing is traded there."""

from types import SimpleNamespace
from typing import Any

from tests.exchange.fakes import DAY, INFY, SESSIONS, Desk
from trading.domain.timezone import IST
from trading.exchange.joined import JoinedVenue
from trading.exchange.venue.marketclock import moment_of


def test_the_clock_stops_at_the_ends_of_auctions_and_at_the_brokers_square_off() -> None:
    nothing: Any = SimpleNamespace(step_times=[1])
    times = JoinedVenue(nothing, nothing, Desk().venue, nothing).step_times()

    stops = {f"{moment_of(each).astimezone(IST):%H:%M:%S}" for each in times}
    chance = {f"{SESSIONS.entry_ends_at(one):%H:%M:%S}" for one in SESSIONS.auctions(INFY.instrument_class, DAY)}
    assert times == sorted(times)
    assert {"09:12:00", "09:15:00", "15:14:30", "15:20:00", "15:25:00", "15:35:00"} | chance <= stops

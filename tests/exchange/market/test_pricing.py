"""What an option is worth: the model's laws, and the real chain it was fitted to."""

import csv
import gzip
from collections import defaultdict
from math import erf, exp, pi, sqrt
from pathlib import Path
from statistics import median

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trading.exchange.market.wide.pricing import INDEX_LEVEL, at_the_money, option_value, smile, width_of
from trading.exchange.market.wide.term import DAYS_PER_SESSION, SESSION_SHARE

REAL_CHAIN = Path(__file__).parents[4] / "shared" / "data" / "options" / "NIFTY_chain_20250829.csv.gz"
SIDES = ("calls_bid_price", "calls_ask_price", "puts_bid_price", "puts_ask_price")
prices = st.floats(10, 100_000)


def exact(distance: float, width: float) -> float:
    d = distance / width
    return width * (d * 0.5 * (1 + erf(d / sqrt(2))) + exp(-d * d / 2) / sqrt(2 * pi))


@given(forward=prices, moneyness=st.floats(0.7, 1.3), deviation=st.floats(0.001, 0.2))
def test_the_model_obeys_parity_and_never_falls_below_what_is_in_the_money(
    forward: float, moneyness: float, deviation: float
) -> None:
    strike = forward * moneyness
    width = width_of(forward, strike, deviation)

    call, put = option_value(forward - strike, width), option_value(strike - forward, width)

    assert call - put == pytest.approx(forward - strike, abs=1e-6 * forward)
    assert call >= max(0.0, forward - strike) - 1e-6 * width
    assert call == pytest.approx(exact(forward - strike, width), abs=2e-6 * width)


def test_the_smile_is_lowest_near_the_money_and_higher_below_it() -> None:
    assert smile(0) == 1
    assert smile(-4) > smile(4) > smile(1) > 0.95


@pytest.mark.skipif(not REAL_CHAIN.is_file(), reason="the real option chain of ../shared/data/options is absent")
def test_the_model_gives_the_prices_of_the_real_chain() -> None:
    with gzip.open(REAL_CHAIN, "rt") as file:
        rows = list(csv.DictReader(file))
    noon = min(row["snap"] for row in rows if row["snap"][11:13] == "12")
    chains: dict[str, list[dict[str, float]]] = defaultdict(list)
    for row in rows:
        if row["snap"] == noon:
            chains[row["expiry"]].append({name: float(row[name]) for name in ("strike", *SIDES)})
    sessions = {"2025-09-02": 2, "2025-09-09": 7}  # after Friday 2025-08-29

    for expiry, chain in chains.items():
        days = DAYS_PER_SESSION * (SESSION_SHARE * 0.56 + sessions[expiry])
        deviation = at_the_money(INDEX_LEVEL, days) * sqrt(days / 365)
        forward = median(one["strike"] + _gap(one) for one in chain if abs(_gap(one)) < 200)
        errors: list[float] = []
        for one in chain:
            sign, middle = (1, _middle(one, "calls")) if one["strike"] > forward else (-1, _middle(one, "puts"))
            if middle > 3:
                made = option_value(sign * (forward - one["strike"]), width_of(forward, one["strike"], deviation))
                errors.append(abs(made / middle - 1))
        assert len(errors) > 20
        assert median(errors) < 0.15, expiry


def _middle(row: dict[str, float], word: str) -> float:
    return (row[f"{word}_bid_price"] + row[f"{word}_ask_price"]) / 2


def _gap(row: dict[str, float]) -> float:
    return _middle(row, "calls") - _middle(row, "puts")

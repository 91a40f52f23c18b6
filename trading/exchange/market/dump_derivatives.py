"""The dump's rows of futures and options: strikes around the underlying's price, at the day's coming expiries."""

from collections.abc import Callable, Iterator, Sequence
from datetime import date
from typing import Final, NamedTuple

from trading.exchange.market.data.names import WITH_DERIVATIVES
from trading.exchange.market.dump_row import Row
from trading.exchange.market.expiries import monthly, monthly_code, weekly, weekly_code
from trading.exchange.market.hours import Hours
from trading.exchange.market.randomness import number_of

INDEX_OF_UNDERLYING: Final = {
    "NIFTY": "NSE:NIFTY 50", "BANKNIFTY": "NSE:NIFTY BANK", "FINNIFTY": "NSE:NIFTY FIN SERVICE",
    "MIDCPNIFTY": "NSE:NIFTY MID SELECT", "SENSEX": "BSE:SENSEX", "BANKEX": "BSE:BANKEX",
}  # fmt: skip
"""What an index contract stands on, by the name in its row."""
LOTS: Final = {
    "RELIANCE": 500, "INFY": 400, "HDFCBANK": 550, "ICICIBANK": 700, "TATAMOTORS": 800, "SBIN": 750,
    "AXISBANK": 625, "LT": 175,
}  # fmt: skip
"""Units of one lot (series of January 2026)."""
CONTRACT_RUPEES: Final = 750_000
STRIKE_STEPS: Final = ((100, 1.0), (250, 2.5), (500, 5.0), (1000, 10.0), (2000, 20.0), (5000, 50.0), (10_000, 100.0))
LARGEST_STEP: Final = 250.0
USUAL_YIELD: Final = 0.005
"""A month of carry: futures and far strikes centre a little above the spot price."""


class Family(NamedTuple):
    """All contracts on one underlying. `reach` is how many strikes stand on either side of the price."""

    name: str
    price: float
    strike_step: float
    reach: int
    lot_size: int
    future_tick: str
    option_tick: str


INDEX_FAMILIES: Final = (
    Family("NIFTY", 25_900, 50, 45, 65, "0.1", "0.05"),
    Family("BANKNIFTY", 59_200, 100, 65, 30, "0.2", "0.05"),
    Family("FINNIFTY", 27_400, 50, 40, 60, "0.1", "0.05"),
    Family("MIDCPNIFTY", 13_700, 25, 40, 120, "0.05", "0.05"),
)
BSE_FAMILIES: Final = (
    Family("SENSEX", 84_700, 100, 95, 20, "0.05", "0.05"),
    Family("BANKEX", 66_300, 100, 95, 30, "0.05", "0.05"),
)
MCX_FAMILIES: Final = (
    Family("GOLD", 128_000, 100, 240, 1, "1", "0.5"),
    Family("GOLDM", 128_000, 100, 160, 1, "1", "0.5"),
    Family("SILVER", 165_000, 250, 260, 1, "1", "0.5"),
    Family("SILVERM", 165_000, 250, 220, 1, "1", "0.5"),
    Family("CRUDEOIL", 5600, 50, 60, 1, "1", "0.1"),
    Family("CRUDEOILM", 5600, 50, 60, 1, "1", "0.1"),
    Family("NATURALGAS", 390, 5, 50, 1, "0.1", "0.05"),
    Family("NATGASMINI", 390, 5, 50, 1, "0.1", "0.05"),
    Family("COPPER", 1010, 5, 50, 1, "0.05", "0.01"),
    Family("ZINC", 305, 2.5, 40, 1, "0.05", "0.01"),
    Family("ALUMINIUM", 270, 0, 0, 1, "0.05", "0.01"),
    Family("LEAD", 183, 0, 0, 1, "0.05", "0.01"),
)
CDS_FAMILIES: Final = (
    Family("USDINR", 89.0, 0.25, 48, 1000, "0.0025", "0.0025"),
    Family("EURINR", 103.0, 0.25, 44, 1000, "0.0025", "0.0025"),
    Family("GBPINR", 117.5, 0.25, 44, 1000, "0.0025", "0.0025"),
    Family("JPYINR", 57.5, 0.25, 40, 1000, "0.0025", "0.0025"),
)


PriceOf = Callable[[str], float | None]
"""Gives yesterday's close of an underlying in rupees, None when it has none."""


def nfo_rows(day: date, calendar: Hours, price_of: PriceOf) -> Iterator[Row]:
    """Give NSE's derivatives."""
    months, weeks = monthly("NFO", day, 3, calendar), weekly("NFO", day, 5, calendar)
    for own in _priced(INDEX_FAMILIES, price_of):
        yield from _futures(own, months, "NFO")
        yield from _options(own, months, "NFO")
        if own.name == "NIFTY":
            yield from _options(own, [week for week in weeks if week not in months], "NFO", is_weekly=True)
    for symbol in WITH_DERIVATIVES:
        shares = share_family(symbol, price_of(symbol))
        yield from _futures(shares, months, "NFO")
        yield from _options(shares, months[:2], "NFO")
        yield from _options(
            shares._replace(strike_step=shares.strike_step * 2, reach=shares.reach // 2), months[2:], "NFO"
        )


def bfo_rows(day: date, calendar: Hours, price_of: PriceOf) -> Iterator[Row]:
    """Give BSE's index derivatives."""
    months, weeks = monthly("BFO", day, 3, calendar), weekly("BFO", day, 9, calendar)
    families = _priced(BSE_FAMILIES, price_of)
    for family in families:
        yield from _futures(family, months, "BFO")
        yield from _options(family, months, "BFO")
    yield from _options(families[0], [week for week in weeks if week not in months], "BFO", is_weekly=True)


def mcx_rows(day: date, calendar: Hours, price_of: PriceOf) -> Iterator[Row]:
    """Give the commodity exchange."""
    months = monthly("MCX", day, 6, calendar)
    for family in _priced(MCX_FAMILIES, price_of):
        yield from _futures(family, months, "MCX")
        yield from _options(family, months[:4], "MCX")


def cds_rows(day: date, calendar: Hours, price_of: PriceOf) -> Iterator[Row]:
    """Give NSE's currency derivatives."""
    months, weeks = monthly("CDS", day, 9, calendar), weekly("CDS", day, 7, calendar)
    for family in _priced(CDS_FAMILIES, price_of):
        between = [week for week in weeks if week not in months]
        yield from _futures(family, months, "CDS")
        yield from _options(family, months, "CDS")
        yield from _options(family, between, "CDS", is_weekly=True)


def _priced(families: Sequence[Family], price_of: PriceOf) -> list[Family]:
    return [family._replace(price=price_of(family.name) or family.price) for family in families]


def base_price(symbol: str) -> float:
    """Give the rupees around which a share with derivatives trades that we invent the price of."""
    return float(90 * 1.045 ** (number_of("price", symbol) % 100))


def share_family(symbol: str, price: float | None) -> Family:
    """Choose strikes by the price; a lot stays as it is, as at the exchange, which changes it once in months."""
    price = price or base_price(symbol)
    step = next((each for bound, each in STRIKE_STEPS if price < bound), LARGEST_STEP)
    lot_size = LOTS.get(symbol) or max(1, round(CONTRACT_RUPEES / base_price(symbol) / 25)) * 25
    return Family(symbol, price, step, 19, lot_size, "0.1" if price > 1000 else "0.05", "0.05")


def _futures(family: Family, expiries: Sequence[date], exchange: str) -> Iterator[Row]:
    for expiry in expiries:
        symbol = f"{family.name}{monthly_code(expiry)}FUT"
        yield Row(
            symbol, family.name, expiry.isoformat(), "0", family.future_tick, family.lot_size, "FUT", f"{exchange}-FUT"
        )


def _options(family: Family, expiries: Sequence[date], exchange: str, *, is_weekly: bool = False) -> Iterator[Row]:
    if not family.reach:
        return
    middle = round(family.price * (1 + USUAL_YIELD) / family.strike_step)
    places = range(max(1, middle - family.reach), middle + family.reach + 1)
    strikes = [
        f"{place * family.strike_step:g}" if family.price < 100_000 else str(int(place * family.strike_step))
        for place in places
    ]
    tail = (family.option_tick, family.lot_size)
    segment = f"{exchange}-OPT"
    for expiry in expiries:
        stem = f"{family.name}{weekly_code(expiry) if is_weekly else monthly_code(expiry)}"
        stamp = expiry.isoformat()
        for strike in strikes:
            yield Row(f"{stem}{strike}CE", family.name, stamp, strike, *tail, "CE", segment)
            yield Row(f"{stem}{strike}PE", family.name, stamp, strike, *tail, "PE", segment)

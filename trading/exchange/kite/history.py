"""Requests for historical candles. Source: protocol notes, section 3.3 (intervals and the longest span of each)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from trading.domain.timezone import IST
from trading.exchange.kite.calling import as_token
from trading.exchange.market.candles import Candle
from trading.exchange.venue.prices import Market
from trading.exchange.venue.refusals import Refusal

LONGEST_SPAN_DAYS: Mapping[str, int] = {
    "minute": 60,
    "3minute": 100,
    "5minute": 100,
    "10minute": 100,
    "15minute": 200,
    "30minute": 200,
    "60minute": 400,
    "day": 2000,
}
_FORMATS = ("%Y-%m-%d %H:%M:%S", "%Y-%m-%d", "%Y-%m-%dT%H:%M:%S%z", "%Y-%m-%d %H:%M:%S%z")


@dataclass(frozen=True, slots=True)
class CandleRequest:
    """A checked request; the moments are aware IST."""

    token: int
    interval: str
    start: datetime
    end: datetime
    with_oi: bool


def parse_request(path: Mapping[str, str], query: Mapping[str, str]) -> CandleRequest:
    """Check interval, dates and span. Raises Refusal."""
    interval = path["interval"]
    longest = LONGEST_SPAN_DAYS.get(interval)
    if longest is None:
        raise Refusal("invalid interval")
    token = as_token(path["token"])
    if not token:
        raise Refusal("invalid token")
    start, end = _moment(query.get("from", ""), "from"), _moment(query.get("to", ""), "to")
    if len(query.get("to", "")) == 10:
        end += timedelta(days=1, seconds=-1)
    if end < start:
        raise Refusal("invalid date range: `from` is after `to`")
    if end.date() - start.date() > timedelta(days=longest):
        raise Refusal(f"interval exceeds max limit: {longest} days")
    return CandleRequest(token, interval, start, end, query.get("oi", "0") == "1")


def _moment(text: str, field: str) -> datetime:
    for form in _FORMATS:
        try:
            moment = datetime.strptime(text, form)  # noqa: DTZ007 - made aware in the next line
        except ValueError:
            continue
        return moment.replace(tzinfo=IST) if moment.tzinfo is None else moment.astimezone(IST)
    raise Refusal(f"invalid {field} date")


def candle_row(candle: Candle, interest: int | None) -> list[Any]:
    """Give one candle as Kite's list: time, open, high, low, close, volume, and open interest unless it is None."""
    at, open_, high, low, close, volume = candle
    row = [at.strftime("%Y-%m-%dT%H:%M:%S%z"), float(open_), float(high), float(low), float(close), volume]
    return row if interest is None else [*row, interest]


def candle_rows(market: Market, asked: CandleRequest, now_ms: int) -> list[list[Any]]:
    """Give all candles of a request as known at `now_ms`. May be called in any thread."""
    candles = market.candles(asked.token, asked.start, asked.end, asked.interval, now_ms)
    interests = (market.open_interest(asked.token, one[0], now_ms) if asked.with_oi else None for one in candles)
    return [candle_row(one, interest) for one, interest in zip(candles, interests, strict=True)]

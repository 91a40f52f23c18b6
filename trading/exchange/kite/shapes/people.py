"""Who is logged in: profile and session."""

from hashlib import sha256
from typing import Any

from trading.exchange.venue.access import Session
from trading.exchange.venue.marketclock import stamp
from trading.exchange.venue.users import User

EXCHANGES = ["NSE", "BSE", "NFO", "BFO", "CDS", "MCX"]
PRODUCTS = ["CNC", "NRML", "MIS"]
ORDER_TYPES = ["MARKET", "LIMIT", "SL", "SL-M"]


def profile(user: User) -> dict[str, Any]:
    """Shape of GET /user/profile."""
    return {
        "user_id": user.user_id,
        "user_type": "individual",
        "email": user.email,
        "user_name": user.name,
        "user_shortname": user.shortname,
        "broker": "ZERODHA",
        "exchanges": EXCHANGES,
        "products": PRODUCTS,
        "order_types": ORDER_TYPES,
        "avatar_url": None,
        "meta": {"demat_consent": "physical"},
    }


def session(user: User, login: Session) -> dict[str, Any]:
    """Shape of POST /session/token."""
    return profile(user) | {
        "api_key": login.api_key,
        "access_token": login.access_token,
        "public_token": sha256(login.access_token.encode()).hexdigest()[:32],
        "enctoken": "",
        "refresh_token": "",
        "silo": "",
        "login_time": stamp(login.login_ms),
    }

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


def full_profile(user: User) -> dict[str, Any]:
    """Shape of GET /user/profile/full. Bank, demat account and PAN are made up and masked as the broker masks them."""
    return {
        "user_id": user.user_id,
        "twofa_type": "totp",
        "user_name": user.name,
        "user_type": "individual",
        "email": user.email,
        "phone": f"*{user.app_id:04d}",
        "broker": "ZERODHA",
        "bank_accounts": [{"name": "DEMO BANK", "branch": "", "account": f"*{user.app_id:04d}"}],
        "dp_ids": [f"{user.app_id:016d}"],
        "products": PRODUCTS,
        "order_types": ORDER_TYPES,
        "exchanges": EXCHANGES,
        "pan": "*xxxD",
        "user_shortname": user.shortname,
        "avatar_url": None,
        "tags": [],
        "password_timestamp": "1970-01-01 00:00:00",
        "twofa_timestamp": "1970-01-01 00:00:00",
        "meta": {"poa": "physical", "silo": "", "account_blocks": []},
    }


def session(user: User, login: Session) -> dict[str, Any]:
    """Shape of POST /session/token."""
    return profile(user) | {
        "avatar_url": "",
        "api_key": login.api_key,
        "access_token": login.access_token,
        "public_token": sha256(login.access_token.encode()).hexdigest()[:32],
        "enctoken": "",
        "refresh_token": "",
        "silo": "",
        "login_time": stamp(login.login_ms),
    }

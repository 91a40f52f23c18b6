"""The broker and feed faults F01 to F35 by their number: what each is, and the rules that make it. Pure.

A preset's account, instrument and time go into all its rules, anything else that is asked for into the first one.
"""

from dataclasses import dataclass
from typing import Any, Final

Rules = tuple[dict[str, Any], ...]

PLACE: Final = {"method": "POST", "path": "/orders"}
LOST_LINK: Final = "Gateway error"
EMPTY_POSITIONS: Final = '{"status":"success","data":{"net":[],"day":[]}}'
NO_FUNDS: Final = "Insufficient funds. Required margin is 125000.00 but available margin is 1000.00."
NO_IP: Final = (
    "IP ({ip}) is not allowed to place orders for this app. Update allowed IPs on the Kite developer console."
)
TOO_MANY_MODIFICATIONS: Final = "Maximum allowed order modifications exceeded."


@dataclass(frozen=True, slots=True)
class Preset:
    """One named fault. `needs` are the fields without which it cannot be set."""

    title: str
    says: str
    rules: Rules
    mode: str = "together"
    needs: tuple[str, ...] = ()


def _lost(phase: str) -> Rules:
    return ({"match": PLACE, "phase": phase, "action": "drop", "seconds": 30, "n": 1},)


def _gateway(status: int, error_type: str) -> dict[str, Any]:
    said = {"status": status, "error_type": error_type, "message": LOST_LINK}
    return {"match": PLACE, "phase": "after_accept", "action": "status", "n": 1, **said}


def _refused_ip(method: str) -> dict[str, Any]:
    match = {"method": method, "path": "/orders", "not_from": "127.0.0.2"}
    return {"match": match, "action": "status", "status": 403, "error_type": "PermissionException", "message": NO_IP}


def _messages(method: str) -> Rules:
    match = {"method": method}
    return (
        {"match": match, "action": "drop", "prob": 0.5},
        {"match": match, "action": "dup", "times": 5, "prob": 0.5},
        {"match": match, "action": "shuffle", "seconds": 2},
    )


PRESETS: Final[dict[str, Preset]] = {
    "F01": Preset(
        "Feed gap",
        "every ticker socket is cut, and new ones are refused for 60 s",
        (
            {"action": "close"},
            {"match": {"method": "CONNECT"}, "action": "status", "status": 502, "for_s": 60},
        ),
    ),
    "F02": Preset(
        "Connected but stale",
        "heartbeats and no ticks; a subscription is answered by yesterday's last tick",
        ({"match": {"method": "TICK"}, "action": "drop"}, {"action": "stale"}),
    ),
    "F03": Preset(
        "Duplicate ticks",
        "three frames in ten come twice",
        ({"match": {"method": "TICK"}, "action": "dup", "prob": 0.3},),
    ),
    "F04": Preset(
        "Ticks out of order",
        "every frame is late by its own part of 2 s",
        ({"match": {"method": "TICK"}, "action": "shuffle", "seconds": 2},),
    ),
    "F05": Preset(
        "Absurd prices",
        "every tenth frame has the next of 40 absurd last prices",
        ({"match": {"method": "TICK"}, "action": "price", "kind": "list", "every": 10},),
    ),
    "F06": Preset(
        "Wrong instruments after a refresh",
        "the CSV has one wrong field (kind: truncated, yesterday, token, lot_size, tick_size, expiry)",
        ({"match": {"path": "^/instruments(/[A-Z]+)?$"}, "action": "csv", "kind": "lot_size"},),
    ),
    "F07": Preset(
        "Socket and REST disagree",
        "ticks are 1 % above what REST says (factor)",
        ({"match": {"method": "TICK"}, "action": "price", "kind": "factor", "factor": 1.01},),
    ),
    "F08": Preset(
        "Reconnect loop",
        "every socket is cut each 3 s, and a fourth socket evicts the first",
        ({"action": "close", "every_s": 3}, {"action": "evict"}),
    ),
    "F09": Preset(
        "Burst of ticks",
        "each of the next 10 frames comes 2,000 times at once, prices a step up and down",
        ({"action": "burst", "times": 2000, "n": 10},),
    ),
    "F10": Preset(
        "Impersonated feed",
        "REST and ticker once more behind TLS with a self-signed certificate, at the addresses that the answer names",
        ({"action": "impostor"},),
    ),
    "F11": Preset(
        "Timeout, order accepted",
        "the next order is taken, its answer never comes; the line is cut after 30 s",
        _lost("after_accept"),
    ),
    "F12": Preset(
        "Timeout, order not accepted",
        "the next order reaches nobody; the line is cut after 30 s",
        _lost("before_accept"),
    ),
    "F13": Preset(
        "400, and accepted all the same",
        'the next order is answered by 400 "Order request timed out" and taken 8 s later',
        (
            {
                "match": PLACE,
                "action": "status",
                "status": 400,
                "error_type": "InputException",
                "n": 1,
                "message": "Order request timed out",
                "accept_after_s": 8,
            },
        ),
    ),
    "F14": Preset(
        "Gateway errors",
        "six orders in turn are taken and answered by 500, 502, 503, 504, a reset in mid-body, an empty body",
        (
            _gateway(500, "GeneralException"),
            _gateway(502, "NetworkException"),
            _gateway(503, "NetworkException"),
            _gateway(504, "NetworkException"),
            {"match": PLACE, "phase": "reply", "action": "rst", "n": 1},
            {"match": PLACE, "phase": "reply", "action": "body", "body": "", "n": 1},
        ),
        mode="sequence",
    ),
    "F15": Preset(
        "429",
        "every order is refused with 429 for 30 s",
        ({"match": PLACE, "action": "status", "status": 429, "message": "Too many requests", "for_s": 30},),
    ),
    "F16": Preset(
        "Order id, later REJECTED",
        "the next order gets its id and is rejected by the broker's risk desk 2 s later",
        ({"action": "reject", "seconds": 2, "n": 1, "message": "RMS:Blocked for the scrip, square off only"},),
    ),
    "F17": Preset(
        "Order invisible in the book",
        "the order book is 90 s late",
        ({"match": {"method": "READ", "path": "orders"}, "action": "lag", "seconds": 90},),
    ),
    "F18": Preset(
        "Partial fill, then nothing",
        "37 % of the next order fill, the rest rests",
        ({"action": "fill", "schedule": [37, 0], "n": 1},),
    ),
    "F19": Preset(
        "Exit rejected",
        "the next 3 orders that close something are rejected for their price (n)",
        (
            {
                "match": {"is_exit": True},
                "action": "reject",
                "n": 3,
                "message": "The exchange rejected the order: price is out of the current execution range",
            },
        ),
    ),
    "F20": Preset(
        "Insufficient margin",
        "the next order is rejected for its margin (after 1: the second leg)",
        ({"match": {"is_exit": False}, "action": "reject", "n": 1, "message": NO_FUNDS},),
    ),
    "F21": Preset(
        "A slice fails",
        "the second child of the next autosliced order fails, the others go on",
        ({"match": {"method": "SLICE"}, "action": "reject", "after": 1, "n": 1, "message": NO_FUNDS},),
    ),
    "F22": Preset(
        "Circuit locked",
        "the instrument stands at its lower circuit and nobody buys (kind upper: nobody sells)",
        ({"action": "lock", "kind": "lower"},),
        needs=("instrument",),
    ),
    "F23": Preset(
        "Protected market order rests",
        "the next order fills nothing at once, then the price runs 3 % away",
        ({"action": "fill", "schedule": [0, 100], "n": 1}, {"action": "jump", "percent": 3}),
        mode="sequence",
        needs=("instrument",),
    ),
    "F24": Preset(
        "Cancel and fill race",
        "the next cancelled order fills instead; the one after is CANCELLED and fills 60 s later",
        (
            {"match": {"method": "CANCEL"}, "action": "fill", "n": 1},
            {"action": "resurrect", "seconds": 60, "n": 1},
        ),
        mode="sequence",
    ),
    "F25": Preset(
        "26th modification",
        "the cap of 25 is always there; this refuses modifications by its words from now on (after)",
        (
            {
                "match": {"method": "PUT", "path": "/orders"},
                "action": "status",
                "status": 400,
                "error_type": "InputException",
                "message": TOO_MANY_MODIFICATIONS,
            },
        ),
    ),
    "F26": Preset(
        "Order messages lost, doubled, shuffled, forged",
        "half are lost, of the rest half come 5 times, the others in another order; one postback in four is forged",
        (*_messages("UPDATE"), {"action": "forge", "prob": 0.25}, *_messages("POSTBACK")),
    ),
    "F27": Preset(
        "OPEN PENDING for hours",
        "the next order stays OPEN PENDING and answers nothing, until the day ends or `thaw`",
        ({"action": "freeze", "n": 1},),
    ),
    "F28": Preset(
        "Reads disagree",
        "positions are [] once, then 20 s late; trades 10 s late, orders as they are",
        (
            {
                "match": {"method": "GET", "path": "/portfolio/positions"},
                "phase": "reply",
                "action": "body",
                "body": EMPTY_POSITIONS,
                "n": 1,
            },
            {"match": {"method": "READ", "path": "positions"}, "action": "lag", "seconds": 20},
            {"match": {"method": "READ", "path": "trades"}, "action": "lag", "seconds": 10},
        ),
    ),
    "F29": Preset(
        "Client trades by hand",
        "a market order in the broker's app (kind close: what is open in it)",
        ({"action": "trade"},),
        needs=("user_id", "instrument"),
    ),
    "F30": Preset(
        "The broker squares off meanwhile",
        "just before the next order is taken, the risk desk closes the account's open MIS positions",
        ({"match": PLACE, "phase": "before_accept", "action": "square_off", "n": 1},),
    ),
    "F31": Preset(
        "Token invalid, ticks go on",
        "every token of the account is dead: 403 on all calls, the open sockets stay",
        ({"action": "invalidate"},),
    ),
    "F32": Preset(
        "Request from an unregistered IP",
        "orders are refused unless they come from not_from (127.0.0.2)",
        tuple(_refused_ip(method) for method in ("POST", "PUT", "DELETE")),
    ),
    "F33": Preset(
        "Bodies that cannot be read",
        "one answer in three is HTML, cut, empty, or has a new word, a huge number, a missing field (kind)",
        ({"match": {"path": "^/(orders|trades|portfolio|user|quote)"}, "action": "fuzz", "prob": 0.34},),
    ),
    "F34": Preset(
        "Broker down",
        "from 15:08 to 15:22 every call is reset, every socket is cut, nothing is sent",
        tuple(
            {"at": {"from": "15:08:00", "until": "15:22:00"}, **rule}
            for rule in (
                {"action": "rst"},
                {"action": "close"},
                {"match": {"method": "CONNECT"}, "action": "status", "status": 503},
                {"match": {"method": "POSTBACK"}, "action": "drop"},
            )
        ),
    ),
    "F35": Preset(
        "Stop orders vanish",
        "at 15:15 the exchange cancels every stop that rests",
        ({"action": "cancel_stops", "at": "15:15:00"},),
    ),
}


def sheet() -> list[dict[str, Any]]:
    """List the presets in words, for people who choose one."""
    return [
        {
            "preset": word,
            "title": one.title,
            "says": one.says,
            "needs": list(one.needs),
            "mode": one.mode,
            "rules": list(one.rules),
        }
        for word, one in PRESETS.items()
    ]

"""What a fault can strike, what can be done to it there, and which fields that takes. Pure.

A place is a request's method, or one of the words below. Requests and messages are struck when they come; an order when
it reaches the exchange; a deed on the clock happens by itself, at once or at its market time.
"""

from typing import Final

ANY_REQUEST: Final = ""
REQUESTS: Final = ("GET", "POST", "PUT", "DELETE")
UPDATE: Final = "UPDATE"
"""An order message of the ticker socket."""
TICK: Final = "TICK"
"""A binary frame of the ticker socket."""
SNAPSHOT: Final = "SNAPSHOT"
"""The quotes that answer a subscription."""
CONNECT: Final = "CONNECT"
"""The upgrade of a ticker socket."""
POSTBACK: Final = "POSTBACK"
ORDER: Final = "ORDER"
"""An order on its way from the broker to the exchange's book."""
CANCEL: Final = "CANCEL"
"""A cancellation on that way."""
SLICE: Final = "SLICE"
"""One child of an autosliced order."""
READ: Final = "READ"
"""What the broker's screens show; `path` is orders, trades or positions."""
BOOK: Final = "BOOK"
"""One instrument's market."""
CLOCK: Final = "CLOCK"
"""Nothing: the deed happens by itself."""

DEEDS: Final = ("close", "trade", "square_off", "invalidate", "cancel_stops", "thaw")
IMPOSTOR: Final = "impostor"
MESSAGE_ACTIONS: Final = ("delay", "drop", "dup", "reorder", "shuffle")
_ON_REQUESTS: Final = ("delay", "drop", "rst", "status", "body", "fuzz", "csv", "price", *DEEDS)

ACTIONS_AT: Final[dict[str, tuple[str, ...]]] = {
    ANY_REQUEST: _ON_REQUESTS,
    **dict.fromkeys(REQUESTS, _ON_REQUESTS),
    UPDATE: MESSAGE_ACTIONS,
    POSTBACK: (*MESSAGE_ACTIONS, "forge"),
    TICK: (*MESSAGE_ACTIONS, "burst", "price"),
    SNAPSHOT: ("drop", "stale"),
    CONNECT: ("delay", "status", "evict"),
    ORDER: ("reject", "freeze", "fill"),
    CANCEL: ("fill", "resurrect"),
    SLICE: ("reject",),
    READ: ("lag",),
    BOOK: ("lock", "jump"),
    CLOCK: (*DEEDS, IMPOSTOR),
}
ACTIONS: Final = tuple(dict.fromkeys(action for actions in ACTIONS_AT.values() for action in actions))
PLACES: Final = tuple(place for place in ACTIONS_AT if place)

_USUAL_PLACE: Final = {
    **dict.fromkeys(("dup", "reorder", "shuffle"), UPDATE),
    **dict.fromkeys(("reject", "freeze", "fill"), ORDER),
    **dict.fromkeys((*DEEDS, IMPOSTOR), CLOCK),
    **{"burst": TICK, "stale": SNAPSHOT, "evict": CONNECT, "forge": POSTBACK, "resurrect": CANCEL, "lag": READ},
    **dict.fromkeys(("lock", "jump"), BOOK),
}
FIELDS_OF: Final[dict[str, tuple[str, ...]]] = {
    "dup": ("times",),
    "burst": ("times",),
    "fuzz": ("kind",),
    "csv": ("kind",),
    "price": ("kind", "factor", "value"),
    "stale": ("age_s",),
    "fill": ("schedule",),
    "lock": ("kind",),
    "jump": ("percent",),
    "trade": ("kind", "side", "quantity", "product"),
}
"""Fields that only some actions take."""

KINDS_OF: Final[dict[str, tuple[str, ...]]] = {
    "fuzz": ("any", "html", "truncated", "empty", "new_enum", "huge_number", "missing_field", "wrong_type"),
    "csv": ("truncated", "yesterday", "token", "lot_size", "tick_size", "expiry"),
    "price": ("factor", "value", "list"),
    "lock": ("upper", "lower"),
    "trade": ("order", "close"),
}
"""What `kind` may be; the first one when it is not said."""

MATCHED_AT: Final[dict[str, tuple[str, ...]]] = {
    "method": tuple(ACTIONS_AT),
    "path": (ANY_REQUEST, *REQUESTS, READ),
    "user_id": tuple(place for place in ACTIONS_AT if place != BOOK),
    "api_key": (ANY_REQUEST, *REQUESTS, UPDATE, TICK, SNAPSHOT, CONNECT, POSTBACK, ORDER, CANCEL, SLICE),
    "not_from": (ANY_REQUEST, *REQUESTS, CONNECT),
    "instrument": (TICK, SNAPSHOT, ORDER, CANCEL, SLICE, BOOK, CLOCK, ANY_REQUEST, *REQUESTS),
    "side": (ORDER, CANCEL, SLICE),
    "tag": (ORDER, CANCEL, SLICE),
    "is_exit": (ORDER,),
}
"""Where each key of `match` means something."""
_WITH_INSTRUMENT: Final = ("price", "csv", "trade", "square_off", "cancel_stops")
"""The actions on requests and on the clock that an instrument means something to."""


def takes(place: str, action: str, key: str) -> bool:
    """Say whether a key of `match` means something for this action at this place."""
    if place not in MATCHED_AT[key]:
        return False
    is_free = place in (ANY_REQUEST, *REQUESTS, CLOCK)
    return key != "instrument" or not is_free or action in _WITH_INSTRUMENT


def place_of(method: str, action: str) -> str:
    """Give the place that a rule is about, from the method that it names (or not) and its action."""
    return method or _USUAL_PLACE.get(action, ANY_REQUEST)

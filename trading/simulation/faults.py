"""The faults of the model by their numbers: how a simulated day is given each, and which no such day can have.

What a broker or its feed does is said by rules of the exchange's own control port, most of them its presets.
"""

from collections.abc import Callable, Mapping
from random import Random
from typing import Any, NamedTuple

from trading.exchange.faults.presets import PRESETS
from trading.simulation.troubles import ENDGAME, STEPS, Trouble, once, rules, span, step, window

Draw = Callable[[str, Random], tuple[Trouble, ...]]


class Fault(NamedTuple):
    """One fault that a day can have."""

    title: str
    draw: Draw
    share: float = 0.11
    """How often it is there on a day: about five faults at once."""
    stream: str = "there"
    """Names its chance. A fault that came later has one that leaves days which somebody knows by their seed alone."""


MOSTLY = 0.75
"""What strikes orders has few of them to strike: it is there all day so often."""


def _preset(**more: tuple[Any, ...]) -> Draw:
    """Take the exchange's preset inside a window; of each further field one of its values goes into every rule."""

    def draw(number: str, rng: Random) -> tuple[Trouble, ...]:
        chosen = {name: rng.choice(values) for name, values in more.items()}
        at = window(rng, whole=MOSTLY)
        made = []
        for rule in PRESETS[number].rules:
            kept = {name: value for name, value in rule.items() if not ("prob" in chosen and name == "n")}
            made.append({**kept, "at": at, **{name: value for name, value in chosen.items() if name != "prob"},
                         **({"prob": chosen["prob"]} if "prob" in chosen else {})})  # fmt: skip
        return rules(number, *made)

    return draw


def _rules(make: Callable[[Random], tuple[Mapping[str, Any], ...]]) -> Draw:
    return lambda number, rng: rules(number, *make(rng))


def _feed_gap(rng: Random) -> tuple[Mapping[str, Any], ...]:
    return ({"match": {"method": "TICK"}, "action": "drop", "at": window(rng)},)


def _stale(rng: Random) -> tuple[Mapping[str, Any], ...]:
    age = rng.choice((60.0, 86_400.0))
    return ({"match": {"method": "TICK"}, "action": "drop", "at": window(rng)}, {"action": "stale", "age_s": age},
            {"action": "close", "at": window(rng)})  # fmt: skip


def _absurd(rng: Random) -> tuple[Mapping[str, Any], ...]:
    every = rng.choice((3, 10, 30))
    return ({"match": {"method": "TICK"}, "action": "price", "kind": "list", "every": every, "at": window(rng)},)


def _lag(rng: Random) -> tuple[Mapping[str, Any], ...]:
    seconds = rng.choice((1.0, 5.0, 8.0, 8.0, 30.0, 83.0))
    screens = rng.choice((("orders",), ("orders", "trades", "positions")))
    at = window(rng)
    return tuple(
        {"match": {"method": "READ", "path": screen}, "action": "lag", "seconds": seconds, "at": at}
        for screen in screens
    )


def _lost_in_lag(rng: Random) -> tuple[Mapping[str, Any], ...]:
    """Let the answers be lost too, so that the book is what the engine has to go by."""
    lost = {"match": {"method": "POST", "path": "/orders"}, "phase": "after_accept", "action": "drop", "seconds": 30,
            "prob": 0.3, "at": window(rng, whole=MOSTLY)}  # fmt: skip
    return (*_lag(rng), lost)


def _fills(rng: Random) -> tuple[Mapping[str, Any], ...]:
    schedule = rng.choice(([37, 0], [0, 50], [20, 20, 20], [0, 0, 0, 100], [37, 0, 0, 0, 0, 0]))
    return (
        {"action": "fill", "schedule": schedule, "prob": rng.choice((0.2, 0.6, 1.0)), "at": window(rng, whole=MOSTLY)},
    )


def _refused_exits(rng: Random) -> tuple[Mapping[str, Any], ...]:
    rule = dict(PRESETS["F19"].rules[0])
    return (
        rule | {"n": rng.choice((1, 2, 4, 8, 1000)), "at": window(rng, whole=MOSTLY), "seconds": rng.choice((0, 2))},
    )


def _no_margin(rng: Random) -> tuple[Mapping[str, Any], ...]:
    return (dict(PRESETS["F20"].rules[0]) | {"n": rng.choice((1, 4)), "after": rng.choice((0, 1, 2))},)


def _locked(rng: Random) -> tuple[Mapping[str, Any], ...]:
    match = {"instrument": rng.choice(("NSE:GILLETTE", "NSE:INFY"))}
    return ({"match": match, "action": "lock", "kind": rng.choice(("lower", "upper")), "at": window(rng)},)


def _runs_away(rng: Random) -> tuple[Mapping[str, Any], ...]:
    match = {"instrument": rng.choice(("NSE:GILLETTE", "NSE:INFY"))}
    return (
        {"action": "fill", "schedule": [0, 100], "prob": 0.5, "at": window(rng)},
        {"match": match, "action": "jump", "percent": rng.choice((-3, 3, 6)), "at": window(rng)},
    )


def _cancel_races(rng: Random) -> tuple[Mapping[str, Any], ...]:
    lost = {"match": {"method": "DELETE"}, "phase": rng.choice(("before_accept", "after_accept")), "action": "drop",
            "seconds": 30, "prob": rng.choice((0.2, 0.6))}  # fmt: skip
    resting = {"action": "fill", "schedule": [37, 0, 0, 0, 0, 0], "prob": 0.6}
    wins = rng.choice((
        {"match": {"method": "CANCEL"}, "action": "fill", "prob": 0.6},
        {"match": {"method": "CANCEL"}, "action": "fill", "schedule": [50], "prob": 0.6},
        {"action": "resurrect", "seconds": rng.choice((2, 60)), "prob": 0.5},
    ))  # fmt: skip
    return lost, resting, wins


def _refused_slice(rng: Random) -> tuple[Mapping[str, Any], ...]:
    """Take most slices, and refuse one: the others go on."""
    refused = {"match": {"method": "POST", "path": "/orders"}, "phase": "before_accept", "action": "status",
               "status": 400, "error_type": "InputException", "message": "Slice refused."}  # fmt: skip
    return (refused | {"n": rng.choice((1, 2)), "after": rng.randrange(1, 12)},)


def _no_more_changes(rng: Random) -> tuple[Mapping[str, Any], ...]:
    """Let exits rest, so that they are changed, and refuse changes by the words of the cap after so many."""
    capped = dict(PRESETS["F25"].rules[0]) | {"after": rng.choice((0, 1, 3))}
    return {"action": "fill", "schedule": [0, 0, 0, 100], "prob": 0.7}, capped


def _silenced(number: str, rng: Random) -> tuple[Trouble, ...]:
    """Let exits be refused, so that there is something to tell."""
    start = rng.choice((0, 0, step(rng)))
    refused = {"rules": [dict(PRESETS["F19"].rules[0]) | {"n": 8, "after": rng.randrange(3)}]}
    silent = {"from": start, "until": start + rng.choice((40, STEPS))}
    return Trouble(number, "channels", silent), Trouble(number, "rules", refused)


def _frozen(rng: Random) -> tuple[Mapping[str, Any], ...]:
    return ({"action": "freeze", "n": rng.choice((1, 2)), "after": rng.randrange(6)},)


def _reads_disagree(rng: Random) -> tuple[Mapping[str, Any], ...]:
    at, (empty, positions, trades) = window(rng), PRESETS["F28"].rules
    nothing = {"phase": "reply", "action": "body", "body": '{"status":"success","data":[]}'}
    return (
        dict(empty) | {"n": None, "prob": rng.choice((0.05, 0.3)), "at": at},
        {"match": {"method": "GET", "path": rng.choice(("^/orders$", "^/trades$"))}, **nothing, "prob": 0.05, "at": at},
        dict(positions) | {"at": at},
        dict(trades) | {"at": at},
    )


def _by_hand(rng: Random) -> tuple[Mapping[str, Any], ...]:
    return tuple(
        {
            "match": {"user_id": rng.choice(("AB1001", "AB1002")),
                      "instrument": rng.choice(("NSE:GILLETTE", "NSE:INFY"))},
            "action": "trade",
            **rng.choice(({"kind": "close"}, {"side": rng.choice(("BUY", "SELL")), "quantity": rng.choice((5, 40))})),
            "at": _moment(rng),
        }
        for _ in range(rng.choice((1, 3)))
    )  # fmt: skip


def _rms(rng: Random) -> tuple[Mapping[str, Any], ...]:
    return (dict(PRESETS["F30"].rules[0]) | {"n": rng.choice((1, 2)), "after": rng.randrange(8)},)


def _dead_token(number: str, rng: Random) -> tuple[Trouble, ...]:
    user = rng.choice(("AB1001", "AB1002"))
    at = step(rng)
    return (Trouble(number, "dead_token", {"at": at, "user": user, "until": at + rng.choice((2, 10, 60))}),)


def _fuzzed(rng: Random) -> tuple[Mapping[str, Any], ...]:
    return (dict(PRESETS["F33"].rules[0]) | {"prob": rng.choice((0.05, 0.34)), "at": window(rng)},)


def _down(rng: Random) -> tuple[Mapping[str, Any], ...]:
    at = rng.choice(({"from": "15:08:00", "until": "15:22:00"}, window(rng)))
    return (
        {"action": "rst", "at": at},
        {"action": "close", "at": {"from": at["from"], "until": at["until"]}},
        {"match": {"method": "UPDATE"}, "action": "drop", "at": at},
    )


def _slow_wire(rng: Random) -> tuple[Mapping[str, Any], ...]:
    at = window(rng)
    match = {"path": "^/(orders|trades|portfolio)"}
    phase = rng.choice(("before_accept", "after_accept"))
    return (
        {"match": match, "action": "drop", "phase": phase, "seconds": 30, "prob": 0.3, "at": at},
        {"match": match, "action": "delay", "phase": "before_accept", "seconds": 2, "prob": 0.5, "at": at},
    )


def _moment(rng: Random) -> str:
    minute = 9 * 60 + 20 + rng.randrange(354)
    return f"{minute // 60:02d}:{minute % 60:02d}:{rng.randrange(60):02d}"


def _crash(*calls: str, after: tuple[bool, ...], times: tuple[int, ...] = (1, 1, 2)) -> Draw:
    def draw(number: str, rng: Random) -> tuple[Trouble, ...]:
        return tuple(
            one
            for _ in range(rng.choice(times))
            for one in once(
                number, "crash", rng, call=rng.choice(calls), nth=rng.randint(1, 4), after=rng.choice(after)
            )
        )

    return draw


def _span(what: str, **values: tuple[Any, ...]) -> Draw:
    return lambda number, rng: span(number, what, rng, **{name: rng.choice(of) for name, of in values.items()})


def _once(what: str, times: tuple[int, ...] = (1,), **values: tuple[Any, ...]) -> Draw:
    def draw(number: str, rng: Random) -> tuple[Trouble, ...]:
        return once(number, what, rng, rng.choice(times), **{name: rng.choice(of) for name, of in values.items()})

    return draw


def _file_while_down(number: str, rng: Random) -> tuple[Trouble, ...]:
    at = step(rng)
    names = ("house", "client:1", "client:2", "account:kite:AB1001")
    touched = {"at": at, "name": rng.choice(names), "text": rng.choice(("", "leave")), "armed": rng.random() < 0.3}
    away = {"from": at - rng.choice((0, 3)), "until": at + rng.choice((3, 20)), "how": "down"}
    return Trouble(number, "kill_file", touched), Trouble(number, "store", away)


def _at_square_off(what: str, **values: tuple[Any, ...]) -> Draw:
    def draw(number: str, rng: Random) -> tuple[Trouble, ...]:
        chosen = {name: rng.choice(of) for name, of in values.items()}
        start = rng.randrange(ENDGAME, STEPS - 20)
        return (
            Trouble(number, what, {"at": start, "from": start, "until": start + rng.choice((6, 12, 40)), **chosen}),
        )

    return draw


FAULTS: dict[str, Fault] = {
    "F01": Fault("no tick comes", _rules(_feed_gap)),
    "F02": Fault("connected but stale, an old tick on subscribing", _rules(_stale)),
    "F03": Fault("ticks come twice", _preset(prob=(0.3,))),
    "F04": Fault("ticks out of order", _preset(seconds=(2,))),
    "F05": Fault("absurd prices", _rules(_absurd)),
    "F07": Fault("socket and REST disagree", _preset(factor=(1.01, 0.99))),
    "F08": Fault("sockets are cut again and again",
                 _rules(lambda rng: ({"action": "close", "every_s": 3, "at": window(rng)},))),
    "F11": Fault("timeout, order accepted", _preset(prob=(0.1, 0.4, 1.0))),
    "F12": Fault("timeout, order not accepted", _preset(prob=(0.1, 0.4))),
    "F13": Fault("400, and accepted 8 s later", _preset(prob=(0.1, 0.4))),
    "F14": Fault("gateway errors, resets, empty bodies", _preset(prob=(0.1, 0.4))),
    "F15": Fault("429", _preset(for_s=(5, 30))),
    "F16": Fault("an id, later REJECTED", _preset(prob=(0.1, 0.4))),
    "F17": Fault("the order is not in the book for a while", _rules(_lost_in_lag)),
    "F18": Fault("partial fills", _rules(_fills)),
    "F19": Fault("exits are rejected", _rules(_refused_exits)),
    "F20": Fault("no margin for an entry", _rules(_no_margin)),
    "F21": Fault("above the freeze quantity: slices, one refused", _rules(_refused_slice), 0.08, "sliced"),
    "F22": Fault("locked at the circuit", _rules(_locked)),
    "F23": Fault("a protected market order rests, the price runs away", _rules(_runs_away)),
    "F24": Fault("cancels race with fills", _rules(_cancel_races)),
    "F25": Fault("no more changes of an order are taken", _rules(_no_more_changes), 0.08),
    "F26": Fault("order messages lost, doubled, shuffled", _preset(prob=(0.1, 0.5))),
    "F27": Fault("OPEN PENDING for hours", _rules(_frozen)),
    "F28": Fault("reads disagree or come back empty", _rules(_reads_disagree)),
    "F29": Fault("the client trades by hand", _rules(_by_hand)),
    "F30": Fault("the broker squares off meanwhile", _rules(_rms)),
    "F31": Fault("token void, ticks go on", _dead_token),
    "F32": Fault("address not allowed", _preset()),
    "F33": Fault("bodies that cannot be read", _rules(_fuzzed)),
    "F34": Fault("broker down", _rules(_down)),
    "F35": Fault("resting stops vanish at 15:15", _preset()),
    "F40": Fault("database slow, locked, or silent after a commit", _span("store", how=("slow", "locked", "unsure"))),
    "F41": Fault("database down", _span("store", how=("down",))),
    "F42": Fault("disk full: nothing can be written", _span("store", how=("full",))),
    "F43": Fault("dies between intent and send", _crash("create_intent", "claim", after=(True,))),
    "F44": Fault("dies between send and answer", _crash("place", after=(False, True))),
    "F45": Fault("dies before the answer is committed",
                 _crash("resolve", "save_order", "save_trades", "", after=(False, True), times=(1, 2, 4))),
    "F46": Fault("two engines; one stopped and continued",
                 _once("freeze", for_s=(6.0, 40.0), second=(True,), may_kill=(True, True, False))),
    "F47": Fault("the process stands still for a while", _once("freeze", (1, 2), for_s=(2.5, 20.0), second=(False,))),
    "F50": Fault("two Beats ask for the square-off", _at_square_off("commands", copies=(1, 2, 3))),
    "F54": Fault("one account's adapter raises what nobody expects", _span("poison", user=("AB1001", "AB1002"))),
    "F55": Fault("slow and lossy network", _rules(_slow_wire)),
    "F56": Fault("power cut, back after 90 s", _once("crash", call=("",), nth=(1,), after=(True,), back_s=(90.0,))),
    "F57": Fault("critical alarms reach nobody", _silenced, 0.08, "unheard"),
    "F58": Fault("the wall clock steps", _once("wall_clock", (1, 2), by_s=(-300, -3, 3, 300)), 0.08),
    "F60": Fault("a day that the calendar does not know", lambda number, rng: (Trouble(number, "unknown_day", {}),),
                 0.03),
    "F65": Fault("a plan a hundred times too big", _once("config", factor=(100,))),
    "F66": Fault("kill switch, also between an entry's gate and its claim",
                 _once("kill", (1, 2), who=(1, 2, None, "kite:AB1001"), leave=(None, False, True),
                       armed=(False, True))),
    "F67": Fault("kill by a file while the database is away", _file_while_down),
    "F68": Fault("account switched off with open positions", _once("disable", user=("AB1001", "AB1002"))),
}  # fmt: skip
"""What a day can have. Each takes its chance from its own number."""

NOT_HERE: dict[str, str] = {
    "F06": "the instrument file is read by the web's task, before the engine has a day",
    "F09": "how fast 20,000 ticks a second are is measured by benches, not by virtual time",
    "F10": "no TLS takes part",
    "F36": "no Redis takes part, with F37, F38 and F39: the pages are silent on every day",
    "F48": "no Celery takes part, with F51, F52 and F53; F49 is every day: only engine and standby have timers",
    "F59": "the machine's zone is read by no clock of a day; market time carries its zone",
    "F61": "no fault but every day: one share has a closing auction, and its square-off is due before it",
    "F62": "no fault but the days that expire: a future beside shares, each with its own deadline",
    "F63": "a day ends with its night",
    "F64": "one build, one schema version: nothing of another one can be started, with F69",
    "F70": "no database file, so nothing to restore",
}

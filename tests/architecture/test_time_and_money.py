"""Only the clock reads the time, and money never passes through a binary float."""

import ast
from collections.abc import Iterator

import pytest

from tests.architecture.source import Module, is_within, modules

CLOCK_READS = {
    "datetime.now",
    "datetime.utcnow",
    "datetime.today",
    "date.today",
    "timezone.now",
    "timezone.localtime",
    "timezone.localdate",
    "time.time",
    "time.time_ns",
    "time.monotonic",
    "time.monotonic_ns",
    "time.perf_counter",
    "time.localtime",
    "time.gmtime",
}
MAY_READ_THE_TIME: dict[tuple[str, str], str] = {
    ("trading.clock", "*"): "the one reader of the time",
    ("trading.models", "timezone.now"): "default of audit columns: real time, never a trading decision",
    ("trading.stores.leases", "timezone.now"): "audit column of the lease; holders are judged by the counter",
    ("trading.web.access", "time.time"): "the sign-in library stamps its records with time.time()",
    ("trading.stack.guard", "time.monotonic"): "runs beside the supervisor in a process of its own, wire time only",
}
MAY_USE_FLOAT: dict[str, str] = {}
"""Modules of domain and engine that may call float(), each with its reason."""


def clock_reads(module: Module) -> Iterator[tuple[str, str]]:
    """Give (name, place) of every mention of a clock: `time.time`, `datetime.now`, also when imported by name."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Attribute):
            owner = node.value
            last = owner.attr if isinstance(owner, ast.Attribute) else getattr(owner, "id", "")
            name = f"{last}.{node.attr}"
            if name in CLOCK_READS:
                yield name, f"{module.path}:{node.lineno}"
        elif isinstance(node, ast.ImportFrom) and node.module in ("time", "django.utils.timezone"):
            for alias in node.names:
                name = f"{node.module.split('.')[-1]}.{alias.name}"
                if name in CLOCK_READS:
                    yield name, f"{module.path}:{node.lineno}"


def may_read(module: Module, name: str) -> bool:
    """Say whether a module is on the list for this clock."""
    return any(is_within(module.name, who) and what in ("*", name) for who, what in MAY_READ_THE_TIME)


def float_calls(module: Module) -> Iterator[str]:
    """Give the place of every `float(...)` but `float("inf")` and its like."""
    for node in ast.walk(module.tree):
        is_call = isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "float"
        if is_call and isinstance(node, ast.Call) and not (node.args and _is_infinity(node.args[0])):
            yield f"{module.path}:{node.lineno}"


def _is_infinity(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and str(node.value).lstrip("+-") == "inf"


@pytest.mark.proves("I23")
def test_nothing_but_the_clock_reads_the_time() -> None:
    found = [
        f"{place} reads {name}"
        for module in modules()
        for name, place in clock_reads(module)
        if not may_read(module, name)
    ]

    assert found == []


@pytest.mark.proves("I11")
def test_money_of_domain_and_engine_never_becomes_a_float() -> None:
    found = [
        place
        for module in modules()
        if (is_within(module.name, "trading.domain") or is_within(module.name, "trading.engine"))
        and module.name not in MAY_USE_FLOAT
        for place in float_calls(module)
    ]

    assert found == []


def test_no_permission_to_read_the_time_outlives_its_use() -> None:
    used = {
        (who, what)
        for module in modules()
        for name, _ in clock_reads(module)
        for who, what in MAY_READ_THE_TIME
        if is_within(module.name, who) and what in ("*", name)
    }

    assert used == set(MAY_READ_THE_TIME)


@pytest.mark.parametrize(
    "line",
    [
        "x = datetime.now(UTC)",
        "x = datetime.datetime.now()",
        "x = datetime.utcnow()",
        "x = date.today()",
        "x = timezone.now",
        "from django.utils.timezone import now",
        "x = time.time()",
        "x = time.monotonic()",
        "from time import monotonic",
    ],
)
def test_every_way_to_read_a_clock_is_seen(line: str) -> None:
    planted = Module("trading.engine.planted", "planted", ast.parse(line), is_package=False)

    assert list(clock_reads(planted))


def test_a_float_call_is_seen_and_infinity_is_none() -> None:
    planted = Module("trading.engine.planted", "planted", ast.parse("float(price)\nfloat('-inf')"), is_package=False)

    assert list(float_calls(planted)) == ["planted:1"]

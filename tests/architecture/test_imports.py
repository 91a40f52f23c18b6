"""Imports point one way (docs/architecture.md): domain <- ports <- brokers, market data, engine; models <- stores
<- services <- tasks, web, management. The simulated exchange sees the domain only."""

import ast
import sys
from pathlib import Path

import pytest

from tests.architecture.source import ROOT, Import, Module, imports_of, is_within, modules

DOMAIN, PORTS, CLOCK = "trading.domain", "trading.ports", "trading.clock"
MODELS, STORES, SERVICES = "trading.models", "trading.stores", "trading.services"
MARKETDATA, ENGINE, BROKERS, EXCHANGE = "trading.marketdata", "trading.engine", "trading.brokers", "trading.exchange"
SIMULATION = "trading.simulation"
FACES = (DOMAIN, PORTS, CLOCK, MARKETDATA, MODELS, STORES, SERVICES)

LAYERS: dict[str, tuple[str, ...]] = {
    # package: what it may see besides itself. The longest matching name counts.
    DOMAIN: (),
    PORTS: (DOMAIN,),
    CLOCK: (DOMAIN, PORTS),
    BROKERS: (DOMAIN, PORTS),
    f"{BROKERS}.kite": (DOMAIN, PORTS),
    f"{BROKERS}.smartapi": (DOMAIN, PORTS),
    MARKETDATA: (DOMAIN, PORTS),
    ENGINE: (DOMAIN, PORTS),
    EXCHANGE: (DOMAIN,),
    # One process holds engine, Kite's parser and exchange here, and the memory store: nothing of the product sees it.
    SIMULATION: (DOMAIN, PORTS, ENGINE, BROKERS, EXCHANGE),
    MODELS: (DOMAIN,),
    STORES: (DOMAIN, PORTS, MODELS),
    SERVICES: (DOMAIN, PORTS, CLOCK, MARKETDATA, MODELS, STORES),
    f"{SERVICES}.wiring": (*FACES, ENGINE, BROKERS),  # the one place that joins engine, broker and store
    "trading.tasks": FACES,
    "trading.beat": FACES,
    "trading.api": FACES,
    "trading.web": FACES,
    "trading.templatetags": (*FACES, "trading.web"),
    "trading.stack": FACES,
    "trading.management": (*FACES, "trading.stack", "trading.tasks", "trading.web"),
    "trading.checks": FACES,
    "trading.apps": (MODELS, SERVICES, "trading.checks"),
}

EXCEPTIONS: dict[tuple[str, str], str] = {
    ("trading.management.commands.simulate", SIMULATION): "the command is the simulated days' own front door",
    ("trading.management.commands.run_exchange", EXCHANGE): "the command is the exchange's own front door",
    (
        "trading.management.commands.exchange_year",
        EXCHANGE,
    ): "tells what a year of the exchange holds; nothing of it runs",
    (
        "trading.stack.run",
        f"{EXCHANGE}.state",
    ): "reads and empties the state file of the exchange it starts",
    (f"{SERVICES}.background", "trading.tasks"): "queues a task by name, inside the function: tasks import services",
}


def layer_of(name: str) -> str | None:
    """Give the longest layer name that a module lies in."""
    return max((layer for layer in LAYERS if is_within(name, layer)), key=len, default=None)


def breaks_the_rule(module: str, imported: Import) -> bool:
    """Say whether a module may not see what it imports."""
    target = imported.target
    if not is_within(target, "trading") or target == "trading":
        return False
    layer = layer_of(module)
    if layer is None:
        return True
    if is_within(target, layer) or layer_of(target) == layer:
        return False
    if any(module == name and is_within(target, allowed) for name, allowed in EXCEPTIONS):
        return False
    # A broker sees what all brokers share, not another broker.
    if is_within(layer, BROKERS) and layer_of(target) == BROKERS:
        return False
    return not any(is_within(target, allowed) for allowed in LAYERS[layer])


def test_every_import_points_down_the_house() -> None:
    broken = [
        f"{imported.place} imports {imported.target}"
        for module in modules()
        for imported in imports_of(module)
        if breaks_the_rule(module.name, imported)
    ]

    assert broken == []


def test_every_package_has_its_place_in_the_house() -> None:
    homeless = [module.path for module in modules() if module.name != "trading" and layer_of(module.name) is None]

    assert homeless == []


@pytest.mark.parametrize(
    ("module", "target"),
    [
        ("trading.domain.ladder", "trading.ports.Clock"),
        ("trading.brokers.kite.client", "trading.brokers.smartapi.client"),
        ("trading.brokers.kite.client", "trading.engine.gate"),
        ("trading.marketdata.bus", "trading.brokers.kite.ticker"),
        ("trading.engine.gate", "trading.stores.intents"),
        ("trading.engine.gate", "trading.models"),
        ("trading.exchange.venue.venue", "trading.ports.Broker"),
        ("trading.models.orders", "trading.stores.intents"),
        ("trading.stores.engine", "trading.services.control"),
        ("trading.services.people", "trading.engine.gate"),
        ("trading.services.people", "trading.brokers.kite.client"),
        ("trading.services.people", "trading.web.views"),
        ("trading.web.views", "trading.engine.gate"),
        ("trading.management.commands.run_strategy", "trading.exchange.server"),
        ("trading.newpackage.thing", "trading.domain.money"),
    ],
)
def test_the_rule_refuses_what_points_up_or_sideways(module: str, target: str) -> None:
    assert breaks_the_rule(module, Import(target, "planted"))


@pytest.mark.parametrize(
    ("module", "target"),
    [
        ("trading.services.wiring", "trading.engine.engine"),
        ("trading.services.wiring", "trading.brokers.kite.client"),
        ("trading.engine.gate", "trading.domain.risk"),
        ("trading.brokers.kite.client", "trading.brokers.outcomes"),
        ("trading.web.views", "trading.services.control"),
        ("trading.management.commands.run_exchange", "trading.exchange.server"),
        ("trading.exchange.kite.face", "trading.exchange.venue.Venue"),
        ("trading.models.orders", "django.db.models"),
    ],
)
def test_the_rule_lets_pass_what_points_down(module: str, target: str) -> None:
    assert not breaks_the_rule(module, Import(target, "planted"))


def test_the_domain_uses_the_standard_library_only() -> None:
    foreign = [
        f"{imported.place} imports {imported.target}"
        for module in modules()
        if is_within(module.name, DOMAIN)
        for imported in imports_of(module)
        if not is_within(imported.target, DOMAIN) and imported.target.split(".")[0] not in sys.stdlib_module_names
    ]

    assert foreign == []


def test_no_exception_outlives_its_reason() -> None:
    used = {
        (module.name, allowed)
        for module in modules()
        for imported in imports_of(module)
        for name, allowed in EXCEPTIONS
        if module.name == name and is_within(imported.target, allowed)
    }

    assert set(EXCEPTIONS) == used


def test_imports_inside_functions_and_relative_ones_are_seen() -> None:
    tree = ast.parse("def f():\n    from ..engine import gate\n    import trading.stores.engine as e\n")
    module = Module("trading.domain.ladder", "trading/domain/ladder.py", tree, is_package=False)

    assert [imported.target for imported in imports_of(module)] == ["trading.engine.gate", "trading.stores.engine"]


def test_the_whole_package_is_read() -> None:
    names = {module.name for module in modules()}

    assert {"trading.domain.ladder", "trading.ports", "trading.models"} <= names
    assert len(names) == sum(
        1 for file in (ROOT / "trading").rglob("*.py") if "migrations" not in Path(file).relative_to(ROOT).parts
    )

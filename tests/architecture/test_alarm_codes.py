"""Every alarm that is raised anywhere has a row in the table: severity, whom it is for, and words."""

import ast
from collections.abc import Iterator

from tests.architecture.source import ROOT, Module, modules
from trading.domain.alarms import TEST_CODE, alarm_kinds
from trading.domain.errors import ExitAlreadyLive, IllegalTransition, StoreUnavailable, TradingError
from trading.services.alarms.watch import PARTS

RAISERS = {"alarm", "_alarm", "raise_alarm", "directly", "tell", "record"}
"""Names of the functions that take an alarm's code. `record` only as `alarms.record`."""
PASSED_ON: dict[tuple[str, str], tuple[str, ...]] = {
    # (module, expression): what it can be. A code that is no literal must be listed here, with its values.
    ("trading.engine.gateway", "code"): (
        *(error.code for error in (StoreUnavailable, ExitAlreadyLive, IllegalTransition, TradingError)),
        "INTENT_NOT_STORED",
    ),
    ("trading.engine.sending", "claim.denied"): ("NOT_NEW", "STORE_UNAVAILABLE"),
    ("trading.services.alarms.trial", "TEST_CODE"): (TEST_CODE,),
    ("trading.services.alarms.watch", "rule.code"): tuple(rule.code for rule in PARTS.values()),
    ("trading.engine.by_journal", "denial.code"): ("BROKER_UNREADABLE", "JOURNAL_UNAVAILABLE", "ACCOUNT_LOCKED"),
    ("trading.stores.notices", "code"): ("KILL_PRESSED", "KILL_CARRIED_OUT", "TRADING_RAISED"),
    ("trading.engine.plans", "code"): ("ACCOUNT_FAILED", "PLAN_FAILED"),
}
HANDS_ON = {
    "trading.engine.tools",
    "trading.engine.journal",
    "trading.engine.desk",
    "trading.engine.line_orders",
    "trading.stores.engine",
    "trading.services.alarms.threads",
    "trading.services.alarms.direct",
    "trading.simulation.referee.bench",
}
"""Modules whose own `alarm` methods hand a code on as the argument `code`."""


def codes_of(module: Module) -> Iterator[tuple[str, str]]:
    """Give (code, place) of every alarm raised in a module; for what cannot be told the call in backquotes."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Call) and _raises_an_alarm(node):
            for code in _codes_in(node, module):
                yield code, f"{module.path}:{node.lineno}"


def _raises_an_alarm(call: ast.Call) -> bool:
    if not isinstance(call.func, ast.Attribute) or call.func.attr not in RAISERS or len(call.args) < 2:
        return False
    return call.func.attr != "record" or ast.unparse(call.func.value) == "alarms"


def _codes_in(call: ast.Call, module: Module) -> tuple[str, ...]:
    """Give what may stand for the code among the first two arguments, the places where every raiser has it."""
    said = [argument.value for argument in call.args[:2] if isinstance(argument, ast.Constant)]
    literals = tuple(word for word in said if isinstance(word, str) and word.isupper())
    if literals:
        return literals
    words = [ast.unparse(argument) for argument in call.args[:2]]
    if ("code" in words or "its.code" in words) and module.name in HANDS_ON:
        return ()
    known = next((PASSED_ON[module.name, word] for word in words if (module.name, word) in PASSED_ON), None)
    return known or (f"`{ast.unparse(call)}`",)


def test_every_alarm_that_is_raised_has_a_row_in_the_table() -> None:
    found = {code: place for module in modules() for code, place in codes_of(module)}

    assert {code: place for code, place in found.items() if code not in alarm_kinds()} == {}
    assert len(found) > 25, "the search found too few alarms: has the way of raising them changed?"


def test_the_search_sees_a_code_without_a_row_and_one_that_is_no_literal() -> None:
    source = (
        'tools.alarm(None, "NO_SUCH_CODE", "text")\ntools.alarm(None, words[0], "text")\nself._alarm("OTHER", "t", "")'
    )

    found = [
        code for code, _ in codes_of(Module("trading.engine.made", "made.py", ast.parse(source), is_package=False))
    ]

    assert found == ["NO_SUCH_CODE", "`tools.alarm(None, words[0], 'text')`", "OTHER"]


def test_the_operators_paper_names_every_alarm_with_its_words() -> None:
    paper = (ROOT / "docs" / "alarms.md").read_text(encoding="utf-8")

    missing = [
        code
        for code, kind in alarm_kinds().items()
        if f"| `{code}` | {kind.title} | {kind.means} | {kind.do} |" not in paper
    ]
    assert missing == [], "write their rows into docs/alarms.md (scripts/alarms_table.py prints them)"

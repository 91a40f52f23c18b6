"""Database work leaves its thread's connection behind nowhere: PostgreSQL's pool would run dry."""

import ast
from collections.abc import Iterator

from tests.architecture.source import Module, modules

LAYERS = ("trading.services", "trading.tasks", "trading.beat", "trading.web", "trading.management")
ASYNC_QUERIES = ("aget", "afirst", "alast", "acount", "aexists", "acreate", "aupdate", "adelete", "asave", "aiterator")
NO_DATABASE = {
    "trading.services.wiring": "ends the database threads",
    "trading.management.commands.run_ticker": "ends the database thread",
}


def left_behind(module: Module) -> Iterator[str]:
    """Find what runs on a thread that keeps its connection: asyncio.to_thread, and the async half of the ORM."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Attribute) and node.attr in ("to_thread", "run_in_executor", *ASYNC_QUERIES):
            yield f"{module.path}:{node.lineno} {node.attr}"
        elif (
            isinstance(node, ast.AsyncFor | ast.comprehension) and getattr(node, "is_async", True) and _asks(node.iter)
        ):
            yield f"{module.path}:{node.iter.lineno} async for"


def _asks(rows: ast.expr) -> bool:
    return any(isinstance(part, ast.Attribute) and part.attr == "objects" for part in ast.walk(rows))


def test_services_and_faces_work_on_the_database_by_in_thread_only() -> None:
    judged = [one for one in modules() if one.name.startswith(LAYERS) and one.name not in NO_DATABASE]

    assert [place for module in judged for place in left_behind(module)] == []


def test_the_rule_sees_what_it_forbids() -> None:
    source = """
async def f():
    await asyncio.to_thread(work)
    await Row.objects.filter(a=1).aexists()
    [row async for row in Row.objects.all()]
    async for row in Row.objects.all(): pass
    [row for row in Row.objects.all()]
"""
    module = Module("trading.services.x", "x.py", ast.parse(source), is_package=False)

    assert sorted(left_behind(module)) == [
        "x.py:3 to_thread",
        "x.py:4 aexists",
        "x.py:5 async for",
        "x.py:6 async for",
    ]

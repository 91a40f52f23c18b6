"""Reads the product's source as syntax trees, so that the rules below need no import of what they judge."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Module:
    """One source file: dotted name, path relative to the repository, syntax tree."""

    name: str
    path: str
    tree: ast.Module
    is_package: bool


@dataclass(frozen=True)
class Import:
    """One imported module and where."""

    target: str
    place: str


@cache
def modules() -> tuple[Module, ...]:
    """Give every module of the `trading` package but the migrations, which Django writes."""
    files = sorted((ROOT / "trading").rglob("*.py"))
    return tuple(read(file.relative_to(ROOT)) for file in files if "migrations" not in file.parts)


def read(path: Path) -> Module:
    """Parse one file, given relative to the repository."""
    parts = path.with_suffix("").parts
    is_package = parts[-1] == "__init__"
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"), str(path))
    return Module(".".join(parts[:-1] if is_package else parts), path.as_posix(), tree, is_package)


def imports_of(module: Module) -> Iterator[Import]:
    """Give every import of a module, also those inside functions, with relative ones resolved."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Import(alias.name, f"{module.path}:{node.lineno}")
        elif isinstance(node, ast.ImportFrom):
            base = _base(module, node)
            for alias in node.names:
                yield Import(f"{base}.{alias.name}" if base else alias.name, f"{module.path}:{node.lineno}")


def _base(module: Module, node: ast.ImportFrom) -> str:
    if node.level == 0:
        return node.module or ""
    parts = module.name.split(".")
    kept = parts[: len(parts) - node.level + module.is_package]
    return ".".join([*kept, node.module] if node.module else kept)


def is_within(name: str, package: str) -> bool:
    """Say whether a dotted name is a package or lies in it."""
    return name == package or name.startswith(f"{package}.")

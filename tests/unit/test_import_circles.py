"""No file of the package imports another in a circle, whether at its top or inside a function."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

import ropewalk

PACKAGE = Path(ropewalk.__file__).parent


def name_of(file: Path) -> str:
    parts = file.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {name_of(file): file for file in PACKAGE.rglob("*.py")}


def statements(nodes: list[ast.stmt]) -> Iterator[ast.stmt]:
    """Yield all statements of a file that can run: those for type checkers alone are left out."""
    for node in nodes:
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            yield from statements(node.orelse)
            continue
        yield node
        for block in ("body", "orelse", "finalbody"):
            yield from statements(getattr(node, block, []))
        for handler in getattr(node, "handlers", []):
            yield from statements(handler.body)


def imports(tree: ast.Module) -> set[str]:
    """Name the modules of the package that a file imports."""
    found = set()
    for node in statements(tree.body):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0 and node.module is not None
            names = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= names & MODULES.keys() or {node.module}
    return found & MODULES.keys()


def test_imports_in_every_place_are_found() -> None:
    text = """
import ropewalk.errors
from typing import TYPE_CHECKING
if TYPE_CHECKING:
    import ropewalk.text
else:
    import ropewalk.files
def f():
    try:
        from ropewalk import rle
    except ImportError:
        from ropewalk.report import Report
"""
    assert imports(ast.parse(text)) == {f"ropewalk.{name}" for name in ("errors", "files", "rle", "report")}


def test_there_is_no_circle() -> None:
    graph = {name: imports(ast.parse(file.read_text(encoding="utf-8"))) for name, file in MODULES.items()}
    assert len(graph) > 50
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as e:
        pytest.fail(" -> ".join(e.args[1]))

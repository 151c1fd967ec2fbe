"""The stub of the Rust core says what the module has: the same names, and the same parameters and defaults."""

from __future__ import annotations

import ast
import inspect
from pathlib import Path
from types import ModuleType

import pytest

import ropewalk
from ropewalk import _core

STUB = ast.parse((Path(ropewalk.__file__).parent / "_core.pyi").read_text(encoding="utf-8"))


def is_typed_dict(node: ast.stmt) -> bool:
    return isinstance(node, ast.ClassDef) and "TypedDict" in {ast.unparse(base) for base in node.bases}


# Dicts are described by types that exist in the stub alone.
STUBBED = {
    node.name: node
    for node in STUB.body
    if isinstance(node, (ast.ClassDef, ast.FunctionDef)) and not is_typed_dict(node)
}


def parameters_in_stub(function: ast.FunctionDef) -> list[tuple[str, str]]:
    """List names and defaults; `...` stands for a default that the stub does not spell out."""
    assert not function.args.posonlyargs and not function.args.vararg and not function.args.kwarg
    names = [argument.arg for argument in function.args.args]
    defaults = [ast.unparse(default) for default in function.args.defaults]
    positional = list(zip(names, [""] * (len(names) - len(defaults)) + defaults, strict=True))
    keyword_only = [
        (argument.arg, "" if default is None else ast.unparse(default))
        for argument, default in zip(function.args.kwonlyargs, function.args.kw_defaults, strict=True)
    ]
    return [pair for pair in positional if pair[0] not in ("self", "cls")] + keyword_only


def parameters_at_runtime(function: object) -> list[tuple[str, str]]:
    parameters = inspect.signature(function).parameters.values()  # type: ignore[arg-type]
    return [
        (p.name, "" if p.default is inspect.Parameter.empty else "..." if p.default is ... else repr(p.default))
        for p in parameters
        if p.name != "self"
    ]


def same(stub: list[tuple[str, str]], runtime: list[tuple[str, str]]) -> bool:
    """Whether names and defaults agree; a default that either side leaves open (`...`) agrees with any."""
    open_ends = [
        a == b or ("..." in (a, b) and "" not in (a, b)) for (_, a), (_, b) in zip(stub, runtime, strict=False)
    ]
    return [name for name, _ in stub] == [name for name, _ in runtime] and all(open_ends)


def test_the_names_are_the_same() -> None:
    public = {
        name for name, value in vars(_core).items() if not name.startswith("__") and not isinstance(value, ModuleType)
    }
    assert public == set(STUBBED)


@pytest.mark.parametrize("name", [name for name, node in STUBBED.items() if isinstance(node, ast.FunctionDef)])
def test_a_function_takes_the_same(name: str) -> None:
    node = STUBBED[name]
    assert isinstance(node, ast.FunctionDef)
    stub, runtime = parameters_in_stub(node), parameters_at_runtime(getattr(_core, name))
    assert same(stub, runtime), (stub, runtime)


@pytest.mark.parametrize("name", [name for name, node in STUBBED.items() if isinstance(node, ast.ClassDef)])
def test_a_class_has_the_same_members(name: str) -> None:
    node, found = STUBBED[name], getattr(_core, name)
    assert isinstance(node, ast.ClassDef)
    methods = {m.name: m for m in node.body if isinstance(m, ast.FunctionDef)}
    fields = {f.target.id for f in node.body if isinstance(f, ast.AnnAssign) and isinstance(f.target, ast.Name)}
    public = {member for member in vars(found) if not member.startswith("_")}
    assert public == {m for m in methods if not m.startswith("_")} | fields
    for member, function in methods.items():
        assert member == "__init__" or member in vars(found), f"{name}.{member}"
        if member == "__init__":
            stub, runtime = parameters_in_stub(function), parameters_at_runtime(found)
        elif not member.startswith("__"):
            stub, runtime = parameters_in_stub(function), parameters_at_runtime(getattr(found, member))
        else:
            continue
        assert same(stub, runtime), (f"{name}.{member}", stub, runtime)

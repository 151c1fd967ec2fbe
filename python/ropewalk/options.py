"""Options, each declared once for the command line, for Python and for the core.

A family of options is a frozen dataclass that derives from `Options`. Its fields are
`name: Annotated[type, Opt("What it does.", ...)] = default`. The command line makes its parameters of them, a function
of the library checks by them what it is given, and the core gets them as JSON under the same names.

A name is spelt as the caller does: `box_format` in Python, `--box-format` on the command line. The one exception is
`class_`, which is `--class` there: Python keeps `class` for itself.
"""

from __future__ import annotations

import inspect
import math
import operator
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import KW_ONLY, dataclass, fields
from difflib import get_close_matches
from numbers import Real
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, TypeVar, Union, get_args, get_origin

from ropewalk.errors import UsageError
from ropewalk.text import shown

Function = TypeVar("Function", bound=Callable[..., Any])
Family = TypeVar("Family", bound="Options")

_on_command_line: ContextVar[bool] = ContextVar("on_command_line", default=False)

_VALUE_CHARACTERS = 80


@dataclass(frozen=True)
class Opt:
    """What else there is to an option than its type and its default.

    Attributes:
        help: What it does, with its unit.
        panel: Under which heading `--help` lists it; None for the first one.
        common: Whether it is used so often that `--help` lists it under the first heading all the same.
        metavar: What `--help` writes for a value; for a Literal that is its values.
        default_text: What `--help` writes for a default of None, where that stands for a value.
        also: Other names on the command line.
        at_least: Smallest number allowed.
        at_most: Largest number allowed.
        above: Number that is too small, as is everything below.
        must_exist: Whether the value is a file that is read.
        commas: Whether the command line takes several names in one value.
    """

    help: str
    _: KW_ONLY
    panel: str | None = None
    common: bool = False
    metavar: str | None = None
    default_text: str | None = None
    also: tuple[str, ...] = ()
    at_least: float | None = None
    at_most: float | None = None
    above: float | None = None
    must_exist: bool = False
    commas: bool = False


@dataclass(frozen=True)
class Field:
    """An option as it is declared.

    Attributes:
        name: In Python.
        annotation: Type of its value.
        opt: The rest.
        default: Its default.
    """

    name: str
    annotation: Any
    opt: Opt
    default: Any

    @property
    def types(self) -> tuple[Any, ...]:
        """The types that its value may have."""
        is_union = get_origin(self.annotation) in (Union, UnionType)
        return get_args(self.annotation) if is_union else (self.annotation,)

    @property
    def choices(self) -> tuple[str, ...]:
        """The values of a Literal; empty for other types."""
        return next((get_args(kind) for kind in self.types if get_origin(kind) is Literal), ())


@dataclass(frozen=True, kw_only=True)
class Options:
    """A family of options; making one checks its values.

    Raises:
        UsageError: A value is of the wrong type, is not one of those allowed, or is out of bounds.
    """

    def __post_init__(self) -> None:
        check(self)


_fields: dict[type, dict[str, Field]] = {}


def fields_of(family: type[Options]) -> dict[str, Field]:
    """List the options of a family by name: its own, then those of the families that it is made of, in their order."""
    if family in _fields:
        return _fields[family]
    # dataclasses have them the other way round.
    defaults = {field.name: field.default for field in fields(family)}
    found = {}
    for name, hint in inspect.get_annotations(family, eval_str=True).items():
        annotation, opt = get_args(hint)
        found[name] = Field(name, annotation, opt, defaults[name])
    for base in family.__bases__:
        if issubclass(base, Options):
            found = found | {name: field for name, field in fields_of(base).items() if name not in found}
    return _fields.setdefault(family, found)


def check(options: Options) -> None:
    """Check the values of options, and bring paths, names and numbers into the types that the fields declare.

    Raises:
        UsageError: A value does not fit; names the option, the value and what was expected.
    """
    for name, field in fields_of(type(options)).items():
        object.__setattr__(options, name, _checked(field, getattr(options, name)))


def made(family: type[Family], given: Mapping[str, Any]) -> Family:
    """Make options of what a caller gave by name.

    Raises:
        UsageError: There is no such option, or a value does not fit.
    """
    known = fields_of(family)
    for name in given:
        if name not in known:
            near = get_close_matches(name, known, n=1)
            raise UsageError(f"unknown option {spelt(name)}{f'; did you mean {spelt(near[0])}?' if near else ''}")
    return family(**given)


def given_of(options: Options, family: type[Options]) -> dict[str, Any]:
    """List the options of a family whose value is not their default."""
    values = {field.name: (field.default, getattr(options, field.name)) for field in fields_of(family).values()}
    return {name: value for name, (default, value) in values.items() if value != default}


def spelt(name: str) -> str:
    """Spell an option's name as the caller does."""
    return "--" + name.rstrip("_").replace("_", "-") if _on_command_line.get() else name


@contextmanager
def on_command_line() -> Iterator[None]:
    """Spell options in messages as the command line does, for as long as the context lasts."""
    token = _on_command_line.set(True)
    try:
        yield
    finally:
        _on_command_line.reset(token)


def takes(family: type[Options]) -> Callable[[Function], Function]:
    """Show the options of a family in the signature of a function that takes them as `**options`.

    Type checkers read the `TypedDict` of the function; `help` and notebooks read this signature.
    """

    def decorate(function: Function) -> Function:
        signature = inspect.signature(function)
        own = [p for p in signature.parameters.values() if p.kind is not inspect.Parameter.VAR_KEYWORD]
        more = [
            inspect.Parameter(
                field.name, inspect.Parameter.KEYWORD_ONLY, default=field.default, annotation=field.annotation
            )
            for field in fields_of(family).values()
        ]
        function.__signature__ = signature.replace(parameters=[*own, *more])  # type: ignore[attr-defined]
        return function

    return decorate


_UNFIT = object()


def _checked(field: Field, value: Any) -> Any:
    for kind in field.types:
        fitted = _fitted(kind, value, field.opt)
        if fitted is not _UNFIT:
            break
    else:
        found = shown(repr(value), _VALUE_CHARACTERS)
        raise UsageError(f"{spelt(field.name)} is {found}; expected {_expected(field)}")
    if field.opt.must_exist and isinstance(fitted, Path) and not fitted.is_file():
        raise UsageError(f"{spelt(field.name)} {shown(str(fitted))}: no such file")
    return fitted


def _fitted(kind: Any, value: Any, opt: Opt) -> Any:
    if get_origin(kind) is Literal:
        return value if isinstance(value, str) and value in get_args(kind) else _UNFIT
    if kind is int:
        return operator.index(value) if _is_whole(value) and _within(value, opt) else _UNFIT
    if kind is float:
        is_number = isinstance(value, Real) and not isinstance(value, bool)
        return float(value) if is_number and _within(value, opt) else _UNFIT
    if kind is Path:
        return Path(value) if isinstance(value, (str, os.PathLike)) else _UNFIT
    if get_origin(kind) is tuple:
        return _names(value)
    return value if isinstance(value, get_origin(kind) or kind) else _UNFIT


def _is_whole(value: Any) -> bool:
    return hasattr(value, "__index__") and not isinstance(value, bool)


def _within(value: Any, opt: Opt) -> bool:
    return (
        math.isfinite(value)
        and (opt.at_least is None or value >= opt.at_least)
        and (opt.at_most is None or value <= opt.at_most)
        and (opt.above is None or value > opt.above)
    )


def _names(value: Any) -> Any:
    # One name is easily given without a list; a str would be read as its letters.
    if isinstance(value, str):
        return (value,)
    if not isinstance(value, Iterable) or isinstance(value, Mapping):
        return _UNFIT
    names = tuple(value)
    # An empty list chooses as much as none does.
    return (names or None) if all(isinstance(name, str) for name in names) else _UNFIT


def _expected(field: Field) -> str:
    return " or ".join(_described(kind, field.opt) for kind in field.types if kind is not NoneType)


def _described(kind: Any, opt: Opt) -> str:
    if get_origin(kind) is Literal:
        return f"one of {', '.join(get_args(kind))}"
    if kind in (int, float):
        return ("a whole number" if kind is int else "a number") + _bounds(opt)
    if get_origin(kind) is tuple:
        return "a list of names"
    return {bool: "True or False", str: "text", Path: "a path", Mapping: "a dict"}[get_origin(kind) or kind]


def _bounds(opt: Opt) -> str:
    if opt.at_least is not None and opt.at_most is not None:
        return f" from {opt.at_least} to {opt.at_most}"
    if opt.at_least is not None:
        return f" of at least {opt.at_least}"
    return "" if opt.above is None else f" above {opt.above}"

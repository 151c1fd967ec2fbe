"""The program: commands in groups with examples, what all of them take, and the settings of a folder."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from contextlib import ExitStack
from typing import Annotated, Any, TypeVar

import typer
from typer.core import TyperGroup

from ropewalk.cli import console
from ropewalk.cli.guidance import EXAMPLES, EXIT_CODES, GROUPS
from ropewalk.cli.settings import defaults_of_folder

Function = TypeVar("Function", bound=Callable[..., Any])

_ALL = "All commands"


class Commands(TyperGroup):
    """The commands, with the options of `ropewalk.toml` as their defaults."""

    def make_context(self, info_name: str | None, args: list[str], parent: Any = None, **extra: Any) -> Any:
        """Begin a run of the program."""
        with console.failures():
            names = {name: {param.name for param in command.params} for name, command in self.commands.items()}
            extra.setdefault("default_map", defaults_of_folder(names))
        return super().make_context(info_name, args, parent, **extra)


class App(typer.Typer):
    """The program. A command that is added to it gets its group, its examples, `--quiet` and `--verbose`."""

    def __init__(self) -> None:
        """Begin without commands."""
        super().__init__(
            name="ropewalk",
            cls=Commands,
            no_args_is_help=True,
            context_settings={"help_option_names": ["-h", "--help"]},
            epilog=EXIT_CODES,
            # A traceback with local variables would show keys.
            pretty_exceptions_enable=False,
            pretty_exceptions_show_locals=False,
        )

    def command(self, name: str | None = None, **settings: Any) -> Callable[[Function], Function]:
        """Add a command; the name is the function's, unless one is given."""

        def add(function: Function) -> Function:
            known = name or function.__name__.replace("_", "-")
            settings.setdefault("rich_help_panel", GROUPS.get(known))
            settings.setdefault("epilog", _examples(known))
            super(App, self).command(name=known, **settings)(_talking(function))
            return function

        return add


def _examples(name: str) -> str | None:
    lines = EXAMPLES.get(name)
    # Rich joins the lines of a paragraph.
    return None if lines is None else "\n\n".join(("Examples:", *(f"$ ropewalk {line}" for line in lines)))


def _talking(function: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options by which it says less or more."""

    @functools.wraps(function)
    def run(*, context: typer.Context, quiet: bool, verbose: bool, **options: Any) -> None:
        with ExitStack() as stack:
            stack.enter_context(console.run_of(context, quiet=quiet))
            if verbose:
                stack.enter_context(console.logged())
            function(**options)

    own = list(inspect.signature(function, eval_str=True).parameters.values())
    keyword_only = inspect.Parameter.KEYWORD_ONLY
    more = [
        inspect.Parameter("context", keyword_only, annotation=typer.Context),
        inspect.Parameter(
            "quiet",
            keyword_only,
            default=False,
            annotation=Annotated[
                bool,
                typer.Option(
                    "--quiet",
                    "-q",
                    help="Show no progress, and no summary if all went well.",
                    rich_help_panel=_ALL,
                ),
            ],
        ),
        inspect.Parameter(
            "verbose",
            keyword_only,
            default=False,
            annotation=Annotated[
                bool, typer.Option("--verbose", "-v", help="Log requests and retries to stderr.", rich_help_panel=_ALL)
            ],
        ),
    ]
    parameters = [p.replace(kind=keyword_only) for p in own] + more
    run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    run.__annotations__ = {p.name: p.annotation for p in parameters}
    return run

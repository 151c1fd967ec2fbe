"""The command line. Imported by the `ropewalk` script; the commands themselves load when it runs."""

from __future__ import annotations


def main() -> None:
    """Run the command line and exit with its code: 0 all written, 3 with rejects, 1 stopped, 2 usage."""
    from ropewalk.cli.commands import app

    app()

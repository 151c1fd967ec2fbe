"""A connection to a project: one transport, one pace and one retry policy for everything that is asked over it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ropewalk.options import SendOptions
from ropewalk.sinks.encord.pace import Pace
from ropewalk.sinks.encord.retry import Retry
from ropewalk.sinks.encord.rows import LabelRows
from ropewalk.sinks.encord.transport import Timeouts, Transport

if TYPE_CHECKING:
    import encord


@contextmanager
def connected(
    project: encord.Project, options: SendOptions | None = None, stop: threading.Event | None = None
) -> Iterator[tuple[LabelRows, str]]:
    """Connect to a project for as long as the context lasts.

    Args:
        project: A project of the `encord` client.
        options: How many requests at a time, and how long each is tried.
        stop: Ends every wait when it is set.

    Yields:
        The project's label rows, and the URL that they are asked from.
    """
    options, stop = options or SendOptions(), stop or threading.Event()
    timeouts = Timeouts(answer=options.timeout)
    transport = Transport(project, options.jobs, pace=Pace(options.jobs), timeouts=timeouts, stop=stop)
    try:
        yield LabelRows(transport, Retry(budget_seconds=options.retry_seconds, stop=stop)), transport.endpoint
    finally:
        transport.close()

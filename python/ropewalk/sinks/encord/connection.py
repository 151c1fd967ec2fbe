"""A connection to a project: one transport, one pace and one retry policy for everything that is asked over it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from typing import TYPE_CHECKING

from ropewalk.errors import UsageError
from ropewalk.importing.options import ConnectOptions
from ropewalk.options import spelt
from ropewalk.sinks.encord.calls import DirectCalls
from ropewalk.sinks.encord.pace import Pace
from ropewalk.sinks.encord.retry import Retry
from ropewalk.sinks.encord.rows import LabelRows
from ropewalk.sinks.encord.transport import Timeouts, Transport

if TYPE_CHECKING:
    import encord


@contextmanager
def connected(
    project: encord.Project, options: ConnectOptions | None = None, stop: threading.Event | None = None
) -> Iterator[tuple[LabelRows, str]]:
    """Connect to a project for as long as the context lasts.

    Args:
        project: A project of the `encord` client.
        options: How many requests at a time, and how long each is tried.
        stop: Ends every wait when it is set.

    Yields:
        The project's label rows, and the URL that they are asked from.
    """
    options, stop = options or ConnectOptions(), stop or threading.Event()
    retry = Retry(budget_seconds=options.retry_seconds, stop=stop)
    if options.sdk_calls:
        from ropewalk.sinks.encord.sdk_calls import SdkCalls

        yield LabelRows(SdkCalls(project), retry), _endpoint(project) or ""
        return
    if _endpoint(project) is None:
        raise UsageError(
            f"the encord SDK {version('encord')} is built otherwise than this release of Ropewalk expects; give "
            f"{spelt('sdk_calls')} to go through its public calls, slower, or install a release of either that fits"
        )
    timeouts = Timeouts(answer=options.timeout)
    transport = Transport(project, options.jobs, pace=Pace(options.jobs), timeouts=timeouts, stop=stop)
    try:
        yield LabelRows(DirectCalls(transport), retry), transport.endpoint
    finally:
        transport.close()


def _endpoint(project: encord.Project) -> str | None:
    """Give the URL that a project is asked from; None where the SDK keeps what the transport needs elsewhere."""
    try:
        querier = project._client._querier
        config = querier._config
        needed = (querier.resource_id, querier.resource_type, config.define_headers)
    except AttributeError:
        return None
    return config.endpoint if all(needed) else None

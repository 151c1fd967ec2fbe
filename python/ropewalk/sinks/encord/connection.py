"""A connection to a project: one transport, one pace and one retry policy for everything that is asked over it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from encord.configs import SshConfig

from ropewalk.importing.options import ConnectOptions
from ropewalk.sinks.encord.calls import DirectCalls
from ropewalk.sinks.encord.pace import Pace
from ropewalk.sinks.encord.retry import Retry
from ropewalk.sinks.encord.rows import LabelRows
from ropewalk.sinks.encord.transport import Timeouts, Transport
from ropewalk.sinks.encord.versions import CHANGING_ANSWERS, OBJECT_NUMBERS, check_sdk, installed, lack_of

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
    missing = _missing(project)
    if options.sdk_calls or missing:
        from ropewalk.sinks.encord.sdk_calls import SdkCalls

        if _has_changing_answers(project):
            # Its objects would not read the rows.
            check_sdk(CHANGING_ANSWERS)
        lack = lack_of(OBJECT_NUMBERS)
        notices = [] if lack is None else [f"tracks do not become the numbers of objects ({lack})"]
        if not options.sdk_calls:
            notices.append(
                f"the encord SDK {installed()} has no {missing}, so its public calls were used instead, which are "
                "slower; a newer release of Ropewalk may know this version"
            )
        yield LabelRows(SdkCalls(project), retry, notices), _endpoint(project)
        return
    lack = lack_of(CHANGING_ANSWERS) if _has_changing_answers(project) else None
    notices = [] if lack is None else [f"this SDK cannot read all that Encord stores ({lack})"]
    timeouts = Timeouts(answer=options.timeout)
    transport = Transport(project, options.jobs, pace=Pace(options.jobs), timeouts=timeouts, stop=stop)
    try:
        yield LabelRows(DirectCalls(transport), retry, notices), transport.endpoint
    finally:
        transport.close()


def _missing(project: encord.Project) -> str | None:
    """Name the first thing that the transport needs and that the SDK does not have; None where it has all of it."""
    try:
        from encord.http.error_utils import check_error_response  # noqa: F401
    except ImportError:
        return "encord.http.error_utils.check_error_response"
    try:
        querier = project._client._querier
        needed = {
            "Querier._config.endpoint": querier._config.endpoint,
            "Querier._config.define_headers": querier._config.define_headers,
            "Querier._config.define_headers_v2": querier._config.define_headers_v2,
            "Querier.resource_id": querier.resource_id,
            "Querier.resource_type": querier.resource_type,
        }
        if isinstance(querier._config, SshConfig):
            needed["SshConfig.private_key"] = querier._config.private_key
            needed["SshConfig.public_key_hex"] = querier._config.public_key_hex
    except AttributeError as e:
        return f"{type(e.obj).__name__}.{e.name}"
    return next((name for name, value in needed.items() if not value), None)


def _has_changing_answers(project: encord.Project) -> bool:
    return any(attribute.dynamic for item in project.ontology_structure.objects for attribute in item.attributes)


def _endpoint(project: encord.Project) -> str:
    """Give the URL that a project is asked from; empty where the SDK keeps it elsewhere."""
    try:
        return project._client._querier._config.endpoint
    except AttributeError:
        return ""

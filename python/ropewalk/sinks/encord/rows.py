"""The calls an import makes, each sent again where that is safe: ontology, listing, create, get and save of rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

import orjson

from ropewalk.errors import EncordError, RefusalError, TemporaryEncordError
from ropewalk.sinks.encord.answers import TOO_LARGE, bad_answer
from ropewalk.sinks.encord.calls import Acknowledged, Calls
from ropewalk.sinks.encord.retry import Call, Retry
from ropewalk.sinks.encord.transport import Blocks

Result = TypeVar("Result")


class LabelRows:
    """The label rows of a project. Safe to use from several threads; rows are handed on as JSON bytes, one by one.

    A list of ids that is too much for one request (413), to list, get or create, is halved here: it costs no row. Rows
    to save are halved by the caller, who has to count what was stored.

    Attributes:
        notices: What the version of the SDK changes, for the summary.
    """

    def __init__(self, calls: Calls, retry: Retry, notices: Sequence[str] = ()) -> None:
        self._calls = calls
        self._retry = retry
        self.notices = list(notices)

    def ontology(self, ontology_hash: str) -> dict[str, Any]:
        """Fetch the structure of the project's ontology.

        Unlike the SDK's own, it keeps skeleton templates of equal names, and what a later version of Encord has added.

        Raises:
            EncordError: The request was refused, or no time is left.
        """

        def structure() -> dict[str, Any]:
            found = self._calls.ontology(ontology_hash)
            if not isinstance(found, dict):
                raise bad_answer("the answer holds no structure of an ontology")
            return found

        return self._retry(structure)

    def listing(
        self,
        branch: str | None = None,
        *,
        data_hashes: Sequence[str] | None = None,
        images_data: bool = False,
        client_metadata: bool = False,
    ) -> list[dict[str, Any]]:
        """List data rows with their label row, if there is one.

        Args:
            branch: One branch, or None for all of them (those that exist, and uninitialised rows of `main`).
            data_hashes: Only these.
            images_data: Whether image groups list their images.
            client_metadata: Whether data rows have their client metadata.

        Returns:
            Entries of `labelrowmetadata`.

        Raises:
            EncordError: The listing was refused, or no time is left.
        """
        more = {"images_data": images_data, "client_metadata": client_metadata}
        if data_hashes is None:
            try:
                return self._list(branch, None, self._retry.call(), **more)
            except RefusalError as e:
                if e.status != TOO_LARGE:
                    raise
            raise EncordError(
                "Encord found the listing of all data rows of the project too large (status 413); it cannot be halved: "
                "spread the data rows over several projects, or ask Encord for a higher limit",
                status=TOO_LARGE,
                name="ListingTooLarge",
            )
        parts = _halved(list(data_hashes), lambda part: self._list(branch, part, self._retry.call(), **more))
        return [row for part in parts for row in part]

    def _list(
        self, branch: str | None, data_hashes: list[str] | None, call: Call, **more: bool
    ) -> list[dict[str, Any]]:
        return call(lambda: _rows(self._calls.list_rows(branch, data_hashes, **more), "data_hash"))

    def get(self, label_hashes: Sequence[str]) -> dict[str, bytes]:
        """Fetch label rows.

        Args:
            label_hashes: Which.

        Returns:
            label_hash -> the label row's JSON; rows that the server does not have are left out.

        Raises:
            EncordError: The request was refused, or no time is left.
        """
        wanted = set(label_hashes)
        found: dict[str, bytes] = {}
        for rows in _halved(list(label_hashes), self._get):
            found |= {row["label_hash"]: orjson.dumps(row) for row in rows if row["label_hash"] in wanted}
        return found

    def _get(self, label_hashes: list[str]) -> list[dict[str, Any]]:
        return self._retry(lambda: _rows(self._calls.get_rows(label_hashes), "label_hash"))

    def create(self, data_hashes: Sequence[str], branch: str) -> tuple[dict[str, tuple[str, bytes]], dict[str, str]]:
        """Create label rows. A create is never repeated blindly: the rows are listed again first.

        Args:
            data_hashes: Media without a label row on the branch, as far as is known.
            branch: The branch.

        Returns:
            data_hash -> (label_hash, JSON) of the rows created, and data_hash -> label_hash of those that stood there.

        Raises:
            EncordError: The request was refused, or no time is left.
        """
        created: dict[str, tuple[str, bytes]] = {}
        there: dict[str, str] = {}
        for new, standing in _halved(list(data_hashes), lambda part: self._create(part, branch)):
            created |= new
            there |= standing
        return created, there

    def _create(self, data_hashes: list[str], branch: str) -> tuple[dict[str, tuple[str, bytes]], dict[str, str]]:
        missing = set(data_hashes)
        created: dict[str, tuple[str, bytes]] = {}
        there: dict[str, str] = {}
        # Listing and creating share one budget: they are one call to who waits for it.
        call = self._retry.call()
        while True:
            self._retry.check()
            asked = [data_hash for data_hash in data_hashes if data_hash in missing]
            try:
                rows = _rows(self._calls.create_rows(asked, branch), "data_hash", "label_hash")
                answered = True
            except EncordError as e:
                if not isinstance(e, TemporaryEncordError) and e.name != "ResourceExistsError":
                    raise
                rows, answered = [], False
                call.wait(e)
            for row in rows:
                if row["data_hash"] in missing:
                    missing.remove(row["data_hash"])
                    created[row["data_hash"]] = row["label_hash"], orjson.dumps(row)
            if missing:
                left = [data_hash for data_hash in asked if data_hash in missing]
                parts = _halved(left, lambda part: self._list(branch, part, call))
                there |= {
                    row["data_hash"]: row["label_hash"] for part in parts for row in part if row.get("label_hash")
                }
                missing -= there.keys()
            # A server that says yes and does nothing is not asked again.
            if not missing or (answered and len(missing) == len(asked)):
                return created, there

    def save(self, label_hashes: Sequence[str], rows: Sequence[Blocks]) -> Acknowledged:
        """Store label rows whose content depends on the input alone, so that sending them again changes nothing.

        Returns:
            Size of the request, and when the server said yes.

        Raises:
            RefusalError: The request was refused; with status 413, for its size.
            EncordError: No time is left, and it is unknown whether the rows are stored; or the key was refused.
        """
        return self._retry(lambda: self._calls.save_rows(label_hashes, rows))


def _rows(answer: Any, *keys: str) -> list[dict[str, Any]]:
    if isinstance(answer, list) and all(
        isinstance(row, dict) and all(isinstance(row.get(key), str) for key in keys) for row in answer
    ):
        return answer
    raise bad_answer(f"the answer is not a list of rows with {' and '.join(keys)}")


def _halved(ids: list[str], request: Callable[[list[str]], Result]) -> Iterator[Result]:
    """Make a request for ids, halving them while they are too much for one.

    Yields:
        Results, in the order of the ids.

    Raises:
        EncordError: Any failure but 413; that, too, where it is for a single id.
    """
    try:
        result = request(ids)
    except RefusalError as e:
        if len(ids) <= 1 or (e.status != TOO_LARGE and e.name != "MultiLabelLimitError"):
            raise
    else:
        yield result
        return
    middle = len(ids) // 2
    yield from _halved(ids[:middle], request)
    yield from _halved(ids[middle:], request)

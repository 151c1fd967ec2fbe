"""The errors Ropewalk raises, each also the natural builtin."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ropewalk.report import Report


class RopewalkError(Exception):
    """Any failure that Ropewalk reports under a class of its own.

    Attributes:
        report: What an import had counted when it was stopped by this, None where nothing was.
    """

    report: Report | None = None


class SnapshotError(RopewalkError, ValueError):
    """A project snapshot that cannot be read, is not valid, or must not be written."""


class UsageError(RopewalkError, ValueError):
    """Options, maps or keys that do not fit; found before anything is read or sent."""


class BlockerError(RopewalkError, RuntimeError):
    """Something that stops an import before anything is sent."""


class SourceError(BlockerError, ValueError):
    """A source that is not what it should be (truncated, not UTF-8, not COCO); names the file and the byte."""


class FileError(BlockerError, OSError):
    """A file or folder that cannot be opened, read or written."""


class StageError(BlockerError):
    """Staged rows that cannot be read back: the work folder was changed or the disk is damaged."""


class SchemaError(BlockerError, ValueError):
    """A table that does not follow the schema of the intermediate representation."""


class LabelRowError(RopewalkError, ValueError):
    """A label row of the server or a snapshot that cannot be read or written to, or not with these labels."""


class LedgerError(RopewalkError, OSError):
    """A ledger that cannot be read or written: a full disk, a folder without permission."""


class LockedError(BlockerError):
    """Another import is writing on the same branch."""


class AccountingError(RopewalkError, AssertionError):
    """Annotations read and annotations accounted for differ: a fault of Ropewalk, never of the input."""


class EncordError(RopewalkError, RuntimeError):
    """A request that Encord refused or did not answer as it should; never holds a key, a header or a body.

    Attributes:
        status: The answer's status, None where no answer arrived.
        name: The SDK's name for the error, or `Timeout`, `ConnectionError`, `BadAnswer`.
        retry_after: Seconds the server asks to wait, None where it does not say.
    """

    def __init__(self, message: str, *, status: int | None, name: str, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.name = name
        self.retry_after = retry_after


class TemporaryEncordError(EncordError, ConnectionError):
    """A request that may succeed when it is sent again: a rate limit, a timeout, an answer that broke off."""


class UnreachableError(EncordError, ConnectionError):
    """No request can be answered until something is set right: a certificate, a host name or a proxy."""


class RefusalError(EncordError, ValueError):
    """A request that Encord read and refused for what it holds: halving it finds the row that is meant."""


class AccessError(EncordError, PermissionError):
    """The key or the user's role does not allow the request; no other request would fare better."""


class MaskError(RopewalkError, ValueError):
    """Masks, run lengths or polygons that cannot be what they are given as.

    Attributes:
        code: Stable name of the kind, such as `rle_sum`; the text may change, this does not.
        fields: What the kind is about, such as `{"found": 5, "expected": 6}`, and in a batch `index`.
    """

    def __init__(self, message: str, *, code: str, **fields: Any) -> None:
        super().__init__(message)
        self.code = code
        self.fields = fields

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle by attributes: the code has no default to call the class without."""
        return type(self).__new__, (type(self), *self.args), self.__dict__


class RleError(MaskError):
    """Run lengths that are not a mask of the given size."""


class PolygonError(MaskError):
    """Rings that cannot be drawn."""


class SizeError(MaskError):
    """A size that is not (h, w) in px, is too large, or does not fit the array given."""

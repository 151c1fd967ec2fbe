"""The errors Ropewalk raises, each also the natural builtin."""


class RopewalkError(Exception):
    """Any failure that Ropewalk reports under a class of its own."""


class SnapshotError(RopewalkError, ValueError):
    """A project snapshot that cannot be read, is not valid, or must not be written."""

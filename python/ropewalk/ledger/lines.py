"""Files of JSON lines, appended to and never rewritten, each line with its own checksum.

A kill leaves a torn last line, a bad disk a changed one: both are told from good lines, and every other line counts.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import orjson

_CHECKSUM_BYTES = 8
_CHECKSUM_DIGITS = 2 * _CHECKSUM_BYTES


class CheckedLines:
    """A file of checked lines.

    Args:
        path: The file; its folder exists. It is opened when it is first appended to.
        name: What the file belongs to; lines of a file with another name do not check.
    """

    def __init__(self, path: Path, name: str) -> None:
        self.path = path
        self._name = name.encode()
        self._file: int | None = None

    def read(self) -> Iterator[dict[str, Any] | None]:
        """Read the lines there are; a file that does not exist has none.

        Yields:
            The content of each line in order, one at a time in memory; None for one that does not check.

        Raises:
            OSError: The file is there and cannot be read.
        """
        try:
            file = self.path.open("rb")
        except FileNotFoundError:
            return
        with file:
            yield from map(self._checked, file)

    def append(self, contents: Iterable[Mapping[str, Any]]) -> None:
        """Write lines at the end, on disk when this returns.

        Raises:
            OSError: The disk is full or cannot be written.
        """
        text = b"".join(self._line(content) for content in contents)
        if self._file is None:
            self._file = self._open()
        try:
            while text:
                text = text[os.write(self._file, text) :]
            os.fsync(self._file)
        except OSError:
            # A part may be written: what another thread appends next must not be glued to it.
            self.close()
            raise

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _open(self) -> int:
        file = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND | getattr(os, "O_BINARY", 0), 0o600)
        # What follows a torn line begins on a line of its own.
        end = os.lseek(file, 0, os.SEEK_END)
        if end:
            os.lseek(file, end - 1, os.SEEK_SET)
            if os.read(file, 1) != b"\n":
                os.write(file, b"\n")
        return file

    def _line(self, content: Mapping[str, Any]) -> bytes:
        text = orjson.dumps(content)
        return self._checksum(text) + b" " + text + b"\n"

    def _checked(self, line: bytes) -> dict[str, Any] | None:
        # A last line that lacks only its end is whole: what is appended later gives it one.
        checksum, text = line[:_CHECKSUM_DIGITS], line[_CHECKSUM_DIGITS + 1 :].removesuffix(b"\n")
        if line[_CHECKSUM_DIGITS : _CHECKSUM_DIGITS + 1] != b" " or checksum != self._checksum(text):
            return None
        content = orjson.loads(text)
        return content if isinstance(content, dict) else None

    def _checksum(self, text: bytes) -> bytes:
        # The name goes first with its length: no two pairs of name and text give the same bytes.
        digest = hashlib.blake2b(len(self._name).to_bytes(4, "little") + self._name, digest_size=_CHECKSUM_BYTES)
        digest.update(text)
        return digest.hexdigest().encode()

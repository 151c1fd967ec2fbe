"""A request the emulator refuses, under the error names that the Encord client maps to its exceptions."""

from __future__ import annotations


class Refused(Exception):
    """An answer that is an error.

    Args:
        name: Encord's name of the error, which decides the client's exception.
        status: The HTTP status that belongs to it.
        message: What is wrong and where.
    """

    def __init__(self, name: str, status: int, message: str) -> None:
        super().__init__(message)
        self.name = name
        self.status = status
        self.message = message


def not_authenticated(message: str) -> Refused:
    """A signature that does not hold."""
    return Refused("AUTHENTICATION_ERROR", 401, message)


def unknown_key(message: str) -> Refused:
    """A key that is not registered."""
    return Refused("SSH_KEY_NOT_FOUND_ERROR", 401, message)


def too_large(message: str) -> Refused:
    """A body that is larger than any request of the client."""
    return Refused("PAYLOAD_TOO_LARGE", 413, message)


def unavailable(message: str) -> Refused:
    """Something that passes, such as a database that another process holds."""
    return Refused("UNKNOWN_ERROR", 503, message)


def not_found(message: str) -> Refused:
    """A project, ontology, data row or label row that is not there."""
    return Refused("RESOURCE_NOT_FOUND_ERROR", 404, message)


def exists(message: str) -> Refused:
    """A label row that is there already."""
    return Refused("RESOURCE_EXISTS_ERROR", 409, message)


def invalid(message: str) -> Refused:
    """Arguments that make no sense, or a call that the emulator does not know."""
    return Refused("INVALID_ARGUMENTS_ERROR", 400, message)


def corrupted_label(message: str) -> Refused:
    """A label row whose content is not valid."""
    return Refused("CORRUPTED_LABEL_ERROR", 400, message)


def missing_answer(message: str) -> Refused:
    """An object without its entry in the answer dictionaries."""
    return Refused("ANSWER_DICTIONARY_ERROR", 400, message)


def missing_feature(message: str) -> Refused:
    """A feature hash that the project's ontology does not have."""
    return Refused("FEATURE_DOES_NOT_EXIST_ERROR", 400, message)

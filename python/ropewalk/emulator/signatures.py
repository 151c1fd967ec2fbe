"""Checks the two signature schemes of the Encord client against the public keys that are registered."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Mapping

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

_LABEL = "encord-sig"
_COVERED = ("@method", "@request-target", "content-digest")
_SIGNATURE_INPUT = re.compile(
    r'\((?P<covered>"[^"()]*"(?: "[^"()]*")*)\);created=(?P<created>\d+);keyid="(?P<keyid>[^"]*)";alg="ed25519"'
)


class SignatureRefused(Exception):
    """A request whose signature is missing, malformed or wrong."""


class UnknownKey(SignatureRefused):
    """A request signed by a key that is not registered."""


class KeyRing:
    """The public keys that may talk to the emulator."""

    def __init__(self, keys: list[Ed25519PublicKey]) -> None:
        self._keys = {key.public_bytes(Encoding.Raw, PublicFormat.Raw).hex(): key for key in keys}

    def check_claim(self, headers: Mapping[str, str]) -> None:
        """Check that a request says it is signed by a registered key, before its body is read.

        Raises:
            UnknownKey: The key is not registered.
            SignatureRefused: It does not say so, in neither API's way.
        """
        claimed = re.search(r'keyid="([^"]*)"', headers.get("signature-input", ""))
        key_hex = claimed[1] if claimed else headers.get("authorization", "").partition(":")[0]
        if not key_hex:
            raise SignatureRefused("the request is not signed")
        if key_hex not in self._keys:
            raise UnknownKey("the public key is not registered")

    def verify_v1(self, headers: Mapping[str, str], body: bytes) -> None:
        """Check a request of the first API: `Authorization: <key hex>:<signature hex>` over SHA-256(body).

        Raises:
            UnknownKey: The key is not registered.
            SignatureRefused: The header is missing or malformed, or does not match the body.
        """
        key_hex, _, signature_hex = headers.get("authorization", "").partition(":")
        try:
            signature = bytes.fromhex(signature_hex)
        except ValueError as e:
            raise SignatureRefused("the Authorization header is not `<public key hex>:<signature hex>`") from e
        self._verify(key_hex, signature, hashlib.sha256(body).digest())

    def verify_v2(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> None:
        """Check a request of the second API: an HTTP message signature over method, target and content digest.

        Args:
            method: The HTTP method.
            target: Path and query, exactly as they stood in the request line.
            headers: The request's headers, looked up in lower case.
            body: The request's body, empty for GET.

        Raises:
            UnknownKey: The key is not registered.
            SignatureRefused: A header is missing or malformed, the digest is not the body's, or the signature
                does not match.
        """
        digest = headers.get("content-digest", "")
        sent_digest = _binary_member(digest, "sha-256", "Content-Digest")
        if not hmac.compare_digest(sent_digest, hashlib.sha256(body).digest()):
            raise SignatureRefused("the Content-Digest header is not the body's")
        prefix, _, parameters = headers.get("signature-input", "").partition("=")
        match = _SIGNATURE_INPUT.fullmatch(parameters)
        if prefix != _LABEL or match is None:
            raise SignatureRefused("the Signature-Input header is missing or malformed")
        covered = tuple(name.strip('"') for name in match["covered"].split(" "))
        if sorted(covered) != sorted(_COVERED):
            raise SignatureRefused(f"the signature has to cover {', '.join(_COVERED)}")
        values = {"@method": method.upper(), "@request-target": target, "content-digest": digest}
        lines = [f'"{name}": {values[name]}' for name in covered]
        base = "\n".join([*lines, f'"@signature-params": {parameters}'])
        signature = _binary_member(headers.get("signature", ""), _LABEL, "Signature")
        self._verify(match["keyid"], signature, base.encode())

    def _verify(self, key_hex: str, signature: bytes, message: bytes) -> None:
        key = self._keys.get(key_hex)
        if key is None:
            raise UnknownKey("the public key is not registered")
        try:
            key.verify(signature, message)
        except InvalidSignature as e:
            raise SignatureRefused("the signature does not match the request") from e


def _binary_member(header: str, label: str, name: str) -> bytes:
    prefix, _, value = header.partition("=")
    if prefix != label or len(value) < 2 or value[0] != ":" or value[-1] != ":":
        raise SignatureRefused(f"the {name} header is missing or malformed")
    try:
        return base64.b64decode(value[1:-1], validate=True)
    except binascii.Error as e:
        raise SignatureRefused(f"the {name} header is not base64") from e

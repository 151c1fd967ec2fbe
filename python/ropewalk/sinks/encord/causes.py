"""Why a request got no answer: what passes by itself, and what somebody has to set right first.

`requests` raises one of two or three exceptions for all of it; what happened is in the exceptions that those wrap. They
also hold signed requests and the URLs of proxies with their passwords: only their kinds and numbers are told on.
"""

from __future__ import annotations

import re
import socket
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeVar
from urllib.parse import urlsplit

import requests
import urllib3
from requests.utils import get_environ_proxies, select_proxy

from ropewalk.errors import EncordError, TemporaryEncordError, UnreachableError
from ropewalk.text import shown, without_secrets

Kind = TypeVar("Kind", bound=BaseException)

PROXY_AUTHENTICATION = 407
_SERVER_ERRORS = range(500, 600)

# Of OpenSSL's own numbers: nobody vouches for the certificate, and it is not valid yet or not any more.
_UNKNOWN_AUTHORITY = frozenset({2, 18, 19, 20, 21})
_WRONG_DATE = frozenset({9, 10})

# A handshake that fails for these fails the next time as well.
_NOT_TLS = frozenset({"WRONG_VERSION_NUMBER", "HTTP_REQUEST", "HTTPS_PROXY_REQUEST", "UNKNOWN_PROTOCOL"})
_NO_COMMON_TLS = frozenset(
    {
        "UNSUPPORTED_PROTOCOL",
        "TLSV1_ALERT_PROTOCOL_VERSION",
        "SSLV3_ALERT_HANDSHAKE_FAILURE",
        "TLSV13_ALERT_CERTIFICATE_REQUIRED",
        "NO_CERTIFICATE_OR_CRL_FOUND",
    }
)

# The resolver could not ask: unlike the others, which say that the name does not exist.
_TRY_AGAIN = frozenset({socket.EAI_AGAIN, 11002})

# Raised before anything is sent.
_ADDRESS_ERRORS = (requests.exceptions.InvalidURL, requests.exceptions.InvalidSchema, requests.exceptions.MissingSchema)

_TUNNEL = re.compile(r"Tunnel connection failed: (\d{3})")

CA_BUNDLE = "REQUESTS_CA_BUNDLE"


@dataclass(frozen=True)
class Cause:
    """Why a request got no answer.

    Attributes:
        name: Of the error.
        text: What happened, and what to do.
        lasts: Whether the next attempt would fare the same.
        may_return: Whether it comes and goes where requests are answered otherwise, as a resolver or a proxy does.
        status: That of a proxy's answer.
    """

    name: str
    text: str
    lasts: bool = True
    may_return: bool = False
    status: int | None = None

    def error(self, where: str, *, begun: bool) -> EncordError:
        """Make the error for it.

        Args:
            where: What was asked, without secrets.
            begun: Whether requests were answered before.
        """
        kind = UnreachableError if self.lasts and not (begun and self.may_return) else TemporaryEncordError
        return kind(f"{where}: {self.text}", status=self.status, name=self.name)


def cause_of(error: BaseException, url: str) -> Cause | None:
    """Tell why a request failed; None where nothing but a broken or refused connection shows.

    Args:
        error: What `requests`, `urllib3` or the system raised, also as the cause of another exception.
        url: What was asked.
    """
    chain = list(_chain(error))
    if _first(chain, (requests.exceptions.ProxyError, urllib3.exceptions.ProxyError)) is not None:
        return _of_proxy(chain, url)
    certificate = _first(chain, ssl.SSLCertVerificationError)
    if certificate is not None:
        return Cause("CertificateError", _of_certificate(certificate))
    tls = _first(chain, ssl.SSLError)
    if tls is not None and tls.reason in _NOT_TLS:
        return Cause("TlsError", "what answers there does not speak TLS; use http:// if that is right, or another port")
    if tls is not None and tls.reason in _NO_COMMON_TLS:
        return Cause("TlsError", f"no TLS connection can be agreed on ({tls.reason})")
    if any("CA certificate bundle" in str(e) for e in chain if type(e) is OSError):
        return Cause("CertificateError", f"{CA_BUNDLE} or CURL_CA_BUNDLE names a file that does not exist")
    name = _first(chain, socket.gaierror)
    if name is not None:
        host = shown(urlsplit(url).hostname or "of the host")
        text = (
            f"no such host: the name {host} is not known here; check --domain, or set HTTPS_PROXY if a proxy knows it"
        )
        if name.errno in _TRY_AGAIN:
            text = f"the name {host} cannot be resolved at the moment; check the network and its name server"
        return Cause("UnknownHost", text, lasts=name.errno not in _TRY_AGAIN, may_return=True)
    address = _first(chain, _ADDRESS_ERRORS)
    if address is not None:
        return Cause("BadAddress", f"the address, or that of its proxy, cannot be used ({type(address).__name__})")
    return None


def proxy_asks_for_password(url: str) -> Cause:
    """Give the cause of a status 407."""
    return Cause(
        "ProxyAuthentication",
        f"the proxy {_proxy(url)} asks for a user name and a password (status 407); give them in HTTPS_PROXY, as "
        "http://USER:PASSWORD@HOST:PORT",
        status=PROXY_AUTHENTICATION,
    )


def is_timeout(error: BaseException | None) -> bool:
    """Tell whether a request failed for the time it took; what `requests` raises then depends on when it strikes."""
    return error is not None and any(isinstance(e, (TimeoutError, requests.Timeout)) for e in _chain(error))


def _of_proxy(chain: list[BaseException], url: str) -> Cause:
    tunnel = next(filter(None, (_TUNNEL.search(str(e)) for e in chain if type(e) is OSError)), None)
    if tunnel is None:
        certificate = _first(chain, ssl.SSLCertVerificationError)
        why = _of_certificate(certificate) if certificate is not None else "see HTTPS_PROXY"
        return Cause("ProxyError", f"the proxy {_proxy(url)} cannot be reached; {why}", may_return=certificate is None)
    status = int(tunnel[1])
    if status == PROXY_AUTHENTICATION:
        return proxy_asks_for_password(url)
    text = f"the proxy {_proxy(url)} does not let the connection through (status {status})"
    return Cause("ProxyError", text, lasts=status not in _SERVER_ERRORS, status=status)


def _of_certificate(error: ssl.SSLCertVerificationError) -> str:
    todo = "check the address"
    if error.verify_code in _UNKNOWN_AUTHORITY:
        todo = (
            f"if your company has a certificate authority of its own, name the file with its certificate in {CA_BUNDLE}"
        )
    elif error.verify_code in _WRONG_DATE:
        todo = "check this machine's clock"
    return f"its certificate is not valid here ({shown(error.verify_message)}); {todo}"


def _proxy(url: str) -> str:
    """Name the proxy for a URL, without its password."""
    try:
        parts = urlsplit(select_proxy(url, get_environ_proxies(url)) or "")
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return "that HTTPS_PROXY names"
    return without_secrets(f"{parts.hostname}{port}") if parts.hostname else "in between"


def _first(chain: list[BaseException], kind: type[Kind] | tuple[type[Kind], ...]) -> Kind | None:
    return next((e for e in chain if isinstance(e, kind)), None)


def _chain(error: BaseException) -> Iterator[BaseException]:
    """Give an exception and all that it was made of, each once."""
    left, seen = [error], set()
    while left:
        e = left.pop(0)
        if id(e) in seen:
            continue
        seen.add(id(e))
        yield e
        parts = (e.__cause__, e.__context__, getattr(e, "reason", None), *e.args)
        left += [part for part in parts if isinstance(part, BaseException)]

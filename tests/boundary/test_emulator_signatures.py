"""Requests of the SDK are captured and sent again with one thing changed: the emulator refuses each."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from typing import Any

import pytest
import requests
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from encord import EncordUserClient, Project
from encord.exceptions import AuthenticationError, SshKeyNotFound
from encord.http.constants import RequestsSettings
from encord.http.error_utils import check_error_response
from encord.http.v2.error_utils import handle_error_response

from ropewalk.emulator import RunningEmulator

Capture = Callable[[Callable[[], Any]], requests.PreparedRequest]


@pytest.fixture
def capture(monkeypatch: pytest.MonkeyPatch) -> Capture:
    """Give a function that runs a call of the SDK and returns the request it sent."""

    def run(call: Callable[[], Any]) -> requests.PreparedRequest:
        seen: list[requests.PreparedRequest] = []
        send = requests.Session.send

        def recording(session: requests.Session, request: requests.PreparedRequest, **kwargs: Any) -> Any:
            seen.append(request.copy())
            return send(session, request, **kwargs)

        with monkeypatch.context() as patch:
            patch.setattr(requests.Session, "send", recording)
            call()
        assert len(seen) == 1
        return seen[0]

    return run


def send(request: requests.PreparedRequest) -> requests.Response:
    with requests.Session() as session:
        return session.send(request)


def flip_last_hex(text: str) -> str:
    return text[:-1] + ("0" if text[-1] != "0" else "1")


def refused_as_by_encord(answer: requests.Response) -> None:
    assert (answer.status_code, answer.json()["status"]) == (200, 401)
    with pytest.raises(AuthenticationError):
        check_error_response(answer.json()["response"])


@pytest.fixture
def first(capture: Capture, project: Project) -> requests.PreparedRequest:
    """Capture a create, so that a tampered copy that got through would leave a row behind."""
    row = project.list_label_rows_v2(branch_name="pred-1")[0]
    return capture(row.initialise_labels)


@pytest.fixture
def second_request(capture: Capture, client: EncordUserClient) -> requests.PreparedRequest:
    """Capture a request of the second API that has a query in its address."""
    return capture(lambda: list(client.list_projects(title_eq="Test project")))


def test_a_captured_request_of_the_first_api_holds(first: requests.PreparedRequest) -> None:
    answer = send(first).json()
    assert (answer["status"], answer["response"]) == (409, ["RESOURCE_EXISTS_ERROR"])


def test_every_changed_byte_of_a_body_is_refused(first: requests.PreparedRequest, emulator: RunningEmulator) -> None:
    body = first.body
    assert isinstance(body, str)
    for position in range(0, len(body), 7):
        request = first.copy()
        changed = body[:position] + chr(ord(body[position]) ^ 1) + body[position + 1 :]
        request.body = changed
        refused_as_by_encord(send(request))
    assert len(emulator.store.headers()) == 1


@pytest.mark.parametrize(
    "change",
    [
        flip_last_hex,
        lambda header: header[:-2],
        lambda header: header.replace(":", ":zz"),
        lambda header: header.split(":")[0],
        lambda header: f"Bearer {header}",
        lambda header: "",
    ],
)
def test_a_changed_authorization_header_is_refused(
    first: requests.PreparedRequest, change: Callable[[str], str]
) -> None:
    first.headers["Authorization"] = change(first.headers["Authorization"])
    answer = send(first).json()
    assert answer["status"] == 401
    assert answer["response"] in (["AUTHENTICATION_ERROR"], ["SSH_KEY_NOT_FOUND_ERROR"])


def test_a_body_without_any_signature_is_refused(emulator: RunningEmulator) -> None:
    refused = requests.post(f"{emulator.url}/public", data="{}").json()
    assert refused["status"] == 401


def test_changing_a_signed_header_value_of_the_second_api_is_refused(project: Project, capture: Capture) -> None:
    original = capture(project.refetch_data)
    assert send(original).status_code == 200
    for name in ("Signature", "Signature-Input", "Content-Digest"):
        value = original.headers[name]
        for position in range(len(value)):
            request = original.copy()
            request.headers[name] = value[:position] + ("A" if value[position] != "A" else "B") + value[position + 1 :]
            # Base64 throws away some bits of the character before its padding: no change of the signature.
            if name == "Signature" and decoded(request.headers[name]) == decoded(value):
                continue
            assert send(request).status_code == 401, (name, position)
        request = original.copy()
        del request.headers[name]
        assert send(request).status_code == 401


def decoded(header: str) -> tuple[str, bytes] | None:
    """Decode `name=:base64:`, None where it is not of that form."""
    label, _, value = header.partition("=")
    try:
        return label, base64.b64decode(value.strip(":"), validate=True)
    except binascii.Error:
        return None


def test_another_method_target_query_or_body_of_the_second_api_is_refused(
    second_request: requests.PreparedRequest, emulator: RunningEmulator
) -> None:
    assert send(second_request).status_code == 200
    changes: list[tuple[str, Any]] = [
        ("method", "POST"),
        ("url", second_request.url.replace("Test", "test") if second_request.url else ""),
        ("url", f"{emulator.url}/v2/public/projects/{emulator.project_hash}"),
        ("body", b"{}"),
    ]
    for name, value in changes:
        request = second_request.copy()
        setattr(request, name, value)
        if name == "body":
            request.headers["Content-Length"] = "2"
        answer = send(request)
        with pytest.raises(AuthenticationError):
            handle_error_response(answer.status_code, answer.headers)


def test_a_key_that_is_not_registered_is_refused_by_both(emulator: RunningEmulator, project: Project) -> None:
    stranger = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption())
    client = EncordUserClient.create_with_ssh_private_key(
        stranger.decode(), domain=emulator.url, requests_settings=RequestsSettings(max_retries=0)
    )
    with pytest.raises(AuthenticationError, match="not registered"):
        client.get_project(emulator.project_hash)
    project._client._querier._config = client._config.config
    with pytest.raises(SshKeyNotFound):
        project.list_label_rows_v2()

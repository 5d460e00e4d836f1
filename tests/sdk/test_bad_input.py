"""Whatever arrives gets AWS's error shape, changes nothing, and leaves a server that answers."""

import json
import socket
import urllib.error
import urllib.request
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from market import PIPELINE, Market, record

JSON = "application/x-amz-json-1.1"
BATCH = "AWSMPMeteringService.BatchMeterUsage"
ENTITLEMENTS = "AWSMPEntitlementService.GetEntitlements"
SIGNED = (
    "AWS4-HMAC-SHA256 Credential=AKIACIRRUSSELLER0001/20260115/us-east-1/aws-marketplace/aws4_request, "
    "SignedHeaders=host;x-amz-date, Signature=" + "0" * 64
)


@pytest.fixture(autouse=True)
def answers_afterwards(market: Market) -> Iterator[None]:
    """The server meters as if nothing had been: the hour is free."""
    yield
    answer = market.metering().batch_meter_usage(ProductCode=PIPELINE, UsageRecords=[record(424242)])
    assert [result["Status"] for result in answer["Results"]] == ["Success"]


def post(market: Market, body: bytes | None, **headers: str | None) -> tuple[int, str]:
    """The status and the error's code of a raw request; headers that are `None` are not sent."""
    given: dict[str, str | None] = {
        "content-type": JSON,
        "x-amz-target": BATCH,
        "authorization": SIGNED,
        "x-amz-date": "20260115T123000Z",
    }
    given |= {name.replace("_", "-"): value for name, value in headers.items()}
    sent = {name: value for name, value in given.items() if value is not None}
    request = urllib.request.Request(market.endpoint, body, sent, method="POST")
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(request, timeout=60)
    with caught.value as answer:
        error = json.load(answer)
        assert answer.headers["x-amzn-ErrorType"] == error["__type"]
        assert answer.headers["x-amzn-RequestId"]
        assert answer.headers["content-type"].startswith("application/x-amz-json-1.")
        assert error["message"]
        return answer.code, error["__type"]


@pytest.mark.parametrize(
    "body",
    [
        b'{"ProductCode": "cirruspipeline',
        b'{"UsageRecords": [',
        b"not json",
        b"[]",
        b'"text"',
        b"{} {}",
        b"\xff\xfe",
        b"\x00" * 1000,
        b'{"UsageRecords": ' + b"[" * 100_000,
        b'{"a":' * 50_000 + b"1" + b"}" * 50_000,
    ],
    ids=lambda body: repr(body[:40])[2:-1],
)
@pytest.mark.parametrize("target", [BATCH, ENTITLEMENTS])
def test_a_body_that_cannot_be_read_is_a_serialization_error(market: Market, body: bytes, target: str) -> None:
    assert post(market, body, x_amz_target=target) == (400, "SerializationException")


@pytest.mark.parametrize(
    "body",
    [
        b'{"UsageRecords": 7}',
        b'{"UsageRecords": [7]}',
        b'{"UsageRecords": [{"Timestamp": "yesterday"}]}',
        b'{"UsageRecords": [{"Timestamp": 1768480200, "Quantity": 1.5}]}',
        b'{"UsageRecords": [{"Timestamp": 1768480200, "Dimension": {}}]}',
        b'{"ProductCode": ["cirruspipelineusage000001"], "UsageRecords": []}',
    ],
    ids=lambda body: body.decode(),
)
def test_a_member_of_another_type_is_a_serialization_error(market: Market, body: bytes) -> None:
    assert post(market, body) == (400, "SerializationException")


def test_no_body_is_not_an_empty_structure(market: Market) -> None:
    assert post(market, None) == (400, "SerializationException")
    assert post(market, b"") == (400, "SerializationException")
    assert post(market, b"{}") == (400, "ValidationException")
    assert post(market, b'{"UsageRecords": null}') == (400, "ValidationException")


@pytest.mark.parametrize(
    "target", [None, "", "BatchMeterUsage", "AWSMPMeteringService.Nope", "Nope.BatchMeterUsage", "a.b.c", "ü.ü"]
)
def test_a_wrong_target_is_an_unknown_operation(market: Market, target: str | None) -> None:
    target = target and target.encode().decode("latin-1")
    assert post(market, b"{}", x_amz_target=target) == (404, "UnknownOperationException")


@pytest.mark.parametrize("kind", ["", "text/plain", "application/json", "application/xml"])
def test_a_wrong_content_type_is_an_unknown_operation(market: Market, kind: str) -> None:
    assert post(market, b"{}", content_type=kind) == (404, "UnknownOperationException")


def test_two_megabytes_are_too_large(market: Market) -> None:
    padding = "x" * 2_000_000
    body = json.dumps({"ProductCode": PIPELINE, "UsageRecords": [], "Padding": padding}).encode()
    assert post(market, body) == (413, "RequestEntityTooLargeException")


def test_a_megabyte_less_a_byte_is_not_too_large(market: Market) -> None:
    start = json.dumps({"ProductCode": "nosuchproduct", "UsageRecords": [], "Padding": ""}).encode()
    padded = start[:-2] + b"x" * (1_000_000 - len(start)) + start[-2:]
    assert post(market, padded) == (400, "InvalidProductCodeException")
    assert post(market, padded + b" ") == (413, "RequestEntityTooLargeException")


@pytest.mark.parametrize("body", [b"", b"\xbf", b"\xff", b"\x81\x01", b"{}", b"\xa1\x61", b"\x9f" * 100_000])
def test_broken_cbor_is_a_serialization_error_in_cbor(market: Market, body: bytes) -> None:
    url = f"{market.endpoint}/service/AWSMPEntitlementService/operation/GetEntitlements"
    sent = {"content-type": "application/cbor", "smithy-protocol": "rpc-v2-cbor", "authorization": SIGNED}
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(urllib.request.Request(url, body, sent, method="POST"), timeout=60)
    with caught.value as answer:
        assert (answer.code, answer.headers["smithy-protocol"]) == (400, "rpc-v2-cbor")
        assert b"SerializationException" in answer.read()


def test_a_chunked_body_that_breaks_off_is_a_serialization_error(market: Market) -> None:
    address = urlsplit(market.endpoint)
    head = f"POST {address.path} HTTP/1.1\r\nhost: souk\r\ncontent-type: {JSON}\r\nx-amz-target: {BATCH}\r\n"
    broken = f"{head}transfer-encoding: chunked\r\n\r\n5\r\n{{}}   \r\nnonsense\r\n"
    with socket.create_connection((address.hostname, address.port), timeout=60) as connection:
        connection.sendall(broken.encode())
        answer = connection.makefile("rb").read()
    assert answer.startswith(b"HTTP/1.1 400 ") and b"SerializationException" in answer


def test_a_broken_signature_is_refused(strict_market: Market) -> None:
    for signature, code in [
        (SIGNED, "InvalidSignatureException"),
        ("AWS4-HMAC-SHA256 nonsense", "IncompleteSignatureException"),
        ("Basic dXNlcjpzZWNyZXQ=", "IncompleteSignatureException"),
        (None, "MissingAuthenticationTokenException"),
    ]:
        assert post(strict_market, b"{}", authorization=signature) == (403, code)


def test_half_a_body_and_a_closed_connection_leave_the_server_well(market: Market) -> None:
    address = urlsplit(market.endpoint)
    head = f"POST {address.path} HTTP/1.1\r\nhost: souk\r\ncontent-type: {JSON}\r\nx-amz-target: {BATCH}\r\n"
    body = json.dumps({"ProductCode": PIPELINE})
    for sent in [head, f"{head}content-length: 1000\r\n\r\n{body}", "\x00\x01\x02\r\n\r\n"]:
        with socket.create_connection((address.hostname, address.port), timeout=60) as connection:
            connection.sendall(sent.encode())
            connection.shutdown(socket.SHUT_WR)
            answer = connection.makefile("rb").read()
            assert answer == b"" or answer.startswith(b"HTTP/1.1 400 "), answer

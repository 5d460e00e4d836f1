"""RegisterUsage, as AWS documents it (aws-api A.4), verified by the public key that the sandbox shows."""

import json
import stat
import urllib.error
import urllib.request
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from market import CACHE, DOCUMENT, DRIFTER, HOUR, LABS, NOW, PIPELINE, Market, Server, refused

TASK, POD = "souk:task/0123456789abcdef0123456789abcdef", "souk:pod/cache-7d9c6b5f4-x2x9q"
UNSUPPORTED = "PlatformNotSupportedException"


def register(market: Market, runs_on: str | None = TASK, account: str = LABS, **fields: Any) -> dict[str, Any]:
    """What a program is answered that says what it runs on."""
    client = market.metering(account, aws_session_token=runs_on)
    return client.register_usage(**({"ProductCode": CACHE, "PublicKeyVersion": 1} | fields))


def put(market: Market, document: str) -> Any:
    """Makes the sandbox from another document."""
    url = f"{market.server.http}/_souk/sandboxes/{market.name}"
    request = urllib.request.Request(url, document.encode(), method="PUT")
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.load(answer)


def with_keys(*versions: dict[str, Any]) -> str:
    """The document of the tests with versions of the key."""
    return f"{DOCUMENT.read_text()}\npublicKeys: {json.dumps(versions)}\n"


def public_keys(market: Market) -> dict[int, str]:
    """The public keys that the sandbox shows, by version."""
    url = f"{market.server.http}/_souk/sandboxes/{market.name}"
    with urllib.request.urlopen(url, timeout=60) as answer:
        return {key["version"]: key["publicKey"] for key in json.load(answer)["publicKeys"]}


def claims(market: Market, signature: str) -> dict[str, Any]:
    """What a signature says, once it is verified by the version of the key that it names."""
    version = jwt.decode(signature, options={"verify_signature": False})["publicKeyVersion"]
    # The sandbox's time is not the machine's: PyJWT must not compare them.
    return jwt.decode(signature, public_keys(market)[version], algorithms=["PS256"], options={"verify_iat": False})


def private_pem(bits: int = 2048) -> str:
    """A private key of the seller's own, as PKCS #8."""
    key = rsa.generate_private_key(65537, bits)
    form = serialization.PrivateFormat.PKCS8
    return key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()).decode()


@pytest.mark.parametrize("runs_on", [TASK, POD], ids=["task", "pod"])
def test_the_signature_says_what_was_registered(market: Market, runs_on: str) -> None:
    answer = register(market, runs_on, Nonce="a-nonce")
    assert "PublicKeyRotationTimestamp" not in answer
    assert jwt.get_unverified_header(answer["Signature"]) == {"alg": "PS256", "typ": "JWT"}
    assert claims(market, answer["Signature"]) == {
        "productCode": CACHE,
        "publicKeyVersion": 1,
        "nonce": "a-nonce",
        "iat": int(NOW.timestamp()),
    }
    key = serialization.load_pem_public_key(public_keys(market)[1].encode())
    assert isinstance(key, rsa.RSAPublicKey)
    assert (key.key_size, key.public_numbers().e) == (3072, 65537)


def test_a_program_may_ask_again_with_the_same_nonce_or_without_one(market: Market) -> None:
    signatures = [register(market, Nonce="same")["Signature"] for _ in range(2)]
    assert [claims(market, signature)["nonce"] for signature in signatures] == ["same", "same"]
    assert "nonce" not in claims(market, register(market)["Signature"])
    for nonce in ["", "n" * 255, 'ü "quoted"\n']:
        assert claims(market, register(market, Nonce=nonce)["Signature"])["nonce"] == nonce


def test_a_changed_or_foreign_signature_does_not_verify(market: Market) -> None:
    header, body, signature = register(market, Nonce="a-nonce")["Signature"].split(".")
    _, other, _ = register(market, Nonce="another")["Signature"].split(".")
    with pytest.raises(jwt.InvalidSignatureError):
        claims(market, ".".join([header, other, signature]))
    put(market, with_keys({"version": 1, "privateKey": private_pem()}))
    with pytest.raises(jwt.InvalidSignatureError):
        claims(market, ".".join([header, body, signature]))


@pytest.mark.parametrize(
    ("code", "word", "wrong"),
    [
        ("InvalidProductCodeException", "nosuch", {"ProductCode": "nosuchproductcode00000001"}),
        ("InvalidProductCodeException", "ProductCode", {"ProductCode": ""}),
        ("InvalidProductCodeException", "container", {"ProductCode": PIPELINE}),
        ("InvalidPublicKeyVersionException", "PublicKeyVersion 2", {"PublicKeyVersion": 2}),
        ("ValidationException", "nonce", {"Nonce": "n" * 256}),
        ("ValidationException", "productCode", {"ProductCode": "p" * 256}),
        ("ValidationException", "productCode", {"ProductCode": "a b"}),
        ("ValidationException", "publicKeyVersion", {"PublicKeyVersion": 2**31}),
        ("CustomerNotEntitledException", DRIFTER, {"account": DRIFTER}),
        (UNSUPPORTED, "souk:task/NAME", {"runs_on": None}),
        (UNSUPPORTED, "i-0123456789abcdef0", {"runs_on": "souk:i-0123456789abcdef0"}),
        (UNSUPPORTED, "souk:pod/NAME", {"runs_on": "souk:task/"}),
        (UNSUPPORTED, "nothing", {"runs_on": "a-token-of-aws"}),
    ],
)
def test_what_is_wrong_is_named(market: Market, code: str, word: str, wrong: dict[str, Any]) -> None:
    with refused(code, word):
        register(market, **wrong)


def test_a_caller_that_nobody_knows_is_refused(market: Market) -> None:
    stranger = market.metering(LABS, aws_access_key_id="AKIANOBODY0000000001", aws_session_token=TASK)
    with refused("UnrecognizedClientException", status=403):
        stranger.register_usage(ProductCode=CACHE, PublicKeyVersion=1)


def test_a_program_calls_where_it_was_launched(market: Market) -> None:
    launched = f"{TASK}@us-west-2"
    with refused("InvalidRegionException", "us-west-2", "us-east-1"):
        register(market, launched)
    there = market.metering(LABS, region_name="us-west-2", aws_session_token=launched)
    assert there.register_usage(ProductCode=CACHE, PublicKeyVersion=1)["Signature"]
    nowhere = market.metering(LABS, region_name="mars-north-1", aws_session_token=TASK)
    with refused("DisabledApiException", "mars-north-1"):
        nowhere.register_usage(ProductCode=CACHE, PublicKeyVersion=1)


def test_times_are_those_of_the_programs_own_clock(market: Market) -> None:
    replaced = NOW - timedelta(days=5)
    document = with_keys({"version": 1, "rotationTime": f"{replaced:%Y-%m-%dT%H:%M:%SZ}"})
    put(market, f"{document}\nrules: {{clientTime: MACHINE}}\n")
    before = datetime.now(timezone.utc)
    answer = register(market)
    after = datetime.now(timezone.utc)
    assert int(before.timestamp()) <= claims(market, answer["Signature"])["iat"] <= after.timestamp()
    # Five days ago by the sandbox's clock are five days ago by the program's.
    second, told = timedelta(seconds=1), answer["PublicKeyRotationTimestamp"]
    assert before - second <= told + timedelta(days=5) <= after + second


def test_a_program_stays_registered_when_its_agreement_is_cancelled(market: Market) -> None:
    register(market)
    market.souk("agreement", "cancel", market.agreements["offer-cache", LABS]["agreementId"])
    market.advance(NOW + HOUR)
    answer = register(market, Nonce="later")
    assert claims(market, answer["Signature"])["iat"] == int((NOW + HOUR).timestamp())
    with refused("CustomerNotEntitledException", LABS):
        register(market, POD)
    with refused("InvalidPublicKeyVersionException"):
        register(market, PublicKeyVersion=2)


def test_a_version_that_was_replaced_says_since_when(market: Market) -> None:
    replaced, soon = NOW - timedelta(days=5), NOW + HOUR
    put(
        market,
        with_keys(
            {"version": 1, "privateKey": private_pem(), "rotationTime": f"{replaced:%Y-%m-%dT%H:%M:%SZ}"},
            {"version": 2, "rotationTime": f"{soon:%Y-%m-%dT%H:%M:%SZ}"},
            {"version": 7, "privateKey": private_pem(4096)},
        ),
    )
    assert len(set(public_keys(market).values())) == 3

    def rotation(version: int) -> datetime | None:
        answer = register(market, PublicKeyVersion=version)
        assert claims(market, answer["Signature"])["publicKeyVersion"] == version
        return answer.get("PublicKeyRotationTimestamp")

    assert [rotation(version) for version in (1, 2, 7)] == [replaced, None, None]
    market.advance(soon)
    assert [rotation(version) for version in (1, 2, 7)] == [replaced, soon, None]
    with refused("InvalidPublicKeyVersionException", "1, 2, 7"):
        register(market, PublicKeyVersion=3)


def test_a_key_that_cannot_sign_is_refused_with_its_place(market: Market) -> None:
    before = public_keys(market)
    with pytest.raises(urllib.error.HTTPError) as caught:
        put(market, with_keys({"version": 1}, {"version": 2, "privateKey": private_pem(1024)}))
    assert caught.value.code == 400
    told = caught.value.read().decode()
    assert "publicKeys[1].privateKey" in told and "2,048" in told, told
    assert public_keys(market) == before


def test_a_sandbox_without_containers_shows_no_keys_but_its_own(market: Market) -> None:
    put(market, "description: nobody sells containers here")
    assert public_keys(market) == {}
    put(market, f"publicKeys: {json.dumps([{'version': 4, 'privateKey': private_pem()}])}")
    assert list(public_keys(market)) == [4]


def test_the_key_of_a_folder_is_its_owner_s_alone_and_outlives_the_server(tmp_path: Path) -> None:
    server = Server(tmp_path, "verify")
    market = server.market()
    file = tmp_path / "register-usage-key.pem"
    signature = register(market)["Signature"]
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    shown = public_keys(market)
    server.stop()

    market.server = Server(tmp_path, "verify")
    market.endpoint = f"{market.server.http}/s/{market.name}"
    assert public_keys(market) == shown
    assert claims(market, signature) == claims(market, register(market)["Signature"])
    market.server.stop()


def test_the_time_of_a_signature_is_a_whole_second_of_the_sandbox_s(market: Market) -> None:
    market.admin("clock", {"to": "2026-01-15T12:30:00.999999Z"})
    issued = claims(market, register(market)["Signature"])["iat"]
    assert datetime.fromtimestamp(issued, timezone.utc) == NOW

"""Who calls: signatures, keys, and sandboxes by path."""

from typing import Any

from botocore import UNSIGNED
from botocore.config import Config
from market import DOCUMENT, BEACON, CIRRUS, LABS, MAIL, PIPELINE, Market, Server, record, refused


def meter(client: Any, **request: Any) -> str:
    """The status of one record."""
    given = {"ProductCode": PIPELINE, "UsageRecords": [record(1)]} | request
    [result] = client.batch_meter_usage(**given)["Results"]
    return result["Status"]


def test_the_right_secret_opens_every_service(strict_market: Market) -> None:
    assert meter(strict_market.metering()) == "Success"
    assert meter(strict_market.metering(region_name="ap-southeast-2")) == "Success"
    assert strict_market.entitlement().get_entitlements(ProductCode=PIPELINE)["Entitlements"] == []


def test_a_session_token_is_signed_too(strict_market: Market) -> None:
    assert meter(strict_market.metering(aws_session_token="souk:i-0123456789abcdef0")) == "Success"


def test_a_wrong_secret_is_refused_and_changes_nothing(strict_market: Market) -> None:
    with refused("InvalidSignatureException", status=403):
        meter(strict_market.metering(aws_secret_access_key="not the secret"))
    assert meter(strict_market.metering(), UsageRecords=[record(424242)]) == "Success"


def test_an_unknown_key_is_refused(strict_market: Market) -> None:
    with refused("UnrecognizedClientException", status=403):
        meter(strict_market.metering(aws_access_key_id="AKIANOBODY0000000001"))


def test_an_unsigned_request_is_refused(strict_market: Market) -> None:
    with refused("MissingAuthenticationTokenException", status=403):
        meter(strict_market.metering(config=Config(signature_version=UNSIGNED)))


def test_a_key_acts_for_its_own_account_alone(strict_market: Market) -> None:
    letters = record(1, CustomerAWSAccountId=BEACON, Dimension="letters")
    with refused("InvalidProductCodeException"):
        meter(strict_market.metering(CIRRUS), ProductCode=MAIL, UsageRecords=[letters])
    with refused("InvalidProductCodeException"):
        meter(strict_market.metering(LABS))


def test_identify_takes_any_secret_and_learns_who_calls(market: Market) -> None:
    assert meter(market.metering(aws_secret_access_key="whatever")) == "Success"
    with refused("InvalidProductCodeException"):
        meter(market.metering(LABS, aws_secret_access_key="whatever"))


def test_a_key_that_the_sandbox_does_not_know_is_refused_and_changes_nothing(market: Market) -> None:
    with refused("UnrecognizedClientException", "test", status=403):
        meter(market.metering(aws_access_key_id="test", aws_secret_access_key="test"))
    assert meter(market.metering(), UsageRecords=[record(424242)]) == "Success"


def test_where_nobody_has_keys_any_key_will_do_but_one_of_another_sandbox(market: Market) -> None:
    keyless = "\n".join(line for line in DOCUMENT.read_text().splitlines() if "ccessKey" not in line)
    market.server.put(f"keyless-{market.name}", keyless.encode())
    endpoint = {"endpoint_url": f"{market.server.http}/s/keyless-{market.name}"}
    with refused("UnrecognizedClientException", "another sandbox", status=403):
        meter(market.metering(**endpoint))
    assert meter(market.metering(aws_access_key_id="test", **endpoint), UsageRecords=[record(424242)]) == "Success"


def test_sandboxes_do_not_meet(strict_server: Server) -> None:
    one, other = strict_server.market(), strict_server.market()
    assert meter(one.metering()) == "Success"
    assert meter(other.metering(), UsageRecords=[record(2)]) == "Success"
    assert meter(one.metering(), UsageRecords=[record(2)]) == "DuplicateRecord"


def test_the_bare_address_is_the_default_sandbox(strict_market: Market) -> None:
    default = strict_market.metering(endpoint_url=strict_market.server.http)
    slashed = strict_market.metering(endpoint_url=f"{strict_market.server.http}/s/default/")
    assert meter(default) == meter(slashed) == "Success"
    assert meter(slashed, UsageRecords=[record(2)]) == "DuplicateRecord"
    assert meter(strict_market.metering(), UsageRecords=[record(2)]) == "Success"


def test_a_sandbox_that_is_not_there_is_refused(market: Market) -> None:
    with refused("UnrecognizedClientException", "nosuch", status=403):
        meter(market.metering(endpoint_url=f"{market.server.http}/s/nosuch"))

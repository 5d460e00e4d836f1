"""Faults that a sandbox asks for, against boto3's own retries: what a seller's program meets, and what is billed."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from time import monotonic
from typing import Any

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, ConnectionClosedError, ReadTimeoutError
from market import ACME, CACHE, DOCUMENT, HOUR, LABS, NOW, PIPELINE, VAULT, Market, record, refused

BATCH = "BatchMeterUsage"
# Every error is seen as it comes.
ONCE = Config(retries={"mode": "standard", "total_max_attempts": 1})
# What AWS recommends, and boto3 does unless told otherwise, with more patience.
PATIENT = Config(retries={"mode": "standard", "max_attempts": 10})


def meter(client: Any, *records: dict[str, Any]) -> Any:
    return client.batch_meter_usage(ProductCode=PIPELINE, UsageRecords=list(records))


def fault(kind: str, operation: str = BATCH, **fields: Any) -> dict[str, Any]:
    return {"operation": operation, "kind": kind} | fields


def billed(market: Market) -> str:
    """What Acme would pay now; without usage there is no invoice."""
    invoices = market.souk("invoice", "preview", ACME)
    return invoices[0]["total"] if invoices else "0.00"


def assert_billed(market: Market, gigabytes: float) -> None:
    assert billed(market) == f"{gigabytes * 0.015:.2f}"


def draw(seed: int, call: int) -> float:
    """The draw of a call: a step of splitmix64, which anybody can repeat."""
    mixed = (seed + call * 0x9E3779B97F4A7C15) % 2**64
    mixed = (mixed ^ mixed >> 30) * 0xBF58476D1CE4E5B9 % 2**64
    mixed = (mixed ^ mixed >> 27) * 0x94D049BB133111EB % 2**64
    return (mixed ^ mixed >> 31) / 2**64


@pytest.mark.parametrize(
    ("kind", "code", "status"),
    [
        ("THROTTLE", "ThrottlingException", 400),
        ("INTERNAL_ERROR", "InternalServiceErrorException", 500),
        ("EXPIRED_TOKEN", "ExpiredTokenException", 403),
    ],
)
def test_an_error_is_the_service_s_own_and_meters_nothing(market: Market, kind: str, code: str, status: int) -> None:
    market.faults(fault(kind))
    with refused(code, status=status):
        meter(market.metering(config=ONCE), record(100))
    assert_billed(market, 0)
    # What breaks a constraint is refused before, and counts for no fault.
    with refused("ValidationException"):
        meter(market.metering(config=ONCE), record(100, Dimension="d" * 256))
    assert market.struck() == [(1, 1)]


@pytest.mark.parametrize("kind", ["CUT_BEFORE_COMMIT", "CUT_AFTER_COMMIT"])
def test_a_cut_connection_is_closed_without_an_answer(market: Market, kind: str) -> None:
    market.faults(fault(kind))
    client = market.metering(config=ONCE)
    # Another operation goes over a connection of its own, or the same one again.
    assert market.entitlement().get_entitlements(ProductCode=VAULT)["Entitlements"]
    with pytest.raises(ConnectionClosedError):
        meter(client, record(100))
    assert_billed(market, 100 if kind == "CUT_AFTER_COMMIT" else 0)


@pytest.mark.parametrize("kind", ["THROTTLE", "INTERNAL_ERROR", "CUT_BEFORE_COMMIT", "CUT_AFTER_COMMIT"])
def test_a_retry_recovers_and_is_billed_once(market: Market, kind: str) -> None:
    market.faults(fault(kind, nthCall=1))
    client = market.metering()
    answer = meter(client, record(100))
    assert answer["ResponseMetadata"]["RetryAttempts"] == 1
    [result] = answer["Results"]
    assert result["Status"] == "Success"
    assert meter(client, record(100))["Results"] == [result]
    assert market.struck() == [(3, 1)]
    assert_billed(market, 100)


def test_a_program_that_does_not_retry_and_sends_other_quantities_learns_that_the_first_stands(market: Market) -> None:
    market.faults(fault("CUT_AFTER_COMMIT", nthCall=1))
    with pytest.raises(ConnectionClosedError):
        meter(market.metering(config=ONCE), record(100))
    [result] = meter(market.metering(), record(101))["Results"]
    assert result["Status"] == "DuplicateRecord"
    assert_billed(market, 100)


def test_meter_usage_is_metered_once_though_its_answer_is_lost(market: Market) -> None:
    market.faults(fault("CUT_AFTER_COMMIT", "MeterUsage", nthCall=1))
    usage = {"ProductCode": CACHE, "Timestamp": NOW, "UsageDimension": "shards", "UsageQuantity": 100}
    answer = market.metering(LABS).meter_usage(**usage)
    assert answer["MeteringRecordId"]
    assert answer["ResponseMetadata"]["RetryAttempts"] == 1
    assert billed(market) == "25.00"


@pytest.mark.parametrize(("records", "left"), [(None, 3), (2, 2), (9, 3)])
def test_unprocessed_records_come_back_and_are_sent_again(market: Market, records: int | None, left: int) -> None:
    market.faults(fault("UNPROCESSED_RECORDS", nthCall=1, **({} if records is None else {"records": records})))
    client = market.metering()
    sent = [record(100, Timestamp=NOW - n * HOUR) for n in range(3)]
    answer = meter(client, *sent)
    # No error and no retry of boto3's: the program must look.
    assert answer["ResponseMetadata"]["RetryAttempts"] == 0
    assert answer["UnprocessedRecords"] == sent[:left]
    assert [result["UsageRecord"] for result in answer["Results"]] == sent[left:]
    assert_billed(market, 100 * (3 - left))
    answer = meter(client, *answer["UnprocessedRecords"])
    assert answer["UnprocessedRecords"] == []
    assert_billed(market, 300)


def test_an_expired_token_is_the_buyer_s_of_resolve_customer_and_the_caller_s_elsewhere(market: Market) -> None:
    market.faults(
        {"kind": "EXPIRED_TOKEN", "nthCall": 1},
        fault("EXPIRED_TOKEN", "GetEntitlements"),
        fault("EXPIRED_TOKEN", "ResolveCustomer", nthCall=2),
    )
    agreement = market.agreements["offer-pipeline", LABS]["agreementId"]
    token = market.admin("tokens", {"agreementId": agreement})["registrationToken"]
    client = market.metering()
    with pytest.raises(client.exceptions.ExpiredTokenException) as caught:
        client.resolve_customer(RegistrationToken=token)
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400
    # boto3 tries neither of them again.
    assert caught.value.response["ResponseMetadata"]["RetryAttempts"] == 0
    with refused("ExpiredTokenException", "security token", status=403):
        market.entitlement().get_entitlements(ProductCode=VAULT)
    with refused("ExpiredTokenException", "registration token"):
        client.resolve_customer(RegistrationToken=token)
    assert client.resolve_customer(RegistrationToken=token)["CustomerAWSAccountId"] == LABS


def test_a_late_call_answers_late(market: Market) -> None:
    market.faults(fault("LATENCY", latency="0.2s"), fault("LATENCY", latency="0.1s"))
    client, begin = market.metering(), monotonic()
    assert meter(client, record(100))["Results"][0]["Status"] == "Success"
    assert monotonic() - begin >= 0.3


def test_a_call_that_is_given_up_is_carried_out_all_the_same(market: Market) -> None:
    market.faults(fault("LATENCY", nthCall=1, latency="1s"))
    impatient = market.metering(config=ONCE.merge(Config(read_timeout=0.1)))
    with pytest.raises(ReadTimeoutError):
        meter(impatient, record(100))
    deadline = monotonic() + 60
    while billed(market) == "0.00":
        assert monotonic() < deadline
    assert_billed(market, 100)


def test_a_timeout_is_tried_again_and_billed_once(market: Market) -> None:
    market.faults(fault("LATENCY", nthCall=1, latency="4s"), fault("LATENCY", nthCall=2, latency="0.001s"))
    answer = meter(market.metering(config=Config(read_timeout=2)), record(100))
    assert (answer["ResponseMetadata"]["RetryAttempts"], answer["Results"][0]["Status"]) == (1, "Success")
    assert market.struck() == [(2, 1), (2, 1)]
    assert_billed(market, 100)


def test_two_hundred_hours_under_faults_are_billed_once_each_and_the_seed_says_which_calls_are_struck(
    market: Market,
) -> None:
    kinds = {11: "CUT_AFTER_COMMIT", 12: "CUT_BEFORE_COMMIT", 13: "INTERNAL_ERROR"}
    market.faults(*[fault(kind, probability=0.12, seed=seed) for seed, kind in kinds.items()])
    client = market.metering(config=PATIENT)
    for hour in range(200):
        if hour % 20 == 0:
            market.advance(NOW + (hour + 20) * HOUR)
        [result] = meter(client, record(1 + hour % 7, Timestamp=NOW + hour * HOUR))["Results"]
        assert result["Status"] == "Success"
    assert_billed(market, sum(1 + hour % 7 for hour in range(200)))

    # A rule draws from its seed and its position. Each call that is struck is tried again, under the next number.
    draws = [seed ^ position << 48 for position, seed in enumerate(kinds)]
    calls = 0
    for _ in range(200):
        calls += 1
        while any(draw(start, calls) < 0.12 for start in draws):
            calls += 1
    struck = [sum(draw(start, call) < 0.12 for call in range(1, calls + 1)) for start in draws]
    assert market.struck() == [(calls, count) for count in struck]
    assert calls > 250


def test_aws_s_quotas_throttle_and_boto3_gets_everything_in(market: Market, tmp_path: Path) -> None:
    document = tmp_path / "quotas.yaml"
    document.write_text(DOCUMENT.read_text() + "\nrules: {awsQuotas: true}\n")
    market.souk("sandbox", "put", str(document))
    client = market.metering(config=ONCE)
    # An account's quota is its own.
    other = market.metering(LABS, config=ONCE)
    usage = {"ProductCode": CACHE, "Timestamp": NOW, "UsageDimension": "shards", "UsageQuantity": 0}

    def taken(_: int) -> bool:
        try:
            meter(client, record(0, Dimension="users", CustomerAWSAccountId=LABS))
        except ClientError as error:
            assert error.response["Error"] == {"Code": "ThrottlingException", "Message": "Rate exceeded"}
            assert error.response["ResponseMetadata"]["HTTPStatusCode"] == 400
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(taken, range(60)))
    assert 10 <= sum(answers) < 60
    assert other.meter_usage(**usage)["MeteringRecordId"]

    patient = market.metering(config=PATIENT)
    for n in range(20):
        assert meter(patient, record(100, Timestamp=NOW - n * HOUR))["Results"][0]["Status"] == "Success"
    assert_billed(market, 2_000)

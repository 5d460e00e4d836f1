"""A seller's month while the marketplace throttles, fails, forgets and does not answer: the bill is right."""

from decimal import Decimal
from typing import Any

from botocore.config import Config
from market import BEACON, HOUR, LABS, PIPELINE, VAULT, Market, record
from test_a_month import END, START, assert_invoiced_and_reported, customer

PATIENT = Config(retries={"mode": "standard", "max_attempts": 10})
BATCH = "BatchMeterUsage"


def rule(operation: str, kind: str, **fields: Any) -> dict[str, Any]:
    return {"operation": operation, "kind": kind} | fields


# One in five calls is struck. Throttles are the rarest, for boto3 waits longest after them.
FAULTS = [
    rule("ResolveCustomer", "THROTTLE", nthCall=1),
    rule("ResolveCustomer", "CUT_AFTER_COMMIT", nthCall=3),
    rule("GetEntitlements", "INTERNAL_ERROR", nthCall=1),
    rule(BATCH, "THROTTLE", probability=0.01, seed=1),
    rule(BATCH, "INTERNAL_ERROR", probability=0.05, seed=2),
    rule(BATCH, "UNPROCESSED_RECORDS", probability=0.05, seed=3, records=3),
    rule(BATCH, "UNPROCESSED_RECORDS", probability=0.02, seed=4),
    rule(BATCH, "CUT_BEFORE_COMMIT", probability=0.05, seed=5),
    rule(BATCH, "CUT_AFTER_COMMIT", probability=0.05, seed=6),
    rule(BATCH, "LATENCY", probability=0.05, seed=7, latency="0.005s"),
]


def send(client: Any, records: list[dict[str, Any]]) -> tuple[int, int]:
    """Sends records until all are processed, as a seller's program must; answers how often, with boto3's retries."""
    requests = retries = 0
    while records:
        answer = client.batch_meter_usage(ProductCode=PIPELINE, UsageRecords=records)
        assert {result["Status"] for result in answer["Results"]} <= {"Success"}
        assert len(answer["Results"]) + len(answer["UnprocessedRecords"]) == len(records)
        records = answer["UnprocessedRecords"]
        requests, retries = requests + 1, retries + answer["ResponseMetadata"]["RetryAttempts"]
    return requests, retries


def test_a_month_under_faults_is_invoiced_and_reported_to_the_cent(market: Market) -> None:
    market.faults(*FAULTS)
    client = market.metering(config=PATIENT)
    customers = {buyer: customer(market, buyer) for buyer in (LABS, BEACON)}
    seats = market.entitlement(config=PATIENT).get_entitlements(ProductCode=VAULT)["Entitlements"]
    assert sorted(e["Value"]["IntegerValue"] for e in seats) == [3, 7, 50]

    totals: dict[tuple[str, str], Decimal] = {}
    now, requests, retries = START, 0, 0
    while now < END:
        hour, now = now, now + HOUR
        market.advance(now)
        records = []
        for buyer, named in customers.items():
            for dimension, quantity in [("gigabytes", f"{hour.hour}.{hour.day:03}"), ("users", str(hour.day))]:
                records.append(record(quantity, Timestamp=hour, Dimension=dimension, **named))
                totals[buyer, dimension] = totals.get((buyer, dimension), Decimal(0)) + Decimal(quantity)
        sent = send(client, records)
        requests, retries = requests + sent[0], retries + sent[1]

    struck = market.struck()
    assert all(count > 0 for _, count in struck), struck
    assert {calls for calls, _ in struck[3:]} == {requests + retries}
    assert retries > 50
    assert_invoiced_and_reported(market, totals)

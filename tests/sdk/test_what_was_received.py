"""What a program sent, as a test suite sees it afterwards: the records that stand, and those that were refused."""

import json
import urllib.parse
import urllib.request
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError
from market import BEACON, CACHE, CIRRUS, HOUR, LABS, NOW, PIPELINE, STRANGER, Market, record

STAMP = "2026-01-15T12:30:00Z"


def listed(market: Market, **parameters: str) -> list[dict[str, Any]]:
    """A list of the sandbox's usage, page by page."""
    records: list[dict[str, Any]] = []
    token = ""
    while True:
        query = urllib.parse.urlencode(parameters | {"pageSize": "3", "pageToken": token})
        url = f"{market.server.http}/_souk/sandboxes/{market.name}/usage?{query}"
        with urllib.request.urlopen(url, timeout=60) as answer:
            page = json.load(answer)
        records += page.get("meteredRecords", []) + page.get("refusedRecords", [])
        token = page["nextPageToken"]
        if not token:
            return records


def refused(market: Market, **parameters: str) -> list[dict[str, Any]]:
    return listed(market, status="refused", **parameters)


def test_what_stands_has_the_ids_that_the_program_got(market: Market) -> None:
    client = market.metering()
    tags = [{"Key": "team", "Value": "blue"}]
    allocations = [
        {"AllocatedUsageQuantity": 3, "Tags": tags},
        {"AllocatedUsageQuantity": 2},
    ]
    sent = [record(5, UsageAllocations=allocations), record("0.5", Timestamp=NOW - HOUR)]
    answer = client.batch_meter_usage(ProductCode=PIPELINE, UsageRecords=sent)
    ids = [result["MeteringRecordId"] for result in answer["Results"]]
    earlier, later = listed(market)
    assert [later["meteringRecordId"], earlier["meteringRecordId"]] == ids
    assert (earlier["hour"], earlier["quantity"]) == ("2026-01-15T11:00:00Z", "0.5")
    assert later["usageAllocations"] == [
        {"quantity": "3", "tags": {"team": "blue"}},
        {"quantity": "2", "tags": {}},
    ]
    assert (later["productCode"], later["buyerAccountId"], later["dimension"]) == (PIPELINE, LABS, "gigabytes")
    assert refused(market) == []


def test_single_records_that_were_refused_are_told(market: Market) -> None:
    client = market.metering()
    client.batch_meter_usage(ProductCode=PIPELINE, UsageRecords=[record(5)])
    # The same again is no refusal.
    client.batch_meter_usage(ProductCode=PIPELINE, UsageRecords=[record(5)])
    assert refused(market) == []
    sent = [record(6), record(1, CustomerAWSAccountId=STRANGER), record(5)]
    answer = client.batch_meter_usage(ProductCode=PIPELINE, UsageRecords=sent)
    statuses = [result["Status"] for result in answer["Results"]]
    assert statuses == ["DuplicateRecord", "CustomerNotSubscribed", "Success"]
    stranger, duplicate = refused(market)
    assert (stranger["code"], stranger["customerAwsAccountId"]) == ("CustomerNotSubscribed", STRANGER)
    assert (duplicate["code"], duplicate["quantity"]) == ("DuplicateRecord", "6")
    assert answer["Results"][0]["MeteringRecordId"] in duplicate["message"]
    for told in (stranger, duplicate):
        assert (told["operation"], told["productCode"], told["dimension"]) == ("BatchMeterUsage", PIPELINE, "gigabytes")
        assert (told["receiveTime"], told["timestamp"]) == (STAMP, STAMP)


@pytest.mark.parametrize(
    ("code", "product", "fields"),
    [
        ("TimestampOutOfBoundsException", PIPELINE, {"Timestamp": NOW - timedelta(days=2)}),
        ("InvalidProductCodeException", "unknown", {}),
        ("InvalidUsageDimensionException", PIPELINE, {"Dimension": "unknown"}),
        ("InvalidCustomerIdentifierException", PIPELINE, {"CustomerAWSAccountId": None, "CustomerIdentifier": "x"}),
        ("InvalidTagException", PIPELINE, {"UsageAllocations": [{"AllocatedUsageQuantity": 5, "Tags": [
            {"Key": "team", "Value": "blue"}, {"Key": "team", "Value": "red"}]}]}),
        ("InvalidUsageAllocationsException", PIPELINE, {"UsageAllocations": [{"AllocatedUsageQuantity": 4}]}),
        ("ValidationException", PIPELINE, {"CustomerAWSAccountId": "x"}),
    ],
)  # fmt: skip
def test_a_request_refused_as_a_whole_is_told_for_each_of_its_records(
    market: Market, code: str, product: str, fields: dict[str, Any]
) -> None:
    wrong, right = record(5, **fields), record(7, Timestamp=NOW - HOUR)
    with pytest.raises(ClientError) as caught:
        market.metering().batch_meter_usage(ProductCode=product, UsageRecords=[wrong, right])
    error = caught.value.response["Error"]
    assert error["Code"] == code
    told = refused(market)
    assert [(one["code"], one["message"]) for one in told] == [(code, error["Message"])] * 2
    assert [one["quantity"] for one in told] == ["7", "5"]
    assert {one["productCode"] for one in told} == {product}
    assert listed(market) == []


def test_a_refused_meter_usage_names_the_account_that_signed(market: Market) -> None:
    client = market.metering(BEACON)
    call = {"ProductCode": CACHE, "Timestamp": NOW, "UsageDimension": "unknown", "UsageQuantity": 3}
    with pytest.raises(ClientError) as caught:
        client.meter_usage(**call)
    [told] = refused(market)
    assert told["code"] == caught.value.response["Error"]["Code"] == "InvalidUsageDimensionException"
    assert (told["operation"], told["customerAwsAccountId"]) == ("MeterUsage", BEACON)
    assert (told["productCode"], told["dimension"], told["quantity"]) == (CACHE, "unknown", "3")


def test_a_signature_that_does_not_hold_is_told(strict_market: Market) -> None:
    client = strict_market.metering(CIRRUS, aws_secret_access_key="another")
    with pytest.raises(ClientError) as caught:
        client.batch_meter_usage(ProductCode=PIPELINE, UsageRecords=[record(5)])
    [told] = refused(strict_market)
    assert told["code"] == caught.value.response["Error"]["Code"] == "InvalidSignatureException"
    assert told["customerAwsAccountId"] == LABS


def test_lists_are_filtered(market: Market) -> None:
    client = market.metering()
    client.batch_meter_usage(ProductCode=PIPELINE, UsageRecords=[record(5), record(5, Timestamp=NOW - HOUR)])
    client.batch_meter_usage(ProductCode=PIPELINE, UsageRecords=[record(6), record(1, CustomerAWSAccountId=STRANGER)])
    for parameters, metered_count, refused_count in [
        ({"productCode": PIPELINE}, 2, 2),
        ({"buyer": LABS}, 2, 1),
        ({"dimension": "gigabytes", "month": "2026-01"}, 2, 2),
        ({"dimension": "unknown"}, 0, 0),
        ({"month": "2025-12"}, 0, 0),
    ]:
        found = (len(listed(market, **parameters)), len(refused(market, **parameters)))
        assert found == (metered_count, refused_count), parameters
    # By its legacy identifier it is the same buyer.
    other = {"CustomerAWSAccountId": None, "CustomerIdentifier": market.identifiers[CIRRUS, LABS]}
    client.batch_meter_usage(ProductCode=PIPELINE, UsageRecords=[record(8, **other)])
    assert [one["quantity"] for one in refused(market, buyer=LABS)] == ["8", "6"]

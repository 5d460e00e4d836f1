"""MeterUsage, as AWS documents it (aws-api A.3). The account of the access key is the buyer."""

from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from market import ACME, CACHE, CIRRUS, DRIFTER, HOUR, LABS, NOW, PIPELINE, Market, refused


def usage(quantity: int | str = 1, **fields: Any) -> dict[str, Any]:
    """A call's parameters; text is a decimal quantity."""
    amount = "UsageQuantityAsDecimal" if isinstance(quantity, str) else "UsageQuantity"
    return {"ProductCode": CACHE, "Timestamp": NOW, "UsageDimension": "shards", amount: quantity} | fields


def meter(market: Market, quantity: int | str = 1, instance: str | None = None, **fields: Any) -> str:
    """The id of a record that Acme Labs sends, from an instance if one is named."""
    token = f"souk:{instance}" if instance else None
    client = market.metering(LABS, aws_session_token=token)
    return client.meter_usage(**usage(quantity, **fields))["MeteringRecordId"]


def test_usage_is_metered_and_billed_to_the_payer_of_the_caller(market: Market) -> None:
    assert meter(market, 8)
    assert market.preview(ACME) == "2.00"


def test_an_identical_retry_gets_the_same_id_under_any_token(market: Market) -> None:
    first = meter(market, 17)
    later_in_the_hour = NOW - timedelta(minutes=29)
    assert meter(market, 17) == meter(market, "17.00", Timestamp=later_in_the_hour) == first
    assert meter(market, 17, Timestamp=NOW - HOUR) != first


def test_another_quantity_is_a_typed_error_and_the_first_stands(market: Market) -> None:
    client = market.metering(LABS)
    client.meter_usage(**usage(8))
    with pytest.raises(client.exceptions.DuplicateRequestException, match="UsageDimension"):
        client.meter_usage(**usage(9))
    assert market.preview(ACME) == "2.00"


def test_a_caller_without_a_subscription_is_not_entitled(market: Market) -> None:
    with refused("CustomerNotEntitledException", DRIFTER):
        market.metering(DRIFTER).meter_usage(**usage())


def test_a_caller_that_nobody_knows_is_refused(market: Market) -> None:
    stranger = market.metering(LABS, aws_access_key_id="AKIANOBODY0000000001")
    with refused("UnrecognizedClientException", status=403):
        stranger.meter_usage(**usage())


def test_the_window_is_six_hours(market: Market) -> None:
    assert meter(market, Timestamp=NOW - 6 * HOUR)
    with refused("TimestampOutOfBoundsException"):
        meter(market, Timestamp=NOW - 6 * HOUR - timedelta(seconds=1))
    with refused("TimestampOutOfBoundsException"):
        meter(market, Timestamp=NOW + timedelta(minutes=6))


def test_instances_do_not_meet(market: Market) -> None:
    one, other = "i-0123456789abcdef0", "i-0fedcba9876543210"
    assert len({meter(market, 8, one), meter(market, 12, other), meter(market, 4)}) == 3
    assert meter(market, 8, one) == meter(market, 8, one)
    with refused("DuplicateRequestException"):
        meter(market, 12, one)
    assert market.preview(ACME) == "6.00"


def test_a_client_token_names_one_call(market: Market) -> None:
    first = meter(market, 8, ClientToken="one")
    assert meter(market, 8, ClientToken="one") == first
    with refused("IdempotencyConflictException"):
        meter(market, 9, ClientToken="one")
    with refused("IdempotencyConflictException"):
        meter(market, 8, ClientToken="one", Timestamp=NOW - HOUR)
    assert meter(market, 9, ClientToken="two", Timestamp=NOW - HOUR)


def test_a_dry_run_checks_and_stores_nothing(market: Market) -> None:
    client = market.metering(LABS)
    assert "MeteringRecordId" not in client.meter_usage(**usage(8, DryRun=True))
    with refused("InvalidUsageDimensionException"):
        client.meter_usage(**usage(8, DryRun=True, UsageDimension="nosuch"))
    assert meter(market, 4)
    assert market.preview(ACME) == "1.00"


def test_a_dry_run_of_a_caller_without_a_subscription_is_unauthorized(market: Market) -> None:
    with refused("UnauthorizedException"):
        market.metering(DRIFTER).meter_usage(**usage(8, DryRun=True))


def test_the_publisher_tries_its_program_before_anybody_subscribes(market: Market) -> None:
    publisher = market.metering(CIRRUS)
    assert "MeteringRecordId" not in publisher.meter_usage(**usage(8, DryRun=True))
    first = publisher.meter_usage(**usage(8))["MeteringRecordId"]
    # Nothing was stored: another quantity is no conflict.
    assert publisher.meter_usage(**usage(9))["MeteringRecordId"] == first
    with refused("InvalidUsageDimensionException"):
        publisher.meter_usage(**usage(8, UsageDimension="nosuch"))


def test_the_endpoint_is_that_of_the_region_that_the_program_runs_in(market: Market) -> None:
    with refused("InvalidEndpointRegionException", "us-west-2"):
        meter(market, 8, "i-0123456789abcdef0@us-west-2")
    assert meter(market, 8, "i-0123456789abcdef0@us-east-1") == meter(market, 8, "i-0123456789abcdef0")
    with refused("InvalidEndpointRegionException"):
        market.metering(LABS, region_name="mars-north-1").meter_usage(**usage(8))
    assert market.metering(LABS, region_name="us-gov-west-1").meter_usage(**usage(8))


def test_software_as_a_service_is_metered_by_its_seller(market: Market) -> None:
    with refused("InvalidProductCodeException", PIPELINE):
        market.metering(LABS).meter_usage(**usage(8, ProductCode=PIPELINE, UsageDimension="gigabytes"))


def test_an_error_names_the_operation_s_own_member(market: Market) -> None:
    with refused("InvalidUsageDimensionException", "usageDimension: ", "nosuch"):
        meter(market, 1, UsageDimension="nosuch")


def test_tags_and_kinds_of_allocations_are_checked(market: Market) -> None:
    with refused("InvalidTagException"):
        meter(market, 1, UsageAllocations=[{"AllocatedUsageQuantity": 1, "Tags": [{"Key": "k~", "Value": "v"}]}])
    with refused("InvalidUsageAllocationsException"):
        meter(market, 1, UsageAllocations=[{"AllocatedUsageQuantityAsDecimal": "1"}])


def test_the_month_before_ends_at_six_on_the_first(market: Market) -> None:
    last = datetime(2026, 1, 31, 23, 30, tzinfo=timezone.utc)
    market.advance(datetime(2026, 2, 1, 5, 29, tzinfo=timezone.utc))
    assert meter(market, 1, Timestamp=last)
    market.advance(datetime(2026, 2, 1, 6, tzinfo=timezone.utc))
    with refused("TimestampOutOfBoundsException"):
        meter(market, 2, Timestamp=last + timedelta(minutes=29))


def test_no_quantity_is_none_at_all(market: Market) -> None:
    client = market.metering(LABS)
    request = usage()
    del request["UsageQuantity"]
    assert client.meter_usage(**request)["MeteringRecordId"] == meter(market, 0)


def test_regions_do_not_meet(market: Market) -> None:
    far = market.metering(LABS, region_name="eu-west-1")
    assert far.meter_usage(**usage(9))["MeteringRecordId"] != meter(market, 8)


def test_allocations_add_up_and_have_distinct_tags(market: Market) -> None:
    def shares(*quantities: int, tag: str | None = None) -> list[dict[str, Any]]:
        return [
            {"AllocatedUsageQuantity": quantity, "Tags": [{"Key": "team", "Value": tag or str(n)}]}
            for n, quantity in enumerate(quantities)
        ]

    for wrong in [shares(4, 5), shares(4, 4, tag="same")]:
        with refused("InvalidUsageAllocationsException"):
            meter(market, 8, UsageAllocations=wrong)
    assert meter(market, 8, UsageAllocations=shares(3, 5))


@pytest.mark.parametrize(
    ("code", "wrong"),
    [
        ("InvalidProductCodeException", {"ProductCode": "nosuchproductcode00000001"}),
        ("InvalidUsageDimensionException", {"UsageDimension": "Shards"}),
        ("ValidationException", {"UsageQuantity": 2**31}),
        ("ValidationException", {"UsageQuantityAsDecimal": "1"}),
        ("ValidationException", {"UsageDimension": "d" * 256}),
        ("ValidationException", {"ClientToken": "t" * 65}),
    ],
    ids=["product", "dimension", "2^31", "both quantities", "long dimension", "long token"],
)
def test_wrong_fields_are_refused_and_change_nothing(market: Market, code: str, wrong: dict[str, Any]) -> None:
    with refused(code):
        meter(market, 1, **wrong)
    assert meter(market, 424242)

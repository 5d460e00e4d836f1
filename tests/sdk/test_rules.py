"""Where AWS's texts leave a choice, a rule of the sandbox takes the other one (aws-api G). What is answered without any
rule is tested beside the operations."""

from datetime import datetime, timedelta, timezone
from typing import Any

from market import CACHE, DRIFTER, HOUR, LABS, NOW, PIPELINE, Market, Server, record, refused


def market(server: Server, **rules: Any) -> Market:
    """A sandbox with rules."""
    said = ", ".join(f"{name}: {str(value).lower() if isinstance(value, bool) else value}" for name, value in rules.items())
    return server.market(f"rules: {{{said}}}\n")


def statuses(of: Market, *records: dict[str, Any], **request: Any) -> list[str]:
    """What becomes of records of the pipeline."""
    answer = of.metering().batch_meter_usage(**({"ProductCode": PIPELINE, "UsageRecords": list(records)} | request))
    return [result["Status"] for result in answer["Results"]]


def tagged(quantity: int, *tags: tuple[str, str]) -> dict[str, Any]:
    """An allocation."""
    return {"AllocatedUsageQuantity": quantity, "Tags": [{"Key": key, "Value": value} for key, value in tags]}


def test_a_retry_may_be_a_duplicate(server: Server) -> None:
    of = market(server, identicalRetry="DUPLICATE_RECORD")
    assert statuses(of, record(8), record(8)) == ["Success", "DuplicateRecord"]


def test_the_window_may_be_six_hours_or_one(server: Server) -> None:
    for rule, hours in [("METERING_WINDOW_6_HOURS", 6), ("METERING_WINDOW_1_HOUR", 1)]:
        of = market(server, meteringWindow=rule)
        just_in = NOW - hours * HOUR + timedelta(seconds=1)
        assert statuses(of, record(1, Timestamp=just_in)) == ["Success"]
        with refused("TimestampOutOfBoundsException"):
            statuses(of, record(1, Timestamp=NOW - hours * HOUR))


def test_the_first_hours_of_a_month_may_take_all_of_the_one_before(server: Server) -> None:
    old, now = datetime(2026, 1, 31, 4, tzinfo=timezone.utc), datetime(2026, 2, 1, 5, tzinfo=timezone.utc)
    both_hold, extended = server.market(), market(server, graceExtendsWindow=True)
    for of in (both_hold, extended):
        of.advance(now)
    with refused("TimestampOutOfBoundsException"):
        statuses(both_hold, record(1, Timestamp=old))
    assert statuses(extended, record(1, Timestamp=old)) == ["Success"]
    extended.advance(now + HOUR)
    with refused("TimestampOutOfBoundsException"):
        statuses(extended, record(2, Timestamp=old))


def test_a_registration_token_may_hold_half_an_hour(server: Server) -> None:
    of = market(server, registrationTokenLifetime="1800s")
    agreement = of.agreements["offer-pipeline", LABS]["agreementId"]
    token = of.admin("tokens", {"agreementId": agreement})["registrationToken"]
    assert of.metering().resolve_customer(RegistrationToken=token)["ProductCode"] == PIPELINE
    of.advance(NOW + timedelta(minutes=30))
    with refused("ExpiredTokenException"):
        of.metering().resolve_customer(RegistrationToken=token)


def test_an_unknown_identifier_may_concern_its_record_alone(server: Server) -> None:
    unknown = record(1, CustomerAWSAccountId=None, CustomerIdentifier="nobody")
    with refused("InvalidCustomerIdentifierException"):
        statuses(server.market(), unknown, record(1))
    of = market(server, unknownIdentifierRefused=False)
    assert statuses(of, unknown, record(1)) == ["CustomerNotSubscribed", "Success"]


def test_a_product_code_may_stand_beside_a_licence(server: Server) -> None:
    of = market(server, productCodeWithLicense=True)
    by_licence = record(8, LicenseArn=of.licence("offer-pipeline", LABS))
    assert statuses(of, by_licence) == ["Success"]
    # It counts by its licence: the same hour by code is another record.
    assert statuses(of, record(9)) == ["Success"]
    assert statuses(of, by_licence | {"Quantity": 9}) == ["DuplicateRecord"]
    with refused("InvalidLicenseException"):
        statuses(of, by_licence, ProductCode=CACHE)
    with refused("InvalidLicenseException"):
        statuses(of, by_licence | {"CustomerAWSAccountId": DRIFTER})


def test_five_tags_may_be_the_cap_of_a_record(server: Server) -> None:
    three = [("a", "1"), ("b", "1"), ("c", "1")]
    allocations = [tagged(1, *three), tagged(1, ("a", "2"), *three[1:])]
    assert statuses(server.market(), record(2, UsageAllocations=allocations)) == ["Success"]
    with refused("InvalidTagException"):
        statuses(market(server, tagsCappedPerRecord=True), record(2, UsageAllocations=allocations))


def test_a_timestamp_ahead_of_the_clock_may_be_refused_or_taken(server: Server) -> None:
    strict, lenient = market(server, futureSkew="0s"), market(server, futureSkew="3600s")
    assert statuses(strict, record(1)) == ["Success"]
    with refused("TimestampOutOfBoundsException"):
        statuses(strict, record(1, Timestamp=NOW + timedelta(seconds=1)))
    assert statuses(lenient, record(1, Timestamp=NOW + HOUR)) == ["Success"]


def test_allocations_may_count_in_a_retry(server: Server) -> None:
    of = market(server, retryComparesAllocations=True)
    blue, red = [tagged(2, ("team", "blue"))], [tagged(2, ("team", "red"))]
    first, same, other = (record(2, UsageAllocations=allocations) for allocations in (blue, blue, red))
    assert statuses(of, first, same, other, record(2)) == ["Success", "Success", "DuplicateRecord", "DuplicateRecord"]


def test_a_dry_run_may_be_an_error_as_documented(server: Server) -> None:
    of = market(server, dryRunRefused=True)
    usage = {"ProductCode": CACHE, "Timestamp": NOW, "UsageDimension": "shards", "UsageQuantity": 1, "DryRun": True}
    with refused("DryRunOperation"):
        of.metering(LABS).meter_usage(**usage)
    with refused("UnauthorizedException"):
        of.metering(DRIFTER).meter_usage(**usage)

"""BatchMeterUsage, as AWS documents it (aws-api A.2, decisions of G)."""

from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from market import ACME, BEACON, CIRRUS, DRIFTER, HOUR, LABS, MAIL, NOW, PIPELINE, STRANGER, STRATUS
from market import Market, record, refused

UTC = timezone.utc


def meter(market: Market, *records: dict[str, Any], **request: Any) -> list[dict[str, Any]]:
    """The results of a request that is taken, all of whose records were processed."""
    client = request.pop("client", None) or market.metering()
    answer = client.batch_meter_usage(**({"ProductCode": PIPELINE} | request), UsageRecords=list(records))
    assert answer["UnprocessedRecords"] == []
    return answer["Results"]


def by_licence(market: Market, *records: dict[str, Any]) -> list[dict[str, Any]]:
    """The same without a product code."""
    answer = market.metering().batch_meter_usage(UsageRecords=list(records))
    assert answer["UnprocessedRecords"] == []
    return answer["Results"]


def statuses(results: list[dict[str, Any]]) -> list[str]:
    return [result["Status"] for result in results]


def assert_free(market: Market, **fields: Any) -> None:
    """Nothing stands in the hour of such a record: a quantity that no test metered is taken."""
    assert statuses(meter(market, record(424242, **fields))) == ["Success"]


def test_a_record_is_metered_and_echoed(market: Market) -> None:
    [result] = meter(market, record(17))
    assert result["Status"] == "Success"
    assert result["MeteringRecordId"]
    assert result["UsageRecord"] == record(17)


def test_fractions_of_a_second_and_naive_times_are_utc(market: Market) -> None:
    naive = NOW.replace(tzinfo=None, microsecond=123000)
    first, second = meter(market, record(3, Timestamp=naive), record(3))
    assert first["MeteringRecordId"] == second["MeteringRecordId"]


def test_an_identical_retry_gets_the_first_id(market: Market) -> None:
    first = meter(market, record(17))
    again = meter(market, record(17))
    assert again == first


def test_another_minute_of_the_hour_is_the_same_record(market: Market) -> None:
    [first] = meter(market, record(17, Timestamp=NOW.replace(minute=1)))
    [again] = meter(market, record(17, Timestamp=NOW.replace(minute=29)))
    [next_hour] = meter(market, record(17, Timestamp=NOW - HOUR))
    assert again["MeteringRecordId"] == first["MeteringRecordId"] != next_hour["MeteringRecordId"]


def test_another_quantity_is_a_duplicate_and_the_first_stands(market: Market) -> None:
    meter(market, record(17))
    assert statuses(meter(market, record(18), record(17))) == ["DuplicateRecord", "Success"]
    assert market.preview(ACME) == "0.26"


@pytest.mark.parametrize("again", [17, "17", "17.0", "17.00", "17.000000"])
def test_quantities_are_compared_by_value(market: Market, again: int | str) -> None:
    first, second = meter(market, record(17), record(again))
    assert (second["Status"], second["MeteringRecordId"]) == ("Success", first["MeteringRecordId"])


def test_decimals_are_metered_to_the_last_digit(market: Market) -> None:
    largest, other = "9999999999.999999", "9999999999.999998"
    assert statuses(meter(market, record(largest), record(other))) == ["Success", "DuplicateRecord"]


def test_an_absent_quantity_is_zero_and_zero_locks_the_hour(market: Market) -> None:
    results = meter(market, record(), record(0), record(5))
    assert statuses(results) == ["Success", "Success", "DuplicateRecord"]


def test_equal_keys_in_one_request_are_taken_in_order(market: Market) -> None:
    results = meter(market, record(4), record(9), record(4))
    assert statuses(results) == ["Success", "DuplicateRecord", "Success"]
    assert results[0]["MeteringRecordId"] == results[2]["MeteringRecordId"]
    assert [result["UsageRecord"]["Quantity"] for result in results] == [4, 9, 4]


def test_dimensions_and_customers_do_not_meet(market: Market) -> None:
    results = meter(market, record(1), record(2, Dimension="users"), record(3, CustomerAWSAccountId=BEACON))
    assert statuses(results) == ["Success"] * 3
    assert len({result["MeteringRecordId"] for result in results}) == 3


def test_regions_do_not_meet_and_both_are_billed(market: Market) -> None:
    [here] = meter(market, record(100))
    [there] = meter(market, record(200), client=market.metering(region_name="eu-west-1"))
    assert (here["Status"], there["Status"]) == ("Success", "Success")
    assert here["MeteringRecordId"] != there["MeteringRecordId"]
    assert market.preview(ACME) == "4.50"


def test_twenty_five_records_fit_one_request(market: Market) -> None:
    hours = [record(1, Timestamp=NOW - n * HOUR / 2) for n in range(25)]
    assert statuses(meter(market, *hours)) == ["Success"] * 25


def test_an_empty_list_answers_empty_lists(market: Market) -> None:
    assert meter(market) == []


# How a record names its customer.


def test_the_legacy_identifier_and_the_account_are_one_customer(market: Market) -> None:
    identifier = market.identifiers[CIRRUS, LABS]
    legacy = record(17, CustomerAWSAccountId=None, CustomerIdentifier=identifier)
    first, second = meter(market, legacy, record(17))
    assert first["Status"] == second["Status"] == "Success"
    assert first["MeteringRecordId"] == second["MeteringRecordId"]


def test_an_empty_identifier_beside_the_account_is_an_absent_one(market: Market) -> None:
    assert statuses(meter(market, record(17, CustomerIdentifier=""))) == ["Success"]


def test_a_licence_names_product_and_customer(market: Market) -> None:
    licence = market.licence("offer-pipeline", LABS)
    alone, beside = by_licence(
        market,
        record(17, CustomerAWSAccountId=None, LicenseArn=licence),
        record(17, LicenseArn=licence),
    )
    assert alone["Status"] == beside["Status"] == "Success"
    assert alone["MeteringRecordId"] == beside["MeteringRecordId"]


def test_records_by_code_and_by_licence_do_not_meet_and_both_are_billed(market: Market) -> None:
    [by_code] = meter(market, record(100))
    [with_licence] = by_licence(market, record(200, LicenseArn=market.licence("offer-pipeline", LABS)))
    assert (by_code["Status"], with_licence["Status"]) == ("Success", "Success")
    assert by_code["MeteringRecordId"] != with_licence["MeteringRecordId"]
    assert market.preview(ACME) == "4.50"


@pytest.mark.parametrize("account", [STRANGER, DRIFTER, "7"])
def test_an_unknown_or_unsubscribed_account_is_told_record_by_record(market: Market, account: str) -> None:
    results = meter(market, record(1, CustomerAWSAccountId=account), record(2))
    assert statuses(results) == ["CustomerNotSubscribed", "Success"]


def test_usage_before_the_agreement_is_not_subscribed(market: Market) -> None:
    market.souk("agreement", "accept", "offer-pipeline", "--buyer", DRIFTER)
    before = record(1, CustomerAWSAccountId=DRIFTER, Timestamp=NOW - HOUR)
    assert statuses(meter(market, before)) == ["CustomerNotSubscribed"]


def test_an_ended_agreement_takes_records_for_one_hour_more(market: Market) -> None:
    agreement = market.agreements["offer-pipeline", LABS]["agreementId"]
    market.souk("agreement", "cancel", agreement)
    market.advance(NOW + timedelta(minutes=59))
    assert statuses(meter(market, record(1, Timestamp=NOW - HOUR))) == ["Success"]
    market.advance(NOW + HOUR)
    assert statuses(meter(market, record(1, Timestamp=NOW - 2 * HOUR))) == ["CustomerNotSubscribed"]


# The exceptions: each refuses the whole request.


def test_an_unknown_product_code_is_refused(market: Market) -> None:
    for code in ["nosuchproductcode00000001", "NOT-A-CODE"]:
        with refused("InvalidProductCodeException", code):
            meter(market, record(1), ProductCode=code)


def test_an_unknown_dimension_refuses_the_whole_request(market: Market) -> None:
    for dimension in ["Gigabytes", "seats", "d" * 255]:
        with refused("InvalidUsageDimensionException", dimension):
            meter(market, record(1), record(1, Dimension=dimension))
    assert_free(market)


@pytest.mark.parametrize(
    "moment",
    [NOW - timedelta(hours=24), NOW - timedelta(days=400), NOW + timedelta(minutes=6), NOW + timedelta(days=1)],
)
def test_a_time_out_of_bounds_refuses_the_whole_request(market: Market, moment: datetime) -> None:
    with refused("TimestampOutOfBoundsException"):
        meter(market, record(1), record(1, Timestamp=moment))
    assert_free(market)


def test_just_under_a_day_and_five_minutes_of_skew_are_taken(market: Market) -> None:
    oldest = NOW - timedelta(hours=24) + timedelta(seconds=1)
    newest = NOW + timedelta(minutes=5)
    assert statuses(meter(market, record(1, Timestamp=oldest), record(1, Timestamp=newest))) == ["Success"] * 2


def test_the_month_before_is_taken_until_six_on_the_first(market: Market) -> None:
    evening = datetime(2026, 1, 31, 22, 15, tzinfo=UTC)
    market.advance(datetime(2026, 2, 1, 5, 59, 59, tzinfo=UTC))
    assert statuses(meter(market, record(1, Timestamp=evening))) == ["Success"]
    market.advance(datetime(2026, 2, 1, 6, tzinfo=UTC))
    with refused("TimestampOutOfBoundsException"):
        meter(market, record(1, Timestamp=evening))
    assert statuses(meter(market, record(1, Timestamp=datetime(2026, 2, 1, tzinfo=UTC)))) == ["Success"]


def test_an_unknown_identifier_refuses_the_whole_request(market: Market) -> None:
    identifiers = ["nosuchcustomer", market.identifiers[STRATUS, BEACON]]
    for identifier in identifiers:
        with refused("InvalidCustomerIdentifierException", identifier):
            meter(market, record(1), record(1, CustomerAWSAccountId=None, CustomerIdentifier=identifier))
    assert_free(market)


def test_a_licence_that_does_not_fit_refuses_the_whole_request(market: Market) -> None:
    mine, mail = market.licence("offer-pipeline", LABS), market.licence("offer-mail", BEACON)
    good = record(1, LicenseArn=mine)
    unknown = f"{mine[:-4]}0000"
    for wrong in [
        record(1, LicenseArn=unknown),
        record(1, CustomerAWSAccountId=None, LicenseArn=mail),
        record(1, CustomerAWSAccountId=BEACON, LicenseArn=mine),
    ]:
        with refused("InvalidLicenseException"):
            by_licence(market, good, wrong)
    assert statuses(by_licence(market, record(424242, LicenseArn=mine))) == ["Success"]


def test_usage_before_the_licence_is_refused(market: Market) -> None:
    accepted = market.souk("agreement", "accept", "offer-pipeline", "--buyer", DRIFTER)
    mine = {"CustomerAWSAccountId": DRIFTER, "LicenseArn": accepted["agreement"]["licenseArn"]}
    with refused("InvalidLicenseException"):
        by_licence(market, record(1, **mine), record(1, **mine, Timestamp=NOW - HOUR))
    assert statuses(by_licence(market, record(424242, **mine))) == ["Success"]


def tagged(quantity: int | str, *tags: tuple[str, str]) -> dict[str, Any]:
    """An allocation; without tags the untagged one."""
    whole = isinstance(quantity, int)
    name = "AllocatedUsageQuantity" if whole else "AllocatedUsageQuantityAsDecimal"
    listed = [{"Key": key, "Value": value} for key, value in tags]
    return {name: quantity} | ({"Tags": listed} if listed else {})


def test_allocations_that_add_up_are_metered(market: Market) -> None:
    whole = [tagged(4, ("team", "blue")), tagged(5, ("team", "red"), ("env", "x")), tagged(1)]
    five_tags = [tagged("0.5", *((f"k{n}", "v") for n in range(5))), tagged("1.25")]
    results = meter(
        market,
        record(10, UsageAllocations=whole),
        record("1.75", Dimension="users", UsageAllocations=five_tags),
    )
    assert statuses(results) == ["Success", "Success"]
    assert results[0]["UsageRecord"]["UsageAllocations"] == whole


def test_allocations_are_not_compared_on_a_retry(market: Market) -> None:
    first, second, third = meter(
        market,
        record(10, UsageAllocations=[tagged(10, ("team", "blue"))]),
        record(10, UsageAllocations=[tagged(10, ("team", "red"))]),
        record(10),
    )
    assert first["MeteringRecordId"] == second["MeteringRecordId"] == third["MeteringRecordId"]
    assert statuses([first, second, third]) == ["Success"] * 3


@pytest.mark.parametrize(
    "allocations",
    [
        [tagged(9, ("team", "blue"))],
        [tagged(11)],
        [tagged("10")],
        [tagged(5, ("team", "blue")), tagged("5")],
        [tagged(5), tagged(5)],
        [tagged(5, ("a", "1"), ("b", "2")), tagged(5, ("b", "2"), ("a", "1"))],
    ],
    ids=["too little", "too much", "other kind", "mixed kinds", "two untagged", "tags of another order"],
)
def test_wrong_allocations_refuse_the_whole_request(market: Market, allocations: list[Any]) -> None:
    with refused("InvalidUsageAllocationsException"):
        meter(market, record(1, Dimension="users"), record(10, UsageAllocations=allocations))
    assert_free(market)
    assert_free(market, Dimension="users")


@pytest.mark.parametrize(
    "tags",
    [
        [(f"k{n}", "v") for n in range(6)],
        [("team", "blue"), ("team", "red")],
        [("k" * 101, "v")],
        [("k", "v" * 257)],
        [("k~", "v")],
        [("k", "é")],
    ],
    ids=["six tags", "a key twice", "a long key", "a long value", "a sign in the key", "a letter in the value"],
)
def test_wrong_tags_refuse_the_whole_request(market: Market, tags: list[tuple[str, str]]) -> None:
    with refused("InvalidTagException"):
        meter(market, record(10, UsageAllocations=[tagged(10, *tags)]))
    assert_free(market)


# What breaks the model's constraints.

FAILED = "failed to satisfy constraint: "


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (
            record(2**31),
            f"Value '2147483648' at 'usageRecords.1.member.quantity' {FAILED}"
            "Member must have value less than or equal to 2147483647",
        ),
        (record(1, QuantityAsDecimal="1"), "at 'usageRecords.1.member.quantityAsDecimal'"),
        (record("1e3"), "Member must satisfy regular expression pattern"),
        (record("01"), "Member must satisfy regular expression pattern"),
        (record("-1"), "Member must satisfy regular expression pattern"),
        (record("1.1234567"), "Member must satisfy regular expression pattern"),
        (record("99999999999"), "Member must satisfy regular expression pattern"),
        (record(1, CustomerAWSAccountId=None), "CustomerAWSAccountId"),
        (record(1, CustomerAWSAccountId="letters"), "Member must satisfy regular expression pattern: ^[0-9]+$"),
        (record(1, CustomerIdentifier="both"), "CustomerIdentifier"),
        (record(1, Dimension="d" * 256), "Member must have length less than or equal to 255"),
        (record(1, UsageAllocations=[{"Tags": [{"Key": "a", "Value": "b"}]}]), "AllocatedUsageQuantity"),
        (record(0, UsageAllocations=[tagged(0)] * 2501), "less than or equal to 2500"),
    ],
    ids=lambda value: None if isinstance(value, dict) else value[-40:],
)
def test_a_broken_constraint_refuses_the_whole_request(market: Market, wrong: Any, words: str) -> None:
    with refused("ValidationException", "1 validation error detected: Value ", words):
        meter(market, wrong, record(1))
    assert_free(market)


def test_twenty_six_records_are_one_too_many(market: Market) -> None:
    words = f"at 'usageRecords' {FAILED}Member must have length less than or equal to 25"
    with refused("ValidationException", "1 validation error detected: ", words):
        meter(market, *[record(1, Timestamp=NOW - n * HOUR / 2) for n in range(26)])
    assert_free(market)


def test_all_broken_constraints_are_told_at_once(market: Market) -> None:
    words = ["2 validation errors detected: ", "usageRecords.1.member.quantity", "usageRecords.2.member.dimension"]
    with refused("ValidationException", *words):
        meter(market, record(2**31), record(1, Dimension="d" * 256))


def test_a_product_code_of_wrong_letters_is_refused(market: Market) -> None:
    with refused("ValidationException", "at 'productCode'", "regular expression pattern"):
        meter(market, record(1), ProductCode="a code with spaces")


def test_code_and_licence_together_or_neither_are_refused(market: Market) -> None:
    licence = market.licence("offer-pipeline", LABS)
    with refused("ValidationException"):
        meter(market, record(1, LicenseArn=licence))
    with refused("ValidationException"):
        by_licence(market, record(1))
    assert_free(market)


def test_identity_is_checked_before_product_seller_and_holder(market: Market) -> None:
    licence = market.licence("offer-pipeline", LABS)
    for wrong in [{"ProductCode": MAIL}, {"ProductCode": "nosuchproduct"}]:
        with refused("ValidationException"):
            meter(market, record(1, LicenseArn=licence, CustomerAWSAccountId=BEACON), **wrong)


def test_a_malformed_licence_is_an_invalid_one(market: Market) -> None:
    for wrong in ["l-1", "arn:aws:license-manager::294406891311:license:l-0", "arn:"]:
        with refused("InvalidLicenseException"):
            by_licence(market, record(1, CustomerAWSAccountId=None, LicenseArn=wrong))
    assert_free(market)


def test_allocations_of_another_kind_are_checked_before_the_customer(market: Market) -> None:
    unknown = record(1, CustomerAWSAccountId=None, CustomerIdentifier="nobody", UsageAllocations=[tagged("1")])
    with refused("InvalidUsageAllocationsException"):
        meter(market, unknown)


def test_an_error_names_the_record_as_aws_counts(market: Market) -> None:
    with refused("InvalidUsageDimensionException", "usageRecords.2.member.dimension", "nosuch"):
        meter(market, record(1), record(1, Dimension="nosuch"))


def test_constraints_are_checked_before_the_product(market: Market) -> None:
    with refused("ValidationException"):
        meter(market, record(2**31, Dimension="nosuch"), ProductCode="nosuchproduct")


def test_the_product_is_checked_before_dimension_and_time(market: Market) -> None:
    late = NOW - timedelta(days=3)
    with refused("InvalidProductCodeException"):
        meter(market, record(1, Dimension="nosuch", Timestamp=late), ProductCode="nosuchproduct")
    with refused("InvalidUsageDimensionException"):
        meter(market, record(1, Timestamp=late), record(1, Dimension="nosuch"))
    with refused("TimestampOutOfBoundsException"):
        meter(market, record(1, UsageAllocations=[tagged(2)]), record(1, Timestamp=late))
    other_kind = [tagged("1")]
    with refused("InvalidProductCodeException"):
        meter(market, record(1, UsageAllocations=other_kind), ProductCode="nosuchproduct")
    with refused("TimestampOutOfBoundsException"):
        meter(market, record(1, UsageAllocations=other_kind), record(1, Timestamp=late))


def test_a_request_without_records_is_checked_as_any_other(market: Market) -> None:
    assert meter(market) == []
    with refused("InvalidProductCodeException"):
        meter(market, ProductCode="nosuchproduct")


def test_a_region_that_does_not_meter_is_refused(market: Market) -> None:
    with refused("DisabledApiException", "mars-north-1"):
        meter(market, record(1), client=market.metering(region_name="mars-north-1"))
    assert_free(market)


def test_a_seller_cannot_meter_another_seller_s_product(market: Market) -> None:
    letters = record(1, CustomerAWSAccountId=BEACON, Dimension="letters")
    with refused("InvalidProductCodeException", MAIL):
        meter(market, letters, ProductCode=MAIL)
    with refused("InvalidProductCodeException"):
        by_licence(market, letters | {"LicenseArn": market.licence("offer-mail", BEACON)})
    stratus = market.metering(STRATUS)
    assert statuses(meter(market, letters, ProductCode=MAIL, client=stratus)) == ["Success"]
    with refused("InvalidProductCodeException"):
        meter(market, record(1), client=market.metering(LABS))

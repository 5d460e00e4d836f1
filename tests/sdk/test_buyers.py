"""ResolveCustomer and GetEntitlements, as AWS documents them (aws-api A.5 and B)."""

from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from market import ARCHIVE, BEACON, CIRRUS, DRIFTER, LABS, NOW, PIPELINE, STRANGER, STRATUS, VAULT, Market, refused


def token(market: Market, offer: str = "offer-pipeline", buyer: str = LABS) -> str:
    """What a buyer's browser brings."""
    agreement = market.agreements[offer, buyer]["agreementId"]
    return market.admin("tokens", {"agreementId": agreement})["registrationToken"]


def test_a_token_says_who_bought_what(market: Market) -> None:
    answer = market.metering().resolve_customer(RegistrationToken=token(market))
    agreement = market.agreements["offer-pipeline", LABS]
    assert {name: value for name, value in answer.items() if name != "ResponseMetadata"} == {
        "CustomerIdentifier": market.identifiers[CIRRUS, LABS],
        "ProductCode": PIPELINE,
        "CustomerAWSAccountId": LABS,
        "LicenseArn": agreement["licenseArn"],
        "Metadata": {"AgreementId": agreement["agreementId"]},
    }


def test_a_token_is_resolved_alike_for_four_hours(market: Market) -> None:
    client, issued = market.metering(), token(market)

    def resolve() -> str:
        return client.resolve_customer(RegistrationToken=issued)["CustomerIdentifier"]

    first = resolve()
    market.advance(NOW + timedelta(hours=4) - timedelta(seconds=1))
    assert resolve() == first
    market.advance(NOW + timedelta(hours=4))
    with refused("ExpiredTokenException"):
        resolve()


def test_a_token_of_another_seller_or_sandbox_or_of_nobody_is_invalid(market: Market) -> None:
    issued = token(market)
    with refused("InvalidTokenException"):
        market.metering(STRATUS).resolve_customer(RegistrationToken=issued)
    with refused("InvalidTokenException"):
        market.server.market().metering().resolve_customer(RegistrationToken=issued)
    for wrong in ["x", issued[:-1], issued + "0", "ünïcode", "a" * 5000]:
        with refused("InvalidTokenException"):
            market.metering().resolve_customer(RegistrationToken=wrong)


def test_a_token_resolves_after_its_agreement_ended(market: Market) -> None:
    issued = token(market)
    market.souk("agreement", "cancel", market.agreements["offer-pipeline", LABS]["agreementId"])
    assert market.metering().resolve_customer(RegistrationToken=issued)["CustomerAWSAccountId"] == LABS


def test_a_region_that_does_not_resolve_is_refused(market: Market) -> None:
    with refused("DisabledApiException", "mars-north-1"):
        market.metering(region_name="mars-north-1").resolve_customer(RegistrationToken=token(market))


def test_an_empty_token_is_refused(market: Market) -> None:
    with refused("ValidationException", "registrationToken"):
        market.metering().resolve_customer(RegistrationToken="")


def entitled(market: Market, **filters: list[str]) -> set[tuple[str, str]]:
    """Whom the filters leave, with which dimensions."""
    answer = market.entitlement().get_entitlements(ProductCode=VAULT, Filter=filters)
    return {(e["CustomerAWSAccountId"], e["Dimension"]) for e in answer["Entitlements"]}


LABS_SEATS, LABS_NODES, BEACON_SEATS = (LABS, "seats"), (LABS, "nodes"), (BEACON, "seats")


def test_an_entitlement_says_what_was_bought_until_when(market: Market) -> None:
    answer = market.entitlement().get_entitlements(
        ProductCode=VAULT, Filter={"CUSTOMER_AWS_ACCOUNT_ID": [LABS], "DIMENSION": ["seats"]}
    )
    assert answer["Entitlements"] == [
        {
            "ProductCode": VAULT,
            "Dimension": "seats",
            "CustomerIdentifier": market.identifiers[CIRRUS, LABS],
            "CustomerAWSAccountId": LABS,
            "Value": {"IntegerValue": 50},
            "ExpirationDate": datetime(2027, 1, 2, tzinfo=timezone.utc),
            "LicenseArn": market.licence("offer-vault", LABS),
        }
    ]
    assert "NextToken" not in answer


def test_a_value_is_of_the_kind_of_its_dimension(market: Market) -> None:
    answer = market.entitlement().get_entitlements(ProductCode=ARCHIVE)
    values = {entitlement["Dimension"]: entitlement["Value"] for entitlement in answer["Entitlements"]}
    assert values == {
        "seats": {"IntegerValue": 4},
        "terabytes": {"DoubleValue": 12.0},
        "support": {"BooleanValue": True},
        "tier": {"StringValue": "3"},
    }


def test_filters_leave_what_all_of_them_name(market: Market) -> None:
    identifier = market.identifiers[CIRRUS, BEACON]
    licence = market.licence("offer-vault", LABS)
    assert entitled(market) == {LABS_SEATS, LABS_NODES, BEACON_SEATS}
    assert entitled(market, DIMENSION=["seats"]) == {LABS_SEATS, BEACON_SEATS}
    assert entitled(market, DIMENSION=["seats", "nodes"]) == {LABS_SEATS, LABS_NODES, BEACON_SEATS}
    assert entitled(market, CUSTOMER_AWS_ACCOUNT_ID=[LABS]) == {LABS_SEATS, LABS_NODES}
    assert entitled(market, CUSTOMER_IDENTIFIER=[identifier]) == {BEACON_SEATS}
    assert entitled(market, LICENSE_ARN=[licence], DIMENSION=["nodes"]) == {LABS_NODES}
    both = [licence, market.licence("offer-vault", BEACON), "arn:aws:license-manager::1:license:l-0"]
    assert entitled(market, LICENSE_ARN=both) == {LABS_SEATS, LABS_NODES, BEACON_SEATS}
    assert entitled(market, LICENSE_ARN=[licence], CUSTOMER_IDENTIFIER=[identifier]) == set()
    for nobody in [DRIFTER, STRANGER]:
        assert entitled(market, CUSTOMER_AWS_ACCOUNT_ID=[nobody]) == set()


@pytest.mark.parametrize("size", [1, 2, 3, 25])
def test_pages_hold_everything_once(market: Market, size: int) -> None:
    paginator = market.entitlement().get_paginator("get_entitlements")
    pages = list(paginator.paginate(ProductCode=VAULT, PaginationConfig={"PageSize": size}))
    assert all(len(page["Entitlements"]) <= size for page in pages)
    entries = [(e["CustomerAWSAccountId"], e["Dimension"]) for page in pages for e in page["Entitlements"]]
    assert sorted(entries) == sorted({LABS_SEATS, LABS_NODES, BEACON_SEATS})


def test_an_ended_contract_entitles_to_nothing(market: Market) -> None:
    market.advance(datetime(2027, 1, 1, 23, 59, 59, tzinfo=timezone.utc))
    assert entitled(market) == {LABS_SEATS, LABS_NODES, BEACON_SEATS}
    market.advance(datetime(2027, 1, 2, tzinfo=timezone.utc))
    assert entitled(market) == set()


@pytest.mark.parametrize(
    "wrong",
    [
        {"ProductCode": "nosuchproductcode00000001"},
        {"MaxResults": 26},
        {"NextToken": "made-up"},
        {"Filter": {"COLOUR": ["blue"]}},
        {"Filter": {"CUSTOMER_IDENTIFIER": ["a"], "CUSTOMER_AWS_ACCOUNT_ID": [LABS]}},
    ],
    ids=["unknown product", "26 results", "made-up page", "unknown filter", "both customer filters"],
)
def test_wrong_parameters_are_refused(market: Market, wrong: dict[str, Any]) -> None:
    client = market.entitlement()
    with pytest.raises(client.exceptions.InvalidParameterException):
        client.get_entitlements(**({"ProductCode": VAULT} | wrong))


def test_a_page_of_another_sandbox_is_refused(market: Market) -> None:
    first = market.entitlement().get_entitlements(ProductCode=VAULT, MaxResults=1)
    with refused("InvalidParameterException"):
        other = market.server.market().entitlement()
        other.get_entitlements(ProductCode=VAULT, NextToken=first["NextToken"])


def test_another_seller_sees_no_entitlements(market: Market) -> None:
    with refused("InvalidParameterException"):
        market.entitlement(STRATUS).get_entitlements(ProductCode=VAULT)

"""The AWS CLI."""

import json
from pathlib import Path
from typing import Any

import pytest
from market import ACME, BEACON, CACHE, CIRRUS, DRIFTER, HOUR, LABS, NOW, PIPELINE, VAULT, Market
from shell import PROGRAMS, Shell

AWS = PROGRAMS / "aws"
# What the program ends with when a service refuses.
REFUSED = 255


class CommandLine(Shell):
    """A shell that calls the AWS CLI."""

    def aws(self, *arguments: str) -> Any:
        """What the program answers."""
        done = self.run(str(AWS), *arguments)
        assert (done.returncode, done.stderr) == (0, ""), done.stderr
        return json.loads(done.stdout) if done.stdout.startswith(("{", "[")) else done.stdout

    def refused(self, code: str, *arguments: str) -> str:
        """What the program says of an error of this code."""
        done = self.run(str(AWS), *arguments)
        assert (done.returncode, done.stdout) == (REFUSED, ""), done
        assert f"An error occurred ({code}) when calling the " in done.stderr
        return done.stderr

    def batch(self, *records: str, product: str = PIPELINE) -> Any:
        """Meters records for a product."""
        return self.aws(*batch(*records, product=product))

    def meter(self, quantity: int) -> str:
        """The id of a record that the caller's program sends."""
        return self.aws(*usage(quantity))["MeteringRecordId"]


@pytest.fixture
def shell(market: Market, tmp_path: Path) -> CommandLine:
    """A seller's shell and a sandbox of its own."""
    return CommandLine(market, tmp_path)


def record(quantity: int, customer: str = LABS, **fields: str) -> str:
    """A record in the program's shorthand; the customer is an account or an identifier."""
    named = "CustomerAWSAccountId" if customer.isdigit() else "CustomerIdentifier"
    given = {"Timestamp": NOW.isoformat(), named: customer, "Dimension": "gigabytes", "Quantity": str(quantity)}
    return ",".join(f"{name}={value}" for name, value in (given | fields).items())


def batch(*records: str, product: str = PIPELINE) -> list[str]:
    """The arguments that meter records."""
    command = ["meteringmarketplace", "batch-meter-usage", "--product-code", product]
    return [*command, "--usage-records", *records]


def usage(quantity: int) -> list[str]:
    """The arguments of a program that meters itself."""
    command = ["meteringmarketplace", "meter-usage", "--product-code", CACHE]
    return [*command, "--timestamp", NOW.isoformat(), "--usage-dimension", "shards", "--usage-quantity", str(quantity)]


def resolve(token: str) -> list[str]:
    return ["meteringmarketplace", "resolve-customer", "--registration-token", token]


def entitlements(*arguments: str, product: str = VAULT) -> list[str]:
    return ["marketplace-entitlement", "get-entitlements", "--product-code", product, *arguments]


def test_records_in_shorthand_are_metered_and_echoed(shell: CommandLine) -> None:
    answer = shell.batch(record(100), record(7, BEACON))
    assert answer["UnprocessedRecords"] == []
    first, second = answer["Results"]
    assert (first["Status"], second["Status"]) == ("Success", "Success")
    assert first["MeteringRecordId"] != second["MeteringRecordId"]
    assert second["UsageRecord"] == {
        "Timestamp": NOW.timestamp(),
        "CustomerAWSAccountId": BEACON,
        "Dimension": "gigabytes",
        "Quantity": 7,
    }
    assert shell.market.preview(ACME) == "1.50"


def test_a_retry_gets_the_same_id_and_another_quantity_is_told_in_the_answer(shell: CommandLine) -> None:
    [first] = shell.batch(record(17))["Results"]
    again, other, nobody = shell.batch(record(17), record(18), record(1, DRIFTER))["Results"]
    assert (again["Status"], again["MeteringRecordId"]) == ("Success", first["MeteringRecordId"])
    assert (other["Status"], nobody["Status"]) == ("DuplicateRecord", "CustomerNotSubscribed")


def test_records_come_from_a_file(shell: CommandLine, tmp_path: Path) -> None:
    shares = [
        {"AllocatedUsageQuantity": 4, "Tags": [{"Key": "team", "Value": "blue"}]},
        {"AllocatedUsageQuantity": 6},
    ]
    licence = shell.market.licence("offer-pipeline", LABS)
    given = {"Timestamp": NOW.isoformat(), "LicenseArn": licence, "Dimension": "gigabytes", "Quantity": 10}
    file = tmp_path / "records.json"
    file.write_text(json.dumps([given | {"UsageAllocations": shares}]))
    answer = shell.aws("meteringmarketplace", "batch-meter-usage", "--usage-records", f"file://{file}")
    [result] = answer["Results"]
    assert (result["Status"], result["UsageRecord"]["UsageAllocations"]) == ("Success", shares)


def test_a_query_leaves_the_ids_as_text(shell: CommandLine) -> None:
    [result] = shell.batch(record(17))["Results"]
    query = ["--query", "Results[].[Status,MeteringRecordId]", "--output", "text"]
    assert shell.aws(*batch(record(17)), *query) == f"Success\t{result['MeteringRecordId']}\n"


def test_an_account_s_own_program_meters_by_instance(shell: CommandLine) -> None:
    shell.act_as(LABS)
    first = shell.meter(8)
    assert shell.meter(8) == first
    shell.act_as(LABS, "souk:i-0123456789abcdef0")
    assert shell.meter(12) != first
    assert shell.market.preview(ACME) == "5.00"


def test_another_quantity_of_a_program_is_an_error(shell: CommandLine) -> None:
    shell.act_as(LABS)
    shell.meter(8)
    assert "UsageDimension" in shell.refused("DuplicateRequestException", *usage(9))


def test_who_has_not_subscribed_is_not_entitled(shell: CommandLine) -> None:
    shell.act_as(DRIFTER)
    assert DRIFTER in shell.refused("CustomerNotEntitledException", *usage(1))


def test_a_token_is_resolved_until_it_expires(shell: CommandLine) -> None:
    agreement = shell.market.agreements["offer-pipeline", LABS]
    token = shell.market.admin("tokens", {"agreementId": agreement["agreementId"]})["registrationToken"]
    assert shell.aws(*resolve(token)) == {
        "CustomerIdentifier": shell.market.identifiers[CIRRUS, LABS],
        "ProductCode": PIPELINE,
        "CustomerAWSAccountId": LABS,
        "LicenseArn": agreement["licenseArn"],
    }
    shell.market.advance(NOW + 4 * HOUR)
    shell.refused("ExpiredTokenException", *resolve(token))


def test_filters_leave_what_all_of_them_name(shell: CommandLine) -> None:
    answer = shell.aws(*entitlements("--filter", f"CUSTOMER_AWS_ACCOUNT_ID={LABS},DIMENSION=seats"))
    assert answer == {
        "Entitlements": [
            {
                "ProductCode": VAULT,
                "Dimension": "seats",
                "CustomerIdentifier": shell.market.identifiers[CIRRUS, LABS],
                "CustomerAWSAccountId": LABS,
                "Value": {"IntegerValue": 50},
                "ExpirationDate": (NOW.replace(year=2027, day=2, hour=0, minute=0)).timestamp(),
                "LicenseArn": shell.market.licence("offer-vault", LABS),
            }
        ]
    }


def test_small_pages_are_put_together(shell: CommandLine) -> None:
    query = ["--query", "Entitlements[].[CustomerAWSAccountId,Dimension]"]
    everything = shell.aws(*entitlements(*query))
    assert sorted(everything) == [[LABS, "nodes"], [LABS, "seats"], [BEACON, "seats"]]
    assert shell.aws(*entitlements("--page-size", "1", *query)) == everything


def test_a_list_is_read_in_parts(shell: CommandLine) -> None:
    first = shell.aws(*entitlements("--page-size", "2", "--max-items", "2"))
    rest = shell.aws(*entitlements("--page-size", "2", "--starting-token", first["NextToken"]))
    assert (len(first["Entitlements"]), len(rest["Entitlements"])) == (2, 1)
    assert first["Entitlements"] + rest["Entitlements"] == shell.aws(*entitlements())["Entitlements"]


SEATS = record(1, Dimension="seats")
TOO_OLD = record(1, Timestamp=(NOW - 24 * HOUR).isoformat())


REFUSALS = [
    ("InvalidProductCodeException", batch(record(1), product="nosuch"), "nosuch"),
    ("InvalidUsageDimensionException", batch(record(1), SEATS), "seats"),
    ("TimestampOutOfBoundsException", batch(TOO_OLD), "calling the BatchMeterUsage operation: "),
    ("ValidationException", batch(*[record(1)] * 26), "less than or equal to 25"),
    ("InvalidCustomerIdentifierException", batch(record(1, "nobody")), "nobody"),
    ("InvalidTokenException", resolve("made-up"), "calling the ResolveCustomer operation: "),
    ("InvalidParameterException", entitlements(product="nosuch"), "nosuch"),
    ("InvalidParameterException", entitlements("--filter", "COLOUR=blue"), "Filters are CUSTOMER_IDENTIFIER, "),
]


@pytest.mark.parametrize(("code", "arguments", "words"), REFUSALS, ids=[code for code, _, _ in REFUSALS])
def test_an_error_is_told_with_its_code(shell: CommandLine, code: str, arguments: list[str], words: str) -> None:
    assert words in shell.refused(code, *arguments)


def test_what_the_program_refuses_itself_is_not_sent(shell: CommandLine) -> None:
    half = shell.run(str(AWS), "meteringmarketplace", "batch-meter-usage")
    assert (half.returncode, half.stdout) == (2, "")
    negative = shell.run(str(AWS), *batch(record(-1)))
    assert (negative.returncode, negative.stdout) == (REFUSED, "")
    assert "Parameter validation failed" in negative.stderr


def test_signatures_of_the_program_hold(strict_market: Market, tmp_path: Path) -> None:
    shell = CommandLine(strict_market, tmp_path)
    assert shell.batch(record(1))["Results"][0]["Status"] == "Success"
    assert len(shell.aws(*entitlements())["Entitlements"]) == 3
    shell.environment["AWS_SECRET_ACCESS_KEY"] = "not the secret"
    shell.refused("InvalidSignatureException", *entitlements())
    shell.environment["AWS_ACCESS_KEY_ID"] = "AKIANOBODY0000000001"
    shell.refused("UnrecognizedClientException", *batch(record(1)))


def test_a_service_that_is_not_here_is_an_unknown_operation(shell: CommandLine) -> None:
    shell.environment["AWS_ENDPOINT_URL"] = shell.market.endpoint
    command = ["marketplace-deployment", "list-tags-for-resource", "--resource-arn", "arn:aws:souk"]
    shell.refused("UnknownOperationException", *command)


def test_one_variable_and_the_option_name_the_endpoint_too(shell: CommandLine) -> None:
    for service in ["METERING", "ENTITLEMENT_SERVICE"]:
        del shell.environment[f"AWS_ENDPOINT_URL_MARKETPLACE_{service}"]
    shell.environment["AWS_ENDPOINT_URL"] = shell.market.endpoint
    [first] = shell.batch(record(17))["Results"]
    assert len(shell.aws(*entitlements())["Entitlements"]) == 3
    shell.environment["AWS_ENDPOINT_URL"] = f"{shell.market.server.http}/s/nosuch"
    shell.refused("UnrecognizedClientException", *batch(record(17)))
    option = ["--endpoint-url", shell.market.endpoint]
    assert shell.aws(*batch(record(17)), *option)["Results"] == [first]

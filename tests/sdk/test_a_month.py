"""A seller's month: buyers arrive, hourly records with retries while the clock is turned, the invoice, the report."""

from datetime import datetime, timezone
from decimal import Decimal

from market import ACME, BEACON, CIRRUS, HOUR, LABS, PIPELINE, Market, record

START, END = datetime(2026, 2, 1, tzinfo=timezone.utc), datetime(2026, 3, 1, tzinfo=timezone.utc)
BILLING_DATA = "monthly_revenue_billing_and_revenue_data"
PRICES = {"gigabytes": Decimal("0.015"), "users": Decimal("0.90")}


def customer(market: Market, buyer: str) -> dict[str, str | None]:
    """How records name a buyer: Acme Labs by its account, Beacon by the identifier of older integrations."""
    agreement = market.agreements["offer-pipeline", buyer]["agreementId"]
    token = market.admin("tokens", {"agreementId": agreement})["registrationToken"]
    resolved = market.metering().resolve_customer(RegistrationToken=token)
    assert (resolved["ProductCode"], resolved["CustomerAWSAccountId"]) == (PIPELINE, buyer)
    name = "CustomerAWSAccountId" if buyer == LABS else "CustomerIdentifier"
    return {"CustomerAWSAccountId": None, name: resolved[name]}


def test_a_month_of_hourly_records_is_invoiced_and_reported(strict_market: Market) -> None:
    market, client = strict_market, strict_market.metering()
    customers = {buyer: customer(market, buyer) for buyer in (LABS, BEACON)}
    # Who pays as it goes has bought nothing upfront.
    assert market.entitlement().get_entitlements(ProductCode=PIPELINE)["Entitlements"] == []
    totals: dict[tuple[str, str], Decimal] = {}
    now, late = START, []
    while now < END:
        hour, now = now, now + HOUR
        market.advance(now)
        records = []
        for buyer, named in customers.items():
            gigabytes = f"{hour.hour}.{hour.day:03}"
            users = str(hour.day) if buyer == LABS else "1"
            for dimension, quantity in [("gigabytes", gigabytes), ("users", users)]:
                records.append(record(quantity, Timestamp=hour, Dimension=dimension, **named))
                totals[buyer, dimension] = totals.get((buyer, dimension), Decimal(0)) + Decimal(quantity)
        # Every fifth hour the seller is down, and sends what it missed within the day; every third hour it hears no
        # answer, and sends the same again.
        late += records
        if hour.hour % 5 == 4 and now < END:
            continue
        ids = []
        for _ in range(2 if hour.hour % 3 == 0 else 1):
            answer = client.batch_meter_usage(ProductCode=PIPELINE, UsageRecords=late)
            assert {result["Status"] for result in answer["Results"]} == {"Success"}
            assert answer["UnprocessedRecords"] == []
            ids.append([result["MeteringRecordId"] for result in answer["Results"]])
        assert all(again == ids[0] for again in ids)
        late = []
    assert not late
    assert_invoiced_and_reported(market, totals)


def assert_invoiced_and_reported(market: Market, totals: dict[tuple[str, str], Decimal]) -> None:
    """Closes the month, and compares what it cost with what each buyer used of each dimension."""
    market.advance(datetime(2026, 3, 5, tzinfo=timezone.utc))
    for payer, buyer in [(ACME, LABS), (BEACON, BEACON)]:
        expected = {
            dimension: (totals[buyer, dimension] * price).quantize(Decimal("0.01"))
            for dimension, price in PRICES.items()
        }
        [listed] = market.souk("invoice", "list", "--payer", payer, "--month", "2026-02")
        invoice = market.souk("invoice", "show", listed["invoiceId"])
        lines = {line["dimension"]: line for line in invoice["lines"]}
        assert {dimension: Decimal(line["amount"]) for dimension, line in lines.items()} == expected
        assert {d: Decimal(line["quantity"]) for d, line in lines.items()} == {d: totals[buyer, d] for d in PRICES}
        assert Decimal(invoice["total"]) == sum(expected.values())

        report = market.souk("report", "show", BILLING_DATA, "--seller", CIRRUS, "--month", "2026-02")
        rows = [dict(zip(report["columns"], row, strict=True)) for row in report["rows"]]
        mine = [row for row in rows if row["Customer AWS Account Number"] == buyer]
        assert {row["Product Code"] for row in mine} == {PIPELINE}
        assert sum(Decimal(row["Customer Billed Amount"]) for row in mine) == sum(expected.values())

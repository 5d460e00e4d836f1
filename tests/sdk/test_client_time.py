"""Programs that know only the machine's clock, in a sandbox whose clock is turned (`clientTime: MACHINE`)."""

from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from market import ACME, HOUR, LABS, PIPELINE, VAULT, Market, Server

MACHINE = "rules: {clientTime: MACHINE}\n"
START, END = datetime(2026, 2, 1, tzinfo=timezone.utc), datetime(2026, 3, 1, tzinfo=timezone.utc)


def stamped_now() -> datetime:
    """As most programs do it."""
    return datetime.now(timezone.utc)


def cut_to_the_hour() -> datetime:
    """As many programs do it."""
    return datetime.now(timezone.utc).replace(minute=0, second=0, microsecond=0)


def report(client: Any, stamp: Callable[[], datetime], gigabytes: int) -> dict[str, Any]:
    """An hourly reporter. It has never heard of sandboxes."""
    record = {"Timestamp": stamp(), "CustomerAWSAccountId": LABS, "Dimension": "gigabytes", "Quantity": gigabytes}
    return client.batch_meter_usage(ProductCode=PIPELINE, UsageRecords=[record])["Results"][0]


@pytest.mark.parametrize("stamp", [stamped_now, cut_to_the_hour])
def test_an_untouched_hourly_reporter_lives_a_month_in_a_minute(
    strict_server: Server, stamp: Callable[[], datetime]
) -> None:
    market = strict_server.market(MACHINE)
    client, now, metered, ids = market.metering(), START, 0, set()
    while now < END:
        market.advance(now)
        result = report(client, stamp, gigabytes=now.hour)
        assert result["Status"] == "Success"
        ids.add(result["MeteringRecordId"])
        metered += now.hour
        now += HOUR
    assert len(ids) == 28 * 24
    market.advance(datetime(2026, 3, 3, tzinfo=timezone.utc))
    [listed] = market.souk("invoice", "list", "--payer", ACME, "--month", "2026-02")
    [line] = market.souk("invoice", "show", listed["invoiceId"])["lines"]
    assert (line["quantity"], Decimal(line["amount"])) == (str(metered), metered * Decimal("0.015"))
    explained = market.souk("invoice", "explain", listed["invoiceId"], "1")
    hours = [hour["hour"] for hour in explained["hours"]]
    first, last = START, END - HOUR
    assert (hours[0], hours[-1]) == (first.strftime("%Y-%m-%dT%H:%M:%SZ"), last.strftime("%Y-%m-%dT%H:%M:%SZ"))


def test_a_stamp_sent_again_later_is_the_same_moment(server: Server) -> None:
    market = server.market(MACHINE)
    market.advance(datetime(2026, 2, 1, tzinfo=timezone.utc))
    client, stamped = market.metering(), stamped_now()
    first = report(client, lambda: stamped, 8)
    while stamped_now() - stamped < timedelta(seconds=1):
        assert report(client, lambda: stamped, 8) == first
    [metered] = market.souk("usage", "list")
    assert metered["hour"] == "2026-02-01T00:00:00Z"


def test_what_the_sandbox_does_not_take_is_refused_in_the_machine_s_time_too(server: Server) -> None:
    market = server.market(MACHINE)
    client = market.metering()
    for ago, taken in [(timedelta(hours=23), True), (timedelta(hours=25), False), (timedelta(minutes=-10), False)]:
        stamp = lambda ago=ago: stamped_now() - ago  # noqa: E731
        if taken:
            assert report(client, stamp, 1)["Status"] == "Success"
        else:
            with pytest.raises(client.exceptions.TimestampOutOfBoundsException):
                report(client, stamp, 1)


def test_a_refused_record_is_told_in_the_sandbox_s_time(server: Server) -> None:
    market = server.market(MACHINE)
    client = market.metering()
    with pytest.raises(client.exceptions.TimestampOutOfBoundsException):
        report(client, lambda: stamped_now() - timedelta(hours=30), 1)
    [refused] = market.souk("usage", "list", "--refused")
    assert refused["timestamp"].startswith("2026-01-14T06:")


def expiration(market: Market) -> datetime:
    """When the vault's first entitlement ends, as the SDK reads it."""
    return market.entitlement().get_entitlements(ProductCode=VAULT)["Entitlements"][0]["ExpirationDate"]


def test_times_of_answers_are_the_machine_s(server: Server) -> None:
    of_machine = server.market(MACHINE)
    in_sandbox, in_machine = expiration(server.market()), expiration(of_machine)
    assert expiration(of_machine) == in_machine
    moved = datetime.now(timezone.utc) - datetime(2026, 1, 15, 12, 30, tzinfo=timezone.utc)
    assert abs(in_machine - in_sandbox - moved) < timedelta(minutes=5)

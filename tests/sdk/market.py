"""A running soukd, a sandbox of its own for each test, and the clients that a seller's or a buyer's program makes."""

from __future__ import annotations

import json
import subprocess
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from itertools import count
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

BINARIES = Path(__file__).parents[2] / "target" / "debug"
DOCUMENT = Path(__file__).with_name("market.yaml")

CIRRUS, STRATUS = "111111111111", "222222222222"
ACME, LABS, BEACON, DRIFTER = "333333333330", "333333333331", "444444444444", "555555555555"
STRANGER = "999999999999"
KEYS = {
    CIRRUS: ("AKIACIRRUSSELLER0001", "cirrus-secret-of-the-tests"),
    STRATUS: ("AKIASTRATUSSELLER001", "stratus-secret-of-the-tests"),
    LABS: ("AKIAACMELABS00000001", "labs-secret-of-the-tests"),
    BEACON: ("AKIABEACON0000000001", "beacon-secret-of-the-tests"),
    DRIFTER: ("AKIADRIFTER000000001", "drifter-secret-of-the-tests"),
}
PIPELINE = "cirruspipelineusage000001"
VAULT = "cirrusvaultcontract000001"
ARCHIVE = "cirrusarchivecontract0001"
CACHE = "cirruscachecontainer00001"
MAIL = "stratusmailusage000000001"

# Where the sandbox's clock stands when a test begins.
NOW = datetime(2026, 1, 15, 12, 30, tzinfo=timezone.utc)
HOUR = timedelta(hours=1)


class Server:
    """A soukd on free ports, with its data in a folder."""

    def __init__(self, data: Path, signatures: str) -> None:
        command = [str(BINARIES / "soukd"), "serve", "--data", str(data), "--sandbox", str(DOCUMENT)]
        command += ["--grpc", "127.0.0.1:0", "--http", "127.0.0.1:0", "--signatures", signatures]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout
        # The line comes when the ports are open; it is empty if the server ended instead.
        line = self.process.stdout.readline()
        assert line, f"soukd ended with {self.process.wait()}"
        ports = json.loads(line)
        self.http, self.grpc = f"http://{ports['http']}", f"http://{ports['grpc']}"
        self.numbers = count(1)

    def stop(self) -> None:
        """Stops it, and fails if it did not end well."""
        self.process.terminate()
        assert self.process.wait(timeout=60) == 0
        assert self.process.stdout
        self.process.stdout.close()

    def put(self, name: str, document: bytes) -> None:
        """Makes a sandbox."""
        request = urllib.request.Request(f"{self.http}/_souk/sandboxes/{name}", document, method="PUT")
        with urllib.request.urlopen(request, timeout=60) as answer:
            assert answer.status == 200

    def market(self, said_first: str = "") -> Market:
        """A sandbox that nobody else uses; `said_first` stands before the document's own lines."""
        return Market(self, f"sdk-{next(self.numbers)}", said_first)


class Market:
    """A sandbox made from market.yaml."""

    def __init__(self, server: Server, name: str, said_first: str = "") -> None:
        self.server, self.name = server, name
        self.endpoint = f"{server.http}/s/{name}"
        server.put(name, said_first.encode() + DOCUMENT.read_bytes())
        shown = self.souk("sandbox", "show")
        self.agreements = {(a["offerId"], a["buyerAccountId"]): a for a in shown["agreements"]}
        self.identifiers = {
            (c["sellerAccountId"], c["buyerAccountId"]): c["customerIdentifier"] for c in shown["customerIdentifiers"]
        }

    def souk(self, *arguments: str) -> Any:
        """What a souk command answers."""
        options = ["--endpoint", self.server.grpc, "--sandbox", self.name, "--output", "json"]
        command = [str(BINARIES / "souk"), *options, *arguments]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout or "null")

    def advance(self, to: datetime) -> None:
        """Turns the clock to a time."""
        self.admin("clock", {"to": to.strftime("%Y-%m-%dT%H:%M:%SZ")})

    def faults(self, *rules: dict[str, Any]) -> None:
        """Sets the faults in the place of those before."""
        self.admin("faults", {"faults": rules}, "PUT")

    def struck(self) -> list[tuple[int, int]]:
        """For each fault how many calls it was asked about, and how many it struck."""
        listed = self.souk("fault", "list")
        return [(int(count.get("calls", 0)), int(count.get("struck", 0))) for count in listed]

    def admin(self, path: str, body: dict[str, Any], method: str = "POST") -> Any:
        """Sends to the sandbox's admin routes."""
        url = f"{self.server.http}/_souk/sandboxes/{self.name}/{path}"
        headers = {"content-type": "application/json"}
        request = urllib.request.Request(url, json.dumps(body).encode(), headers, method=method)
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)

    def licence(self, offer: str, buyer: str) -> str:
        """The licence of an agreement."""
        return self.agreements[offer, buyer]["licenseArn"]

    def client(self, service: str, account: str = CIRRUS, **options: Any) -> Any:
        """An SDK client with an account's keys."""
        key, secret = KEYS[account]
        given = {
            "aws_access_key_id": key,
            "aws_secret_access_key": secret,
            "region_name": "us-east-1",
            "endpoint_url": self.endpoint,
        }
        return boto3.client(service, **(given | options))

    def metering(self, account: str = CIRRUS, **options: Any) -> Any:
        """A client of the metering service."""
        return self.client("meteringmarketplace", account, **options)

    def entitlement(self, account: str = CIRRUS, **options: Any) -> Any:
        """A client of the entitlement service."""
        return self.client("marketplace-entitlement", account, **options)

    def preview(self, payer: str) -> str:
        """What the open month's usage would cost a payer."""
        [invoice] = self.souk("invoice", "preview", payer)
        return invoice["total"]


def record(quantity: int | str | None = None, **fields: Any) -> dict[str, Any]:
    """A usage record of Acme Labs in the hour of the clock; text is a decimal quantity, `None` leaves a field out."""
    amount = "QuantityAsDecimal" if isinstance(quantity, str) else "Quantity"
    given = {"Timestamp": NOW, "CustomerAWSAccountId": LABS, "Dimension": "gigabytes", amount: quantity} | fields
    return {name: value for name, value in given.items() if value is not None}


@contextmanager
def refused(code: str, *words: str, status: int = 400) -> Iterator[None]:
    """Expects AWS's error of this code, whose message has these words."""
    with pytest.raises(ClientError) as caught:
        yield
    error, meta = caught.value.response["Error"], caught.value.response["ResponseMetadata"]
    assert (error["Code"], meta["HTTPStatusCode"]) == (code, status), error
    assert all(word in error["Message"] for word in words), error
    assert meta["RequestId"]

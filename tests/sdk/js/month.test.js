// The end of a seller's month: hourly records with retries while the clock is turned, the invoices, the report.

import assert from "node:assert/strict";
import { test } from "node:test";

import { BatchMeterUsageCommand, ResolveCustomerCommand } from "@aws-sdk/client-marketplace-metering";

import { ACME, BEACON, CIRRUS, HOUR, LABS, PIPELINE, Server, record } from "./market.js";

const server = await Server.start("verify");
const START = new Date("2026-02-27T12:00:00Z");
const END = new Date("2026-03-01T00:00:00Z");
// In thousandths of a dollar.
const PRICES = { gigabytes: 15, users: 900 };

/** Rounded half up to cents, as it stands on an invoice. */
const dollars = (thousandths) => (Math.floor((thousandths + 5) / 10) / 100).toFixed(2);

test("the last days of a month are invoiced and reported", async () => {
  const market = await server.market();
  const client = market.metering();
  const customers = [];
  for (const buyer of [LABS, BEACON]) {
    const token = await market.token("offer-pipeline", buyer);
    const customer = await client.send(new ResolveCustomerCommand({ RegistrationToken: token }));
    customers.push(customer.CustomerAWSAccountId);
  }
  const totals = Object.fromEntries(customers.map((buyer) => [buyer, { gigabytes: 0, users: 0 }]));
  await market.advance(START);
  for (let hour = START; hour < END; hour = new Date(hour.getTime() + HOUR)) {
    await market.admin("POST", "/clock", { advance: "PT1H" });
    const records = customers.flatMap((buyer) =>
      Object.keys(PRICES).map((dimension) => {
        const quantity = dimension === "users" ? hour.getUTCDate() : hour.getUTCHours() * 7 + 1;
        totals[buyer][dimension] += quantity;
        return record(quantity, { CustomerAWSAccountId: buyer, Dimension: dimension, Timestamp: hour });
      }),
    );
    const command = new BatchMeterUsageCommand({ ProductCode: PIPELINE, UsageRecords: records });
    const { Results, UnprocessedRecords } = await client.send(command);
    assert.deepEqual(Results.map((result) => result.Status), Array(4).fill("Success"));
    assert.deepEqual(UnprocessedRecords, []);
    // Every third hour the seller sends the same again.
    if (hour.getUTCHours() % 3 === 0) assert.deepEqual((await client.send(command)).Results, Results);
  }

  await market.advance(new Date("2026-03-05T00:00:00Z"));
  const kind = "monthly_revenue_billing_and_revenue_data";
  const report = await market.admin("GET", `/reports/${kind}?month=2026-02&seller=${CIRRUS}&format=json`);
  const column = (row, name) => row.cells[report.columns.indexOf(name)];
  for (const [payer, buyer] of [[ACME, LABS], [BEACON, BEACON]]) {
    const owed = Object.entries(PRICES).map(([dimension, price]) => dollars(totals[buyer][dimension] * price));
    const total = owed.reduce((sum, amount) => sum + Number(amount), 0).toFixed(2);
    const { invoices } = await market.admin("GET", `/invoices?payer=${payer}&month=2026-02`);
    assert.deepEqual(invoices.map((invoice) => invoice.total), [total]);
    const { invoice } = await market.admin("GET", `/invoices/${invoices[0].invoiceId}`);
    assert.deepEqual(invoice.lines.map((line) => line.amount), owed);
    const mine = report.rows.filter((row) => column(row, "Customer AWS Account Number") === buyer);
    const billed = mine.reduce((sum, row) => sum + Number(column(row, "Customer Billed Amount")), 0);
    assert.equal(billed.toFixed(2), total);
  }
});

// BatchMeterUsage and MeterUsage, as AWS documents them (aws-api A.2 and A.3).

import assert from "node:assert/strict";
import { test } from "node:test";

import {
  BatchMeterUsageCommand,
  CustomerNotEntitledException,
  DuplicateRequestException,
  IdempotencyConflictException,
  InvalidCustomerIdentifierException,
  InvalidLicenseException,
  InvalidProductCodeException,
  InvalidTagException,
  InvalidUsageAllocationsException,
  InvalidUsageDimensionException,
  MarketplaceMeteringServiceException,
  MeterUsageCommand,
  TimestampOutOfBoundsException,
} from "@aws-sdk/client-marketplace-metering";

import { BEACON, CACHE, CIRRUS, DRIFTER, LABS, NOW, PIPELINE, STRATUS } from "./market.js";
import { Server, hours, record, refused } from "./market.js";

const server = await Server.start();

const batch = (client, UsageRecords, ProductCode = PIPELINE) =>
  client.send(new BatchMeterUsageCommand({ ProductCode, UsageRecords }));

/** The results of a request that is taken, all of whose records were processed. */
async function meter(client, ...records) {
  const answer = await batch(client, records);
  assert.deepEqual(answer.UnprocessedRecords, []);
  return answer.Results;
}

const statuses = (results) => results.map((result) => result.Status);

/** One call of an account's own program. */
function use(client, fields = {}) {
  const given = { ProductCode: CACHE, Timestamp: NOW, UsageDimension: "shards", UsageQuantity: 8 };
  return client.send(new MeterUsageCommand({ ...given, ...fields }));
}

test("a record is metered and echoed", async () => {
  const market = await server.market();
  const [result] = await meter(market.metering(), record(17));
  assert.equal(result.Status, "Success");
  assert.ok(result.MeteringRecordId);
  assert.deepEqual(result.UsageRecord, record(17));
});

test("milliseconds are the same hour", async () => {
  const market = await server.market();
  const precise = new Date(NOW.getTime() - 789);
  const [first, second] = await meter(market.metering(), record(17, { Timestamp: precise }), record(17));
  assert.equal(first.MeteringRecordId, second.MeteringRecordId);
  assert.deepEqual(first.UsageRecord.Timestamp, precise);
});

test("a retry gets the same id, another hour another", async () => {
  const market = await server.market();
  const client = market.metering();
  const first = await meter(client, record(17));
  assert.deepEqual(await meter(client, record(17)), first);
  const [earlier] = await meter(client, record(17, { Timestamp: hours(-1) }));
  assert.notEqual(earlier.MeteringRecordId, first[0].MeteringRecordId);
});

test("every status is told record by record", async () => {
  const market = await server.market();
  const results = await meter(market.metering(), record(17), record(18), record(1, { CustomerAWSAccountId: DRIFTER }));
  assert.deepEqual(statuses(results), ["Success", "DuplicateRecord", "CustomerNotSubscribed"]);
});

test("a licence and the older identifier name a customer", async () => {
  const market = await server.market();
  const client = market.metering();
  const identified = { CustomerAWSAccountId: undefined, CustomerIdentifier: market.identifier(CIRRUS, BEACON) };
  assert.deepEqual(statuses(await meter(client, record(1, identified))), ["Success"]);
  const { licenseArn } = market.agreement("offer-pipeline", LABS);
  const licensed = await client.send(
    new BatchMeterUsageCommand({ UsageRecords: [record(1, { LicenseArn: licenseArn })] }),
  );
  assert.deepEqual(statuses(licensed.Results), ["Success"]);
});

test("allocations that add up are metered and echoed", async () => {
  const market = await server.market();
  const shares = [
    { AllocatedUsageQuantity: 4, Tags: [{ Key: "team", Value: "blue" }] },
    { AllocatedUsageQuantity: 6 },
  ];
  const [result] = await meter(market.metering(), record(10, { UsageAllocations: shares }));
  assert.equal(result.Status, "Success");
  assert.deepEqual(result.UsageRecord.UsageAllocations, shares);
});

test("no records are answered with empty lists", async () => {
  const market = await server.market();
  assert.deepEqual(await meter(market.metering()), []);
});

test("errors of a batch are typed and change nothing", async () => {
  const market = await server.market();
  const client = market.metering();
  const both = (fields) => batch(client, [record(1), record(1, fields)]);
  const tags = (count) => Array.from({ length: count }, (_, n) => ({ Key: `k${n}`, Value: "v" }));
  const stranger = { CustomerAWSAccountId: undefined, CustomerIdentifier: "nobody" };
  const licence = `${market.agreement("offer-pipeline", LABS).licenseArn.slice(0, -4)}0000`;
  const licensed = new BatchMeterUsageCommand({ UsageRecords: [record(1, { LicenseArn: licence })] });
  await refused(batch(client, [record(1)], "nosuch"), InvalidProductCodeException, "nosuch");
  await refused(both({ Dimension: "seats" }), InvalidUsageDimensionException, "seats");
  await refused(both({ Timestamp: hours(-24) }), TimestampOutOfBoundsException);
  await refused(both(stranger), InvalidCustomerIdentifierException, "nobody");
  await refused(client.send(licensed), InvalidLicenseException);
  await refused(both({ UsageAllocations: [{ AllocatedUsageQuantity: 2 }] }), InvalidUsageAllocationsException);
  const tagged = [{ AllocatedUsageQuantity: 1, Tags: tags(6) }];
  await refused(both({ UsageAllocations: tagged }), InvalidTagException);
  assert.deepEqual(statuses(await meter(client, record(424242))), ["Success"]);
});

test("an error without a class of its own is the service's, with its name", async () => {
  const market = await server.market();
  const many = batch(market.metering(), Array(26).fill(record(1)));
  await refused(many, "ValidationException", "less than or equal to 25");
  await assert.rejects(many, MarketplaceMeteringServiceException);
});

test("another seller's product is not there", async () => {
  const market = await server.market();
  await refused(batch(market.metering(STRATUS), [record(1)]), InvalidProductCodeException, PIPELINE);
});

test("an account's own program meters by instance", async () => {
  const market = await server.market();
  const one = market.metering(LABS, { sessionToken: "souk:i-0123456789abcdef0" });
  const other = market.metering(LABS, { sessionToken: "souk:i-0fedcba9876543210" });
  const first = await use(one);
  assert.equal((await use(one)).MeteringRecordId, first.MeteringRecordId);
  assert.notEqual((await use(other, { UsageQuantity: 9 })).MeteringRecordId, first.MeteringRecordId);
});

test("errors of a program are typed", async () => {
  const market = await server.market();
  const client = market.metering(LABS);
  await use(client, { ClientToken: "one" });
  await refused(use(client, { UsageQuantity: 9 }), DuplicateRequestException, "UsageDimension");
  await refused(use(client, { ClientToken: "one", UsageQuantity: 9 }), IdempotencyConflictException);
  await refused(use(client, { Timestamp: hours(-7) }), TimestampOutOfBoundsException);
  await refused(use(market.metering(DRIFTER)), CustomerNotEntitledException, DRIFTER);
});

test("a dry run checks and stores nothing", async () => {
  const market = await server.market();
  const client = market.metering(LABS);
  assert.equal((await use(client, { DryRun: true })).MeteringRecordId, undefined);
  await refused(use(client, { DryRun: true, UsageDimension: "nosuch" }), InvalidUsageDimensionException);
  assert.ok((await use(client, { UsageQuantity: 9 })).MeteringRecordId);
});

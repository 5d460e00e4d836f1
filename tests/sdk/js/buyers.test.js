// ResolveCustomer and GetEntitlements, as AWS documents them (aws-api A.5 and B).

import assert from "node:assert/strict";
import { test } from "node:test";

import {
  GetEntitlementsCommand,
  InvalidParameterException,
  paginateGetEntitlements,
} from "@aws-sdk/client-marketplace-entitlement-service";
import {
  ExpiredTokenException,
  InvalidTokenException,
  ResolveCustomerCommand,
} from "@aws-sdk/client-marketplace-metering";

import { BEACON, CIRRUS, LABS, PIPELINE, STRATUS, Server, VAULT, hours, refused } from "./market.js";

const server = await Server.start();
const EVERYTHING = [`${LABS} nodes`, `${LABS} seats`, `${BEACON} seats`];

const resolve = (client, RegistrationToken) => client.send(new ResolveCustomerCommand({ RegistrationToken }));
const entitlements = (client, request) =>
  client.send(new GetEntitlementsCommand({ ProductCode: VAULT, ...request }));
const names = (answer) =>
  answer.Entitlements.map((one) => `${one.CustomerAWSAccountId} ${one.Dimension}`).sort();

test("a token says who bought what", async () => {
  const market = await server.market();
  const answer = await resolve(market.metering(), await market.token("offer-pipeline", LABS));
  assert.equal(answer.CustomerIdentifier, market.identifier(CIRRUS, LABS));
  assert.equal(answer.ProductCode, PIPELINE);
  assert.equal(answer.CustomerAWSAccountId, LABS);
  assert.equal(answer.LicenseArn, market.agreement("offer-pipeline", LABS).licenseArn);
});

test("a token ends after four hours and is its seller's alone", async () => {
  const market = await server.market();
  const token = await market.token("offer-pipeline", LABS);
  await refused(resolve(market.metering(STRATUS), token), InvalidTokenException);
  await refused(resolve(market.metering(), "made-up"), InvalidTokenException);
  await market.advance(hours(4));
  await refused(resolve(market.metering(), token), ExpiredTokenException);
});

test("an entitlement says what was bought until when", async () => {
  const market = await server.market();
  const filter = { CUSTOMER_AWS_ACCOUNT_ID: [LABS], DIMENSION: ["seats"] };
  const answer = await entitlements(market.entitlement(), { Filter: filter });
  assert.deepEqual(answer.Entitlements, [
    {
      ProductCode: VAULT,
      Dimension: "seats",
      CustomerIdentifier: market.identifier(CIRRUS, LABS),
      CustomerAWSAccountId: LABS,
      Value: { IntegerValue: 50 },
      ExpirationDate: new Date("2027-01-02T00:00:00Z"),
      LicenseArn: market.agreement("offer-vault", LABS).licenseArn,
    },
  ]);
  assert.equal(answer.NextToken, undefined);
});

test("filters leave what all of them name", async () => {
  const market = await server.market();
  const client = market.entitlement();
  const left = async (Filter) => names(await entitlements(client, { Filter }));
  const identifier = market.identifier(CIRRUS, BEACON);
  const licence = market.agreement("offer-vault", LABS).licenseArn;
  assert.deepEqual(await left({}), EVERYTHING);
  assert.deepEqual(await left({ DIMENSION: ["seats", "nodes"] }), EVERYTHING);
  assert.deepEqual(await left({ CUSTOMER_IDENTIFIER: [identifier] }), [`${BEACON} seats`]);
  assert.deepEqual(await left({ LICENSE_ARN: [licence], DIMENSION: ["nodes"] }), [`${LABS} nodes`]);
  assert.deepEqual(await left({ LICENSE_ARN: [licence], CUSTOMER_IDENTIFIER: [identifier] }), []);
});

test("pages of any size hold everything once", async () => {
  const market = await server.market();
  for (const pageSize of [1, 2, 3, 25]) {
    const found = [];
    const pages = paginateGetEntitlements({ client: market.entitlement(), pageSize }, { ProductCode: VAULT });
    for await (const page of pages) {
      assert.ok(page.Entitlements.length <= pageSize);
      found.push(...names(page));
    }
    assert.deepEqual(found.sort(), EVERYTHING);
  }
});

test("wrong parameters are a typed error", async () => {
  const market = await server.market();
  for (const wrong of [
    { ProductCode: "nosuchproductcode00000001" },
    { MaxResults: 26 },
    { NextToken: "made-up" },
    { Filter: { COLOUR: ["blue"] } },
    { Filter: { CUSTOMER_IDENTIFIER: ["a"], CUSTOMER_AWS_ACCOUNT_ID: [LABS] } },
  ]) {
    await refused(entitlements(market.entitlement(), wrong), InvalidParameterException);
  }
});

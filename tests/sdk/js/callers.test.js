// How a program finds the endpoint and says who it is, and what it hears when an answer is lost.

import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { after, test } from "node:test";

import {
  GetEntitlementsCommand,
  MarketplaceEntitlementServiceClient,
} from "@aws-sdk/client-marketplace-entitlement-service";
import {
  BatchMeterUsageCommand,
  MarketplaceMeteringClient,
  MeterUsageCommand,
} from "@aws-sdk/client-marketplace-metering";

import { CACHE, CIRRUS, KEYS, LABS, NOW, PIPELINE, Server, VAULT, record, refused } from "./market.js";

const server = await Server.start("verify");
const identifying = await Server.start("identify");
const batch = (quantity) => new BatchMeterUsageCommand({ ProductCode: PIPELINE, UsageRecords: [record(quantity)] });

test("a program without a line of its own is pointed here by variables", async () => {
  const market = await server.market();
  Object.assign(process.env, {
    AWS_ENDPOINT_URL_MARKETPLACE_METERING: market.endpoint,
    AWS_ENDPOINT_URL_MARKETPLACE_ENTITLEMENT_SERVICE: market.endpoint,
    AWS_REGION: "us-east-1",
    AWS_ACCESS_KEY_ID: KEYS[CIRRUS].accessKeyId,
    AWS_SECRET_ACCESS_KEY: KEYS[CIRRUS].secretAccessKey,
  });
  const metering = new MarketplaceMeteringClient();
  const entitlement = new MarketplaceEntitlementServiceClient();
  assert.equal((await metering.send(batch(1))).Results[0].Status, "Success");
  assert.equal((await entitlement.send(new GetEntitlementsCommand({ ProductCode: VAULT }))).Entitlements.length, 3);
});

test("signatures hold, and a wrong or unknown key is refused", async () => {
  const market = await server.market();
  const sessionToken = "souk:i-0123456789abcdef0";
  assert.equal((await market.metering(CIRRUS, { sessionToken }).send(batch(1))).Results[0].Status, "Success");
  const wrong = (keys) => market.metering(CIRRUS, { credentials: { ...KEYS[CIRRUS], ...keys } }).send(batch(2));
  await refused(wrong({ secretAccessKey: "not the secret" }), "InvalidSignatureException", "", 403);
  await refused(wrong({ accessKeyId: "AKIANOBODY0000000001" }), "UnrecognizedClientException", "", 403);
});

test("a sandbox that is not there is refused", async () => {
  const market = await server.market();
  const client = market.metering(CIRRUS, { endpoint: `${server.http}/s/nosuch` });
  await refused(client.send(batch(1)), "UnrecognizedClientException", "nosuch", 403);
});

/** An address that hands requests on, and loses the first answer after it was given. */
async function losing(market) {
  const seen = [];
  const proxy = createServer(async (request, response) => {
    const body = Buffer.concat(await request.toArray());
    const { host, connection, ...headers } = request.headers;
    const answer = await fetch(`${market.server.http}${request.url}`, { method: "POST", headers, body });
    const text = await answer.text();
    seen.push(JSON.parse(text));
    if (seen.length === 1) {
      request.socket.destroy();
    } else {
      response.writeHead(answer.status, { "content-type": answer.headers.get("content-type") });
      response.end(text);
    }
  });
  proxy.listen(0, "127.0.0.1");
  await once(proxy, "listening");
  after(() => proxy.close());
  return { seen, endpoint: `http://127.0.0.1:${proxy.address().port}/s/${market.name}` };
}

test("when an answer is lost, the SDK's retry gets the same record", async () => {
  const market = await identifying.market();
  const { seen, endpoint } = await losing(market);
  const answer = await market.metering(CIRRUS, { endpoint }).send(batch(17));
  assert.equal(answer.Results[0].Status, "Success");
  assert.equal(seen.length, 2);
  assert.deepEqual(seen[0], seen[1]);
});

test("when the answer to a program's own record is lost, its client token is sent again", async () => {
  const market = await identifying.market();
  const { seen, endpoint } = await losing(market);
  const usage = { ProductCode: CACHE, Timestamp: NOW, UsageDimension: "shards", UsageQuantity: 8 };
  const answer = await market.metering(LABS, { endpoint }).send(new MeterUsageCommand(usage));
  assert.equal(answer.$metadata.attempts, 2);
  assert.deepEqual(seen, Array(2).fill({ MeteringRecordId: answer.MeteringRecordId }));
});

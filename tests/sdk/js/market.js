// A running soukd, a sandbox of its own for each test, and the clients that a seller's or a buyer's program makes.
// Tests run from a copy below target/tools, as deep below the root as this file.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline/promises";
import { after } from "node:test";
import { fileURLToPath } from "node:url";

import { MarketplaceEntitlementServiceClient } from "@aws-sdk/client-marketplace-entitlement-service";
import { MarketplaceMeteringClient } from "@aws-sdk/client-marketplace-metering";

export const ROOT = fileURLToPath(new URL("../../..", import.meta.url));
const DOCUMENT = join(ROOT, "tests/sdk/market.yaml");

export const [CIRRUS, STRATUS] = ["111111111111", "222222222222"];
export const [ACME, LABS, BEACON, DRIFTER] = ["333333333330", "333333333331", "444444444444", "555555555555"];
export const KEYS = {
  [CIRRUS]: { accessKeyId: "AKIACIRRUSSELLER0001", secretAccessKey: "cirrus-secret-of-the-tests" },
  [STRATUS]: { accessKeyId: "AKIASTRATUSSELLER001", secretAccessKey: "stratus-secret-of-the-tests" },
  [LABS]: { accessKeyId: "AKIAACMELABS00000001", secretAccessKey: "labs-secret-of-the-tests" },
  [DRIFTER]: { accessKeyId: "AKIADRIFTER000000001", secretAccessKey: "drifter-secret-of-the-tests" },
};
export const PIPELINE = "cirruspipelineusage000001";
export const VAULT = "cirrusvaultcontract000001";
export const CACHE = "cirruscachecontainer00001";

// Where the sandbox's clock stands when a test begins.
export const NOW = new Date("2026-01-15T12:30:00Z");
export const HOUR = 3_600_000;

/** So many hours after the clock's time. */
export const hours = (count) => new Date(NOW.getTime() + count * HOUR);

// Nothing of the machine's leaks in.
for (const name of Object.keys(process.env).filter((name) => name.startsWith("AWS_"))) {
  delete process.env[name];
}
process.env.AWS_CONFIG_FILE = process.env.AWS_SHARED_CREDENTIALS_FILE = "/dev/null";

/** A soukd on free ports for the tests of a file, with its data in a folder. */
export class Server {
  #sandboxes = 0;

  static async start(signatures = "identify") {
    const data = await mkdtemp(join(tmpdir(), "souk-js-"));
    const options = ["--grpc", "127.0.0.1:0", "--http", "127.0.0.1:0", "--signatures", signatures];
    const child = spawn(join(ROOT, "target/debug/soukd"), ["serve", "--data", data, ...options], {
      stdio: ["ignore", "pipe", "inherit"],
      env: { ...process.env, RUST_LOG: "warn" },
    });
    const kill = () => child.kill("SIGKILL");
    process.once("exit", kill);
    after(async () => {
      const ended = once(child, "exit");
      child.kill("SIGTERM");
      const [code] = await ended;
      process.off("exit", kill);
      await rm(data, { recursive: true });
      assert.equal(code, 0);
    });
    const server = new Server();
    // The line comes when the ports are open; there is none if the server ended instead.
    for await (const line of createInterface({ input: child.stdout })) {
      server.http = `http://${JSON.parse(line).http}`;
      return server;
    }
    throw new Error("soukd does not serve");
  }

  /** A sandbox that nobody else uses, made from market.yaml. */
  async market() {
    const market = new Market(this, `js-${++this.#sandboxes}`);
    await market.admin("PUT", "", await readFile(DOCUMENT, "utf8"));
    const { agreements, customerIdentifiers } = await market.admin("GET", "");
    market.agreements = agreements;
    market.identifiers = customerIdentifiers;
    return market;
  }
}

export class Market {
  constructor(server, name) {
    this.server = server;
    this.name = name;
    this.endpoint = `${server.http}/s/${name}`;
  }

  /** What an admin route of the sandbox answers. */
  async admin(method, path, body) {
    const text = typeof body === "object" ? JSON.stringify(body) : body;
    const answer = await fetch(`${this.server.http}/_souk/sandboxes/${this.name}${path}`, { method, body: text });
    assert.ok(answer.ok, `${path}: ${answer.status}`);
    return answer.json();
  }

  /** Turns the clock to a time. */
  advance(to) {
    return this.admin("POST", "/clock", { to: to.toISOString() });
  }

  agreement(offer, buyer) {
    return this.agreements.find((one) => one.offerId === offer && one.buyerAccountId === buyer);
  }

  /** How a seller knows a buyer by the identifier of older integrations. */
  identifier(seller, buyer) {
    return this.identifiers.find((one) => one.sellerAccountId === seller && one.buyerAccountId === buyer)
      .customerIdentifier;
  }

  /** What a buyer's browser brings. */
  async token(offer, buyer) {
    const { agreementId } = this.agreement(offer, buyer);
    return (await this.admin("POST", "/tokens", { agreementId })).registrationToken;
  }

  /** A client of the metering service with an account's keys. */
  metering(account = CIRRUS, { sessionToken, ...options } = {}) {
    return closed(new MarketplaceMeteringClient(this.#configured(account, sessionToken, options)));
  }

  /** A client of the entitlement service with an account's keys. */
  entitlement(account = CIRRUS, options = {}) {
    return closed(new MarketplaceEntitlementServiceClient(this.#configured(account, undefined, options)));
  }

  #configured(account, sessionToken, options) {
    const credentials = { ...KEYS[account], sessionToken };
    return { endpoint: this.endpoint, region: "us-east-1", credentials, ...options };
  }
}

function closed(client) {
  after(() => client.destroy());
  return client;
}

/** A usage record of Acme Labs in the hour of the clock. */
export function record(quantity, fields = {}) {
  return { Timestamp: NOW, CustomerAWSAccountId: LABS, Dimension: "gigabytes", Quantity: quantity, ...fields };
}

/** Expects AWS's error of this class, or of this name where the SDK has no class, whose message has these words. */
export async function refused(promise, expected, words = "", status = 400) {
  const named = typeof expected === "string";
  await assert.rejects(promise, (error) => {
    if (!named) assert.ok(error instanceof expected, `${error}`);
    assert.equal(error.name, named ? expected : expected.name);
    assert.equal(error.$fault, "client");
    assert.equal(error.$metadata.httpStatusCode, status);
    assert.ok(error.$metadata.requestId);
    assert.ok(error.message.includes(words), error.message);
    return true;
  });
}

// The guide server/AWS.md shows a program that runs.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { promisify } from "node:util";

import { CIRRUS, KEYS, ROOT, Server } from "./market.js";

const server = await Server.start();

test("the program of the guide prints what the guide says", async () => {
  const market = await server.market();
  const guide = await readFile(`${ROOT}/server/AWS.md`, "utf8");
  const block = (language) => guide.split(`\`\`\`${language}\n`)[1].split("```\n")[0];
  const env = {
    ...process.env,
    AWS_ENDPOINT_URL_MARKETPLACE_METERING: market.endpoint,
    AWS_ENDPOINT_URL_MARKETPLACE_ENTITLEMENT_SERVICE: market.endpoint,
    AWS_REGION: "us-east-1",
    AWS_ACCESS_KEY_ID: KEYS[CIRRUS].accessKeyId,
    AWS_SECRET_ACCESS_KEY: KEYS[CIRRUS].secretAccessKey,
  };
  const program = ["--input-type=module", "--eval", block("js")];
  const done = await promisify(execFile)(process.execPath, program, { cwd: import.meta.dirname, env });
  assert.equal(done.stdout, block("text"));
});

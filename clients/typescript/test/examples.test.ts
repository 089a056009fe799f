import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { after, before, test } from "node:test";

import { Server } from "./server.js";

let server: Server;
before(async () => {
  server = await Server.start();
});
after(() => server?.stop());

const readme = readFileSync("README.md", "utf8");
const blocks = [...readme.matchAll(/^```(\w*)\n(.*?)^```$/gms)].map(([, language, text]) => ({ language, text }));
const source = (name: string): string => readFileSync(`examples/${name}.mjs`, "utf8");
const environment = (more: object): NodeJS.ProcessEnv => ({ PATH: process.env["PATH"], BEHALF_TOKEN: server.adminKey, ...more });

test("the README's first program prints what it says", () => {
  const [program, printed] = blocks.filter(({ language }) => language === "js" || language === "");
  assert.equal(program?.text, source("ask"));
  const out = execFileSync("node", ["examples/ask.mjs"], { encoding: "utf8", env: environment({ BEHALF_URL: server.address }) });
  assert.equal(out, printed?.text);
});

/** Runs the sample service until the test ends, and returns its address. */
async function run(behalf: string, t: { after(end: () => Promise<unknown>): void }): Promise<string> {
  const free = createServer().listen(0, "127.0.0.1");
  await once(free, "listening");
  const { port } = free.address() as AddressInfo;
  await new Promise((closed) => free.close(closed));
  const child = spawn("node", ["examples/service.mjs"], { stdio: "ignore", env: environment({ BEHALF_URL: behalf, PORT: String(port) }) });
  t.after(() => {
    child.kill();
    return once(child, "exit");
  });
  const address = `http://127.0.0.1:${port}`;
  for (;;) {
    const answered = await fetch(address, { headers: { connection: "close" } }).then(() => true, () => false);
    if (answered) {
      return address;
    }
    assert.equal(child.exitCode, null, "the service has ended");
    await new Promise((soon) => setTimeout(soon, 20));
  }
}

test("the README's service, in under 20 lines", async (t) => {
  const program = blocks.filter(({ language }) => language === "js")[1]?.text ?? "";
  assert.equal(program, source("service"));
  assert.ok(program.split("\n").length < 20);
  const [here, away] = await Promise.all([run(server.address, t), run("http://127.0.0.1:1", t)]);
  const cases: [name: string, method: string, address: string, whose: string, status: number, says: RegExp][] = [
    ["permitted", "GET", here, "kari@2", 200, /^the return of 50076451 for user 20000490$/m],
    ["permitted to write", "PUT", here, "kari@3", 204, /^$/],
    ["denied", "GET", here, "ola@4", 403, /"reason":"DENIED"/],
    ["level too low", "PUT", here, "kari@2", 401, /"reason":"LEVEL_TOO_LOW".*"requiredLevel":3/],
    ["Behalf away", "GET", away, "kari@4", 503, /"reason":"UNAVAILABLE","detail":"access could not be decided"/],
  ];
  for (const [name, method, address, whose, status, says] of cases) {
    const response = await fetch(`${address}/parties/50076451/return`, { method, headers: { authorization: "Bearer " + server.credentials(whose) } });
    const body = await response.text(), challenge = response.headers.get("www-authenticate");
    t.diagnostic(`${name}: ${response.status} ${challenge ?? body.trim()}`);
    assert.equal(response.status, status, name);
    assert.match(body, says);
    assert.equal(/acr_values="urn:altinn:authlevel:3"$/.test(challenge ?? ""), name === "level too low");
  }
});

import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";

import { Reason } from "@behalf-authz/client";
import openapi, { COMMENT_HEADER, astToString } from "openapi-typescript";

import { root } from "./server.js";

test("the generated types are current", async () => {
  const contract = await openapi(pathToFileURL(join(root, "schema/openapi/behalf.json")), { silent: true });
  assert.ok(readFileSync("src/gen/behalf.ts", "utf8") === COMMENT_HEADER + astToString(contract),
    "schema/openapi has changed: run `npm run generate` in clients/typescript");
});

test("the package imports nothing, and nothing of Node", () => {
  const sources = readdirSync("dist", { recursive: true, encoding: "utf8" }).filter((name) => /\.(js|d\.ts)$/.test(name));
  assert.ok(sources.length > 30, `${sources.length} files`);
  for (const name of sources) {
    const text = readFileSync(join("dist", name), "utf8");
    for (const [, from] of text.matchAll(/(?:from|import)\s*\(?\s*["']([^"']+)["']/g)) {
      assert.match(from!, /^\.\.?\//, name);
    }
    assert.doesNotMatch(text, /\b(process|Buffer|require|__dirname)\b[.(]/, name);
  }
  assert.deepEqual(JSON.parse(readFileSync("package.json", "utf8")).dependencies ?? {}, {});
});

test("the reasons are those that the server gives", () => {
  const text = readFileSync(join(root, "server/internal/fault/reasons.go"), "utf8");
  const given = [...text.matchAll(/Reason = "([A-Z_]+)"/g)].map(([, reason]) => reason!);
  assert.ok(given.length > 10);
  assert.deepEqual(given.filter((reason) => !(Object.values(Reason) as string[]).includes(reason)), []);
});

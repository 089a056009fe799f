import assert from "node:assert/strict";
import { test } from "node:test";

import { Effect, Reason, app, dial, partyObject, reasonOf } from "@behalf-authz/client";

/** Returns a client whose server answers with these in turn, and then the last; and how often it was called. */
function answering(...answers: (Response | Error | (() => Response))[]) {
  const seen: RequestInit[] = [];
  const client = dial("https://behalf.example.org/authz/", { token: "t", fetch: (input, init = {}) => {
    assert.ok(String(input).startsWith("https://behalf.example.org/authz/v1/"), String(input));
    seen.push(init);
    const answer = answers[Math.min(seen.length, answers.length) - 1]!;
    return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(typeof answer === "function" ? answer() : answer.clone());
  } });
  return { client, seen };
}

const allowed = Response.json({ allowed: true, revision: "r" });
const away = Response.json({ code: "UNAVAILABLE", reason: "UNAVAILABLE", status: 503, title: "", type: "" }, { status: 503 });
const question = { object: partyObject(1), permission: "represent" };

test("reads are made again that found no server, and writes are not", async () => {
  const { client, seen } = answering(new TypeError("refused"), new Response("<html>", { status: 502 }), away, allowed);
  assert.equal(await client.check(question), true);
  assert.equal(seen.length, 4);
  assert.equal((seen[3]?.headers as Record<string, string>)["authorization"], "Bearer t");
  assert.deepEqual([seen[3]?.redirect, seen[3]?.credentials], ["error", "omit"]);

  const writing = answering(away);
  await assert.rejects(writing.client.revoke("x"), { code: "UNAVAILABLE", reason: Reason.Unavailable });
  assert.equal(writing.seen.length, 1);
  const denied = answering(Response.json({ code: "PERMISSION_DENIED", reason: "OTHER_USER", status: 403, title: "", type: "" }, { status: 403 }));
  await assert.rejects(denied.client.mayRepresent(1, 1), { code: "PERMISSION_DENIED" });
  assert.equal(denied.seen.length, 1);
});

test("a crowd does not ask again and again", async () => {
  const { client, seen } = answering(away);
  const calls = await Promise.allSettled(Array.from({ length: 300 }, () => client.mayRepresent(1, 1)));
  assert.ok(calls.every((call) => call.status === "rejected"));
  assert.ok(seen.length < 300 + 60, `300 calls were made ${seen.length} times`);
});

test("answers that are none let nobody in", async () => {
  for (const answer of [
    new Response("true"), new Response(""), Response.json(true), Response.json(null), Response.json([true]), new Response(null, { status: 204 }),
    Response.json({ allowed: true }, { status: 201 }), new Response("{", { status: 200 }),
  ]) {
    const { client } = answering(answer);
    await assert.rejects(client.check(question));
    await assert.rejects(client.mayRepresent(1, 1));
    await assert.rejects(client.decide(app("o", "a")));
  }
  const zero = answering(Response.json({})).client;
  assert.equal(await zero.check(question), false);
  assert.equal(await zero.mayRepresent(1, 1), false);
  await assert.rejects(zero.decide(app("o", "a")));
  await assert.rejects(zero.roles(1, 1));
  assert.equal(await answering(Response.json({ allowed: "true" })).client.check(question), false);
  const one = answering(Response.json({ answers: [{ allowed: true }], decisions: [{ effect: Effect.Permit }] })).client;
  await assert.rejects(one.bulkCheck([question, question]), { code: "INTERNAL" });
  await assert.rejects(one.bulkDecide([app("o", "a"), app("o", "a")]), { code: "INTERNAL" });
});

test("a revision that is wrong for all is asked about once", async () => {
  const { client, seen } = answering(
    Response.json({ code: "INVALID_ARGUMENT", reason: "INVALID_REVISION", status: 400, title: "", type: "" }, { status: 400 }));
  const asked = await Promise.allSettled(Array.from({ length: 100 }, () => client.session("r").check(question)));
  assert.ok(asked.every((check) => check.status === "rejected" && reasonOf(check.reason) === Reason.InvalidRevision));
  assert.equal(seen.length, 1);
});

test("what something between here and the server says is no answer of the server's", async () => {
  for (const [status, code] of [[401, "UNAUTHENTICATED"], [403, "PERMISSION_DENIED"], [404, "UNIMPLEMENTED"], [500, "UNKNOWN"], [400, "INTERNAL"]] as const) {
    await assert.rejects(answering(new Response("<html>", { status })).client.caller(), { code, reason: "" });
  }
  const strange = answering(Response.json({ code: "NONE", reason: "X" }, { status: 418 })).client;
  await assert.rejects(strange.caller(), { code: "UNKNOWN", reason: "" });
});

test("deadlines", async () => {
  const never = (timeout: number) => dial("https://x", { token: "t", timeout, fetch: (_, init) => new Promise((_, reject) => {
    init?.signal?.addEventListener("abort", () => reject(init.signal?.reason));
  }) });
  await assert.rejects(never(20).caller(), { code: "DEADLINE_EXCEEDED" });
  await assert.rejects(never(20).check(question), { code: "DEADLINE_EXCEEDED" });
  const gone = new AbortController();
  const asked = never(0).caller({ signal: gone.signal });
  gone.abort();
  await assert.rejects(asked, { code: "CANCELLED" });
  await assert.rejects(never(0).caller({ signal: AbortSignal.abort() }), { code: "CANCELLED" });
});

test("tokens", async () => {
  let asked = 0;
  const client = dial("https://x", { token: () => Promise.resolve("t" + ++asked), fetch: (_, init) =>
    Promise.resolve(Response.json({ name: (init?.headers as Record<string, string>)["authorization"] })) });
  assert.equal((await client.caller()).name, "Bearer t1");
  assert.equal((await client.caller()).name, "Bearer t2");
  await assert.rejects(client.as("a b").caller(), { code: "UNAUTHENTICATED" });
  await assert.rejects(client.as("").caller(), { code: "UNAUTHENTICATED" });
  await assert.rejects(client.as("a\r\nb: c").caller(), { code: "UNAUTHENTICATED" });
  const none = dial("https://x", { token: () => Promise.reject(new Error("no network")), fetch: () => assert.fail() });
  await assert.rejects(none.caller(), { code: "UNAVAILABLE" });
});

test("what cannot be asked is not", async () => {
  const client = dial("https://x", { token: "t", fetch: () => assert.fail("it was sent") });
  for (const id of [undefined, null, "", NaN, 1.5, 2 ** 53, {}] as unknown as number[]) {
    await assert.rejects(client.mayRepresent(id, 1), { reason: Reason.InvalidArgument });
    await assert.rejects(client.mayRepresent(1, id), { reason: Reason.InvalidArgument });
    assert.throws(() => app("o", "a").for(id), { reason: Reason.InvalidArgument });
  }
  for (const id of ["", ".", ".."]) {
    await assert.rejects(client.revoke(id), { reason: Reason.InvalidArgument });
  }
  await assert.rejects(client.grantPackage({ from: {}, to: {}, expires: new Date(NaN) }, "p"), RangeError);
});

test("whom a token is sent to", () => {
  for (const address of ["http://behalf.example.org", "http://10.0.0.1:7480", "ftp://localhost", "http://localhost.example.org", "https://u:p@x", "https://x?q", "nonsense"]) {
    assert.throws(() => dial(address, { token: "t" }), TypeError, address);
  }
  for (const address of ["https://behalf.example.org", "http://localhost:7480", "http://127.0.0.1:7480", "http://[::1]:7480"]) {
    dial(address, { token: "t" });
  }
  dial("http://behalf:7480", { token: "t", plaintext: true });
});

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import {
  BehalfError, DelegationSide, Effect, Reason, app, byPartyID, collect, codeOf, dial, me, partyObject, reasonOf, toParty, userSubject,
} from "@behalf-authz/client";

import { Server, corpus } from "./server.js";

const kari = corpus.users["kari"]!.userId, ola = corpus.users["ola"]!.userId, olaParty = corpus.users["ola"]!.partyId;
const bakery = 50076451, branch = 50074838;

let server: Server;
before(async () => {
  server = await Server.start();
});
after(() => server?.stop());

const represents = (user: string, party: number) => ({ object: partyObject(party), permission: "represent", subject: userSubject(user)! });

test("a session reads its writes", async () => {
  const fresh: (string | null)[] = [];
  const c = dial(server.address, { token: server.adminKey, fetch: (input, init) => {
    const asked = typeof init?.body === "string" ? JSON.parse(init.body) as { atLeastAsFresh?: string } : {};
    fresh.push(asked.atLeastAsFresh ?? new URL(String(input)).searchParams.get("atLeastAsFresh"));
    return fetch(input, init);
  } });
  const s = c.session();
  assert.equal(c.revision + s.revision, "");
  const ask = app("skd", "taxreport").for(bakery).to("read").byUser(ola);
  const effect = async (want: Effect): Promise<void> => {
    const before = s.revision;
    assert.equal((await s.decide(ask)).effect, want);
    assert.equal(fresh.at(-1), before);
    assert.notEqual(s.revision, "");
  };
  await effect(Effect.NotApplicable);
  const before = s.revision;
  const grant = { from: byPartyID(bakery), to: toParty(byPartyID(olaParty)), expires: new Date(Date.now() + 3_600_000), user: kari };
  const given = await s.grantRight(grant, { resource: "app_skd_taxreport", action: "read" });
  assert.notEqual(s.revision, before);
  await effect(Effect.Permit);
  assert.deepEqual((await collect(s.delegations(bakery, DelegationSide.Given, kari))).map((d) => d.id), [given.id]);
  assert.equal(given.right?.action, "read");
  await s.revoke(given.id, kari);
  await effect(Effect.NotApplicable);
  assert.equal(c.session(s.revision).revision, s.revision);
  assert.equal(c.revision, "");
  await assert.rejects(c.session("nonsense").decide(ask), { reason: Reason.InvalidRevision });

  const both = await Promise.all([s.grantPackage(grant, "jordbruk"), s.grantRight(grant, { resource: "app_skd_taxreport", action: "write" })]);
  assert.equal((await collect(s.delegations(bakery, DelegationSide.Given, kari))).length, 2);
  await Promise.all(both.map((d) => s.revoke(d.id, kari)));
  await assert.rejects(s.grantPackage({ ...grant, user: ola }, "jordbruk"), { code: "PERMISSION_DENIED" });
  await assert.rejects(s.grantClientPackage(byPartyID(50090001), grant, "jordbruk"), BehalfError);
});

test("checks travel together, each with its own answer", async () => {
  const calls: Record<string, number> = {};
  const c = dial(server.address, { token: server.adminKey, fetch: (input, init) => {
    const path = new URL(String(input)).pathname;
    calls[path] = (calls[path] ?? 0) + 1;
    return fetch(input, init);
  } });
  const answers = await Promise.allSettled(Array.from({ length: 2500 }, (_, i) => {
    switch (i) {
      case 7:
        return c.check({ ...represents(kari, bakery), object: { type: "party", id: "no good id" } });
      case 8:
        return c.check({ ...represents(kari, bakery), permission: "fly" });
      case 9:
        return c.check(represents(kari, bakery), { signal: AbortSignal.abort("gone") });
      default:
        return c.check(represents(i % 2 === 0 ? kari : ola, branch));
    }
  }));
  answers.forEach((answer, i) => {
    const [code, reason] = ({
      7: ["INVALID_ARGUMENT", Reason.InvalidArgument], 8: ["INVALID_ARGUMENT", Reason.UnknownRelation], 9: ["CANCELLED", ""],
    } as Record<number, [string, string]>)[i] ?? [];
    if (code !== undefined) {
      assert.ok(answer.status === "rejected", `check ${i}`);
      assert.deepEqual([codeOf(answer.reason), reasonOf(answer.reason)], [code, reason]);
    } else {
      assert.deepEqual(answer, { status: "fulfilled", value: i % 2 === 0 }, `check ${i}`);
    }
  });
  const made = Object.values(calls).reduce((a, b) => a + b, 0);
  assert.ok(made < 50, `2,500 checks made ${JSON.stringify(calls)}`);
  assert.equal(await c.check(represents(kari, bakery)), true);
  assert.ok(calls["/v1/check"]);
});

test("a call that nobody waits for is given up", async () => {
  let given: AbortSignal | null | undefined;
  const c = dial(server.address, { token: "x", fetch: (_, init) => new Promise((_, reject) => {
    given = init?.signal;
    given?.addEventListener("abort", () => reject(new Error("aborted")));
  }) });
  const gone = new AbortController(), gone2 = new AbortController();
  const both = [gone, gone2].map(({ signal }) => c.check(represents(kari, bakery), { signal }));
  await new Promise((resolve) => setImmediate(resolve));
  gone.abort();
  await assert.rejects(both[0]!, { code: "CANCELLED" });
  assert.equal(given?.aborted, false);
  gone2.abort();
  await assert.rejects(both[1]!, { code: "CANCELLED" });
  assert.equal(given?.aborted, true);
});

test("checks of others stay apart", async () => {
  const c = dial(server.address);
  const answers = await Promise.all(Array.from({ length: 64 }, (_, i) =>
    c.as(server.credentials(i % 2 === 0 ? "kari@3" : "ola@3")).check({ object: partyObject(bakery), permission: "represent", subject: userSubject(me) })));
  assert.deepEqual(answers, Array.from({ length: 64 }, (_, i) => i % 2 === 0));
});

test("many questions", async () => {
  const c = dial(server.address, { token: server.adminKey });
  const answers = await c.bulkCheck(Array.from({ length: 1500 }, (_, i) => represents(i % 2 === 0 ? kari : ola, bakery)));
  assert.deepEqual(answers.map((a) => a.allowed), Array.from({ length: 1500 }, (_, i) => i % 2 === 0));
  assert.deepEqual(await c.bulkCheck([]), []);
  assert.deepEqual(await c.bulkDecide([]), []);
  assert.ok((await c.catalogue()).length > 100);
  assert.ok((await c.roles(kari, branch)).some((role) => role.code === "UTINN"));
});

test("lists begin anew at each reading, and end where their reader does", async () => {
  let calls = 0;
  const c = dial(server.address, { token: server.adminKey, fetch: (input, init) => {
    calls++;
    return fetch(input, init);
  } });
  const list = c.parties({ user: kari, pageSize: 1 });
  assert.equal(calls, 0);
  for await (const party of list) {
    assert.equal(party.partyId, String(bakery));
    break;
  }
  assert.equal(calls, 1);
  assert.equal((await collect(list)).length, 3);
});

test("answers have every field", async () => { // as their types say
  const c = dial(server.address, { token: server.adminKey });
  const [party] = await collect(c.parties({ user: kari }));
  assert.deepEqual([party?.deleted, party?.nationalId, party?.subUnits, party?.mainUnitId], [false, "", [], "0"]);
  const { obligations, advice, missing, explanation, reason } = await c.decide(app("skd", "taxreport").for(bakery).to("read").byUser(kari));
  assert.deepEqual([obligations, advice, missing, explanation, typeof reason], [[], [], [], null, "string"]);
  const who = await c.as(server.credentials("kari@2")).caller();
  assert.deepEqual([who.org, who.scopes, who.kind], ["", [], "CALLER_KIND_USER"]);
});

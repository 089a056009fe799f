import assert from "node:assert/strict";
import { once } from "node:events";
import http from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, test } from "node:test";

import { type Client, type Decision, DecisionRequest, Effect, app, dial } from "@behalf-authz/client";
import { Guard, type GuardConfig, Reason, Refusal, partyInPath, subjectFrom } from "@behalf-authz/client/pep";
import express from "express";

import { type Enforced, Server, corpus, obligation } from "./server.js";

let server: Server, client: Client, away: Client;
before(async () => {
  server = await Server.start();
  client = dial(server.address, { token: server.adminKey });
  away = dial("http://127.0.0.1:1", { token: "x" });
});
after(() => server?.stop());

let notified = 0;

/** The guards of the corpus. */
function guard(kind = ""): Guard {
  const configs: Record<string, GuardConfig> = {
    "": { client },
    "duty": { client, duties: { "urn:test:notify": (who, { assignments }) => {
      notified++;
      assert.equal(who.user, corpus.users["kari"]?.userId);
      assert.equal(assignments[0]?.value, "kari@example.org");
    } } },
    "failing duty": { client, duties: { "urn:test:notify": () => Promise.reject(new Error("no mail")) } },
    "away": { client: away },
    "decider away": { client, decider: away },
    "wrong key": { client, decider: client.as("wrong") },
  };
  const config = configs[kind];
  assert.ok(config, kind);
  return new Guard(config);
}

/** What a service has answered. */
interface Answered {
  status: number;
  headers: Record<string, unknown>;
  body: string;
  passed: number;
}

/** Asks a service that is made of Express. */
async function overExpress(enforced: Enforced): Promise<Answered> {
  let passed = 0;
  const service = express();
  const about = (req: express.Request): DecisionRequest =>
    app("skd", "taxreport").for(partyInPath(req.params, "party")).to(String(req.params["action"]));
  service.get("/:party/:action", guard(enforced.guard).express(about), (req, res) => {
    passed++;
    assert.ok(subjectFrom(req)?.attributes.length);
    res.status(204).end();
  });
  const listener = service.listen(0, "127.0.0.1");
  await once(listener, "listening");
  try {
    const authorization = enforced.authorization.map((header) => server.header(header));
    const request = http.get({ // not fetch, which joins headers
      port: (listener.address() as AddressInfo).port, host: "127.0.0.1", path: enforced.path, agent: false,
      headers: authorization.flatMap((header) => ["authorization", header]).concat("host", "service") as unknown as http.OutgoingHttpHeaders,
    });
    const [response] = await once(request, "response") as [http.IncomingMessage];
    let body = "";
    for await (const chunk of response.setEncoding("utf8")) {
      body += chunk;
    }
    return { status: response.statusCode ?? 0, headers: response.headers, body, passed };
  } finally {
    listener.close();
  }
}

/** Asks a fetch-style handler. */
async function overFetch(enforced: Enforced): Promise<Answered> {
  let passed = 0;
  const handler = guard(enforced.guard).protect(
    (_: Request, params: { party: string; action: string }) =>
      app("skd", "taxreport").for(partyInPath({ ...params }, "party")).to(params.action),
    (request) => {
      passed++;
      assert.ok(subjectFrom(request)?.attributes.length);
      return new Response(null, { status: 204 });
    },
  );
  const headers = new Headers();
  enforced.authorization.forEach((header) => headers.append("authorization", server.header(header)));
  const [, party = "", action = ""] = enforced.path.split("/");
  const response = await handler(new Request("http://service" + enforced.path, { headers }), { party, action });
  return { status: response.status, headers: Object.fromEntries(response.headers), body: await response.text(), passed };
}

for (const [door, ask] of Object.entries({ overExpress, overFetch })) {
  test(door, async (t) => {
    notified = 0;
    for (const enforced of corpus.enforced) {
      await t.test(enforced.name, async () => {
        const { want } = enforced;
        const got = await ask(enforced);
        assert.equal(got.status, want.status, got.body);
        assert.equal(got.passed, want.status === 204 ? 1 : 0);
        assert.equal("www-authenticate" in got.headers, want.status === 401);
        if (want.challenge !== undefined) {
          assert.equal(got.headers["www-authenticate"], want.challenge);
        }
        if (want.status !== 204) {
          const { reason, requiredLevel, status } = JSON.parse(got.body) as Record<string, unknown>;
          assert.deepEqual({ reason, requiredLevel, status }, { reason: want.reason, requiredLevel: want.requiredLevel, status: want.status });
          assert.equal(got.headers["content-type"], "application/problem+json");
        }
      });
    }
    assert.equal(notified, 1);
  });
}

test("a Permit opens only with every obligation understood and met", async (t) => {
  const who = (org?: string) => ({ attributes: [{ id: "urn:altinn:userid", values: ["1"] }], level: 2, ...(org !== undefined && { org }) });
  for (const met of corpus.met) {
    await t.test(met.name, async () => {
      const decision = { effect: met.decision.effect, obligations: met.decision.obligations.map(obligation) } as unknown as Decision;
      const enforcing = new Guard({ client, decider: { decide: () => Promise.resolve(decision) } }).enforce(who(met.org), new DecisionRequest());
      if (met.want === "") {
        await enforcing;
        return;
      }
      await assert.rejects(enforcing, (refusal) => {
        assert.ok(refusal instanceof Refusal);
        assert.deepEqual([refusal.reason, refusal.requiredLevel], [met.want, met.level ?? 0]);
        return true;
      });
    });
  }
});

test("answers that are none open nothing", async () => {
  const who = { attributes: [{ id: "urn:altinn:userid", values: ["1"] }], level: 4 };
  const answers: unknown[] = [
    undefined, null, {}, true, "EFFECT_PERMIT", { effect: "Permit", obligations: [] }, { effect: "EFFECT_PERMIT" },
    { effect: "EFFECT_PERMIT", obligations: null }, { effect: "EFFECT_PERMIT", obligations: [null] },
    { effect: "EFFECT_PERMIT", obligations: [{}] }, { effect: "EFFECT_PERMIT", obligations: [{ id: "constructor", assignments: [] }] },
    { effect: 1, obligations: [] }, { effect: ["EFFECT_PERMIT"], obligations: [] },
  ];
  for (const answer of answers) {
    const guarded = new Guard({ client, decider: { decide: () => Promise.resolve(answer as Decision) } });
    await assert.rejects(guarded.enforce(who, new DecisionRequest()), JSON.stringify(answer));
  }
  const permit = { effect: Effect.Permit, obligations: [obligation(["urn:altinn:minimum-authenticationlevel=0"])] } as unknown as Decision;
  const open = new Guard({ client, decider: { decide: () => Promise.resolve(permit) } });
  await open.enforce(who, new DecisionRequest()); // so that the test can fail
  await assert.rejects(open.enforce({ ...who, level: NaN }, new DecisionRequest()), { reason: Reason.LevelTooLow });
  await assert.rejects(open.enforce({ ...who, attributes: [] }, new DecisionRequest()), { reason: Reason.SubjectUnknown });
});

test("no question opens a door by itself", async () => {
  const about = app("skd", "taxreport").for("50076451").to("read");
  const logged: Refusal[] = [];
  const guarded = new Guard({ client, log: (refusal) => logged.push(refusal) });
  const questions: Record<string, () => DecisionRequest | Promise<DecisionRequest>> = {
    "names another subject": () => about.byUser(corpus.users["kari"]!.userId),
    "asks nothing": () => new DecisionRequest(),
    "asks nothing that is a request": () => ({}) as DecisionRequest,
    "throws": () => {
      throw new Error("x");
    },
    "rejects": () => Promise.reject(new Refusal(Reason.RequestInvalid, "no")),
  };
  for (const [name, question] of Object.entries(questions)) {
    const handler = guarded.protect(question, () => assert.fail(name));
    const response = await handler(new Request("http://service/", { headers: { authorization: "Bearer " + server.credentials("ola@4") } }));
    assert.ok(response.status >= 400 && response.status !== 404, `${name}: ${response.status}`);
  }
  assert.ok(logged.some(({ cause }) => cause instanceof Error && cause.message === "x"));
  assert.equal(subjectFrom({}), undefined);
});

test("a challenge names the service and the login's own levels", async () => {
  const guarded = new Guard({ client, realm: "T\u00e5x", acr: (level) => `loa-${level}"\n` });
  const handler = guarded.protect(() => app("skd", "taxreport").for(50076451).to("write"), () => assert.fail());
  const response = await handler(new Request("http://service/", { headers: { authorization: "Bearer " + server.credentials("kari@2") } }));
  assert.match(response.headers.get("www-authenticate") ?? "", /^Bearer realm="Tx", .*acr_values="loa-3\\""$/);
});

test("what is behind the door fails by itself", async () => {
  const handler = guard().protect(() => app("skd", "taxreport").for(50076451).to("read"), () => Promise.reject(new Error("behind")));
  const request = new Request("http://service/", { headers: { authorization: "Bearer " + server.credentials("kari@2") } });
  await assert.rejects(handler(request), /behind/);
});

test("a guard asks and knows somebody", () => {
  assert.throws(() => new Guard({}), TypeError);
  assert.throws(() => new Guard({ decider: client }), TypeError);
});

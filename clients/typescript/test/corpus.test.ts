import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import {
  type Client, BehalfError, DecisionRequest, Effect, app, collect, dial,
} from "@behalf-authz/client";

import { type Asked, Server, corpus } from "./server.js";

let server: Server;
before(async () => {
  server = await Server.start();
});
after(() => server?.stop());

/** The calls of the corpus: each returns what is compared of its answer. */
const calls: Record<string, (client: Client, asked: Asked) => Promise<unknown>> = {
  parties: async (client, { user, role = "", package: name = "", resource = "", action = "", search = "", pageSize = 0 }) =>
    (await collect(client.parties({ user, role, package: name, resource, action, search, pageSize }))).map((party) => party.partyId),
  party: async (client, { partyRef }) => (await client.party(partyRef)).name,
  mayRepresent: (client, { user, party }) => client.mayRepresent(user, party),
  representatives: async (client, { party, role }) => (await collect(client.representatives(party, role))).map((r) => r.userId),
  roles: async (client, { user, party }) => (await client.roles(user, party)).map((role) => role.code),
  caller: async (client) => {
    const { userId, level } = await client.caller();
    return { userId, level };
  },
  check: (client, { question }) => client.check(question),
  bulkCheck: async (client, { questions }) =>
    (await client.bulkCheck(questions)).map((answer) => answer.error instanceof BehalfError ? answer.error.reason : answer.allowed),
  decide: async (client, asked) => {
    const { effect, obligations } = await client.decide(about(asked).to(asked.action));
    return { effect, obligations: obligations.flatMap((o) => o.assignments.map((a) => `${a.category}=${a.value}`)) };
  },
  bulkDecide: async (client, asked) =>
    (await client.bulkDecide(asked.actions.map((action) => about(asked).to(action)))).map((decision) => decision.effect),
  mayDelegate: async (client, { party, user, resource }) =>
    (await client.mayDelegate({ party, user, resource })).filter((a) => a.mayDelegate).map((a) => a.right?.action).sort(),
};

function about({ app: [org, name], party, user }: Asked): DecisionRequest {
  const request = app(org, name).for(party);
  return user === "" ? request : request.byUser(user);
}

test("corpus", async (t) => {
  for (const asked of corpus.asked) {
    await t.test(asked.name, async () => {
      const call = calls[asked.call];
      assert.ok(call, asked.call);
      const client = dial(server.address, { token: server.credentials(asked.as ?? "admin") });
      let got: unknown;
      try {
        got = await call(client, asked);
      } catch (error) {
        assert.ok(error instanceof BehalfError, String(error));
        got = { code: error.code, reason: error.reason };
        if ((asked.want as { fields?: string[] }).fields) {
          got = { ...(got as object), fields: error.violations.map((v) => v.field) };
        }
      }
      assert.deepEqual(got, asked.want);
    });
  }
  assert.ok(corpus.asked.length > 40 && Object.values(Effect).length === 4);
});

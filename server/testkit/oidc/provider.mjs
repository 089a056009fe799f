// An OpenID provider for tests. Its one argument is a JSON object: clients, the port where it
// listens, the issuer that it says it is, and ttl, the seconds that an access token lasts. It
// prints a line when it serves, counts requests of its token endpoint by grant at /count, and
// ends when its standard input does.
import Provider from "oidc-provider";

const { clients, port, issuer, ttl, acrValues } = JSON.parse(process.argv[2]);
const counts = {};
const provider = new Provider(issuer, {
  clients,
  acrValues: acrValues ?? [],
  pkce: { required: () => true },
  rotateRefreshToken: true,
  issueRefreshToken: async (ctx, client) => client.grantTypeAllowed("refresh_token"),
  scopes: ["openid", "offline_access"],
  claims: { openid: ["sub", "groups", "pid"] },
  conformIdTokenClaims: false,
  ttl: { AccessToken: () => ttl, IdToken: 300, Session: 3600, Grant: 3600, Interaction: 600, RefreshToken: 3600 },
  findAccount: async (ctx, id) => ({
    accountId: id,
    claims: async () => ({ sub: id, groups: ["staff", id], ...(/^[0-9]{11}$/.test(id) ? { pid: id } : {}) }),
  }),
  // Clients of the tests are on this machine, where the library does not go by itself.
  fetch: (url, options) => globalThis.fetch(url, { ...options, dispatcher: undefined }),
  features: {
    devInteractions: { enabled: true },
    backchannelLogout: { enabled: true },
    pushedAuthorizationRequests: { enabled: true },
    revocation: { enabled: true },
    introspection: { enabled: true },
    rpInitiatedLogout: {
      enabled: true,
      logoutSource: async (ctx, form) => {
        ctx.body = `<html><body>${form}<button form="op.logoutForm" name="logout" value="yes">yes</button></body></html>`;
      },
    },
  },
});
provider.use(async (ctx, next) => {
  if (ctx.path === "/count") {
    ctx.body = counts;
    return;
  }
  await next();
  const grant = ctx.oidc?.params?.grant_type;
  if (ctx.path === "/token" && grant) counts[grant] = (counts[grant] ?? 0) + 1;
});
provider.listen(port, "127.0.0.1", () => console.log("serving"));
process.stdin.resume();
process.stdin.on("end", () => process.exit(0));

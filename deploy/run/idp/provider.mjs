// An OpenID provider for trying Behalf. Whoever comes says who he is and is believed, and eleven digits
// are a national identity number. Its keys, sessions and consents are gone when it ends.
//
// The environment says it all: ISSUER is its own URL and BEHALF that of its one client, which it knows by the
// content of the file SECRET. It listens on ADDRESS, with cert.pem and key.pem of the directory TLS.
import { generateKeyPairSync, randomBytes } from "node:crypto";
import { readFileSync, watchFile } from "node:fs";
import { createServer } from "node:https";
import Provider from "oidc-provider";

const { ISSUER, BEHALF, SECRET, ADDRESS, TLS } = process.env;
const key = generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey;
const provider = new Provider(ISSUER, {
  clients: [
    {
      client_id: "behalf",
      client_secret: readFileSync(SECRET, "utf8").trim(),
      redirect_uris: [`${BEHALF}/callback/trial`],
      post_logout_redirect_uris: [`${BEHALF}/signed-out`],
      backchannel_logout_uri: `${BEHALF}/logout/backchannel/trial`,
      backchannel_logout_session_required: true,
    },
  ],
  jwks: { keys: [{ ...key.export({ format: "jwk" }), alg: "RS256", use: "sig" }] },
  cookies: { keys: [randomBytes(32).toString("hex")] },
  pkce: { required: () => true },
  claims: { openid: ["sub", "pid"] },
  conformIdTokenClaims: false, // the id_token has them all
  findAccount: (ctx, id) => ({
    accountId: id,
    claims: () => ({ sub: id, ...(/^[0-9]{11}$/.test(id) && { pid: id }) }),
  }),
  // Behalf has a private address, where the library does not go by itself.
  fetch: (url, options) => fetch(url, { ...options, dispatcher: undefined }),
  features: { devInteractions: { enabled: true }, backchannelLogout: { enabled: true } },
});

const certificate = () => ({ cert: readFileSync(`${TLS}/cert.pem`), key: readFileSync(`${TLS}/key.pem`) });
const server = createServer(certificate(), provider.callback());
for (const name of ["cert.pem", "key.pem"]) {
  watchFile(`${TLS}/${name}`, { interval: 2000 }, () => {
    try {
      server.setSecureContext(certificate());
    } catch (fault) {
      console.error(`the certificate is not taken: ${fault.message}`); // until the other file has come too
    }
  });
}
server.listen(new URL(ISSUER).port, ADDRESS, () => console.log("serving"));

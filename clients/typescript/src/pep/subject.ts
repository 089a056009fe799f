import type { Client } from "../client.js";
import { type Attribute, Attributes } from "../request.js";
import type { CallOptions } from "../wire.js";
import { Reason, Refusal, callerRefused } from "./refusal.js";

/** Who calls, as his credentials say. */
export interface Subject {
  /** Name him in the request for a decision. Nobody without is let in. */
  readonly attributes: readonly Attribute[];
  /** An end user's id; absent for all others. */
  readonly user?: string;
  /** The authentication level of his login, 0 to 4. */
  readonly level: number;
  /** The code of the service owner that he is; absent for all others. */
  readonly org?: string;
}

/**
 * Finds out who has a bearer token. It throws a Refusal for who is not let in; anything else it throws
 * says that it could not find out.
 */
export type Identify = (token: string, options: CallOptions) => Promise<Subject>;

/**
 * Has Behalf verify the token: one more call to it for each request, and no keys or issuers to know
 * here. End users and service owners are identified; other services have no rights of their own.
 */
export function byBehalf(client: Client): Identify {
  return async (token, options) => {
    let who;
    try {
      who = await client.as(token).caller(options);
    } catch (error) {
      throw callerRefused(error);
    }
    if (who.userId && who.userId !== "0") {
      return { attributes: [{ id: Attributes.User, values: [who.userId] }], user: who.userId, level: who.level };
    }
    if (who.org) {
      return { attributes: [{ id: Attributes.Org, values: [who.org] }], org: who.org, level: 0 };
    }
    return { attributes: [], level: 0 };
  };
}

const admitted = new WeakMap<object, Subject>();

/** Says who was let in with a request. */
export function admit(request: object, who: Subject): void {
  admitted.set(request, who);
}

/** Returns who was let in with a request, for what is behind the door; undefined without a door before it. */
export function subjectFrom(request: object): Subject | undefined {
  return admitted.get(request);
}

/** Returns the token of the one Authorization header that there may be. */
export function bearer(headers: readonly string[]): string {
  if (headers.length === 0) {
    throw new Refusal(Reason.CredentialsMissing, "a bearer token is needed");
  }
  const [, token] = /^Bearer +([!-+\--~]+) *$/i.exec(headers.length === 1 ? headers[0]! : "") ?? []; // no comma: that is two headers
  if (token === undefined) {
    throw new Refusal(Reason.CredentialsInvalid, "the Authorization header is not that of one bearer token");
  }
  return token;
}

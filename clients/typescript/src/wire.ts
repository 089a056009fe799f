import { Deadline } from "./deadline.js";
import { BehalfError, Reason, codeOf, invalid } from "./errors.js";
import type { paths } from "./gen/behalf.js";
import { errorOf } from "./problem.js";
import { Retries } from "./retry.js";

/**
 * Returns the token that a call carries. It is asked for every call, so it keeps the token until
 * it must be renewed. An error ends the call.
 */
export type TokenSource = (signal: AbortSignal) => string | Promise<string>;

/** How a call may be ended before it is answered. */
export interface CallOptions {
  /** Gives the call up. */
  signal?: AbortSignal | undefined;
}

type Method = "get" | "post" | "delete";
type Operation<P extends keyof paths, M extends Method> = paths[P][M];
type Body<O> = O extends { requestBody: { content: { "application/json": infer B } } } ? B : undefined;
type Query<O> = O extends { parameters: { query?: infer Q } } ? Q : undefined;
type Answer<O> = O extends { responses: { 200: { content: { "application/json": infer A } } } } ? A : never;

/** What a call sends, besides the names in its path. */
export interface Sent<O> extends CallOptions {
  path?: Record<string, string>;
  query?: Query<O>;
  body?: Body<O>;
  /** The call changes something, so it is never made twice. */
  writes?: boolean;
  /** Whoever calls keeps the time himself. */
  untimed?: boolean;
}

/** What all calls have in common. */
export interface WireConfig {
  base: string;
  fetch: typeof fetch;
  timeout: number;
}

/**
 * Puts a deadline and credentials into each call, makes reads again that found no server, and makes
 * a BehalfError of what fails. Paths, bodies and answers are checked against the contract when this
 * is compiled.
 */
export class Wire {
  readonly #retries = new Retries();

  constructor(readonly config: WireConfig, readonly token: TokenSource | undefined) {}

  async call<P extends keyof paths, M extends Method>(
    method: M, path: P, sent: Sent<Operation<P, M>>,
  ): Promise<Answer<Operation<P, M>>> {
    const url = this.config.base + filled(path, sent.path ?? {}) + asked(sent.query ?? {});
    const body = sent.body === undefined ? undefined : JSON.stringify(sent.body);
    const deadline = new Deadline(sent.untimed ? 0 : this.config.timeout, sent.signal);
    try {
      for (let attempt = 1; ; attempt++) {
        try {
          const answer = await this.#once(method.toUpperCase(), url, body, deadline);
          this.#retries.succeeded();
          return answer as Answer<Operation<P, M>>;
        } catch (error) {
          if (codeOf(error) !== "UNAVAILABLE" || !this.#retries.again(attempt) || sent.writes) {
            throw error;
          }
        }
        await deadline.sleep(this.#retries.pause(attempt));
      }
    } finally {
      deadline.done();
    }
  }

  async #once(method: string, url: string, body: string | undefined, deadline: Deadline): Promise<unknown> {
    const headers: Record<string, string> = { accept: "application/json" };
    if (body !== undefined) {
      headers["content-type"] = "application/json";
    }
    if (this.token !== undefined) {
      headers["authorization"] = await bearer(this.token, deadline);
    }
    let response: Response, text: string;
    try {
      const { fetch } = this.config; // a browser's wants to be called as a mere function
      response = await fetch(url, {
        method, headers, body: body ?? null, signal: deadline.signal,
        redirect: "error", // the token is for this server only
        cache: "no-store",
        credentials: this.token === undefined ? "same-origin" : "omit",
      });
      text = await response.text();
    } catch (cause) {
      throw deadline.error ?? new BehalfError({ code: "UNAVAILABLE", message: `no answer from ${this.config.base}`, cause });
    }
    if (response.status !== 200) {
      throw errorOf(response.status, text);
    }
    return object(text);
  }
}

async function bearer(source: TokenSource, deadline: Deadline): Promise<string> {
  let token: unknown;
  try {
    token = await deadline.race(Promise.resolve(source(deadline.signal)));
  } catch (cause) {
    // A login that is out of reach is not one that has failed.
    throw deadline.error ?? new BehalfError({ code: "UNAVAILABLE", message: "there is no token to be had", cause });
  }
  if (typeof token !== "string" || !/^[!-~]+$/.test(token)) {
    throw new BehalfError({ code: "UNAUTHENTICATED", message: "the token is empty or holds characters that no token has" });
  }
  return "Bearer " + token;
}

/** Returns the object that an answer is. Anything else is no answer of the server's. */
function object(text: string): object {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null && !Array.isArray(value)) {
      return value;
    }
  } catch {
    // as below
  }
  throw new BehalfError({ code: "INTERNAL", reason: Reason.Internal, message: "the answer is not the server's" });
}

function filled(path: string, names: Record<string, string>): string {
  return path.replace(/\{([^}]+)\}/g, (_, name: string) => {
    const value = names[name];
    if (typeof value !== "string" || value === "" || value === "." || value === "..") {
      throw invalid(name, "the path cannot hold it"); // it would become another path
    }
    return encodeURIComponent(value);
  });
}

function asked(query: object): string {
  const all = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined && value !== "" && value !== false) {
      all.append(name, String(value));
    }
  }
  const text = all.toString();
  return text === "" ? "" : "?" + text;
}

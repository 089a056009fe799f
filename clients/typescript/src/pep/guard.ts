import { type Decision, Effect } from "../answers.js";
import type { Client } from "../client.js";
import type { DecisionRequest } from "../request.js";
import type { CallOptions } from "../wire.js";
import { type Told, told } from "./answer.js";
import { type NodeRequest, type NodeResponse, authorizationOf, write } from "./express.js";
import { type Duty, meet } from "./obligation.js";
import { Reason, Refusal, decisionRefused, refusalOf } from "./refusal.js";
import { type Identify, type Subject, admit, bearer, byBehalf } from "./subject.js";

/** Answers requests for decisions; a Client does. */
export interface Decider {
  decide(request: DecisionRequest, options?: CallOptions): Promise<Decision>;
}

/** What a Guard needs: a client, or decider and identify. */
export interface GuardConfig {
  /** Asks Behalf, with the scope behalf:decide. */
  readonly client?: Client;
  /** Answers in place of client. */
  readonly decider?: Decider;
  /** Finds out who calls; byBehalf with client, unless given. */
  readonly identify?: Identify;
  /**
   * Meet obligations, by their ids, beside those about authentication levels. An obligation that is
   * not there keeps the door closed.
   */
  readonly duties?: Readonly<Record<string, Duty>>;
  /** Names the service in challenges; behalf, unless given. */
  readonly realm?: string;
  /**
   * Returns the authentication context class of a level, to be asked for at the login;
   * urn:altinn:authlevel:<level>, unless given.
   */
  readonly acr?: (level: number) => string;
  /** Takes each refusal that is no answer; its cause is what failed. */
  readonly log?: (refusal: Refusal) => void;
}

/** Says what a request wants to do; its subject is left to the guard. What it throws refuses the request as invalid, or as the Refusal that it is. */
export type Question<Args extends unknown[]> = (...args: Args) => DecisionRequest | Promise<DecisionRequest>;

/** Lets in who may. */
export class Guard {
  readonly #decider: Decider;
  readonly #identify: Identify;
  readonly #duties: ReadonlyMap<string, Duty>;
  readonly #realm: string;
  readonly #acr: (level: number) => string;
  readonly #log: (refusal: Refusal) => void;

  constructor(config: GuardConfig) {
    const decider = config.decider ?? config.client;
    const identify = config.identify ?? (config.client && byBehalf(config.client));
    if (decider === undefined || identify === undefined) {
      throw new TypeError("pep: give client, or decider and identify");
    }
    this.#decider = decider;
    this.#identify = identify;
    this.#duties = new Map(Object.entries(config.duties ?? {}));
    this.#realm = config.realm ?? "behalf";
    this.#acr = config.acr ?? ((level) => `urn:altinn:authlevel:${level}`);
    this.#log = config.log ?? (() => undefined);
  }

  /**
   * Returns when the subject may do what is asked about and every obligation is met, else throws a
   * Refusal. Whose request it is, the guard says: a subject in the request is replaced.
   */
  async enforce(who: Subject, request: DecisionRequest, options: CallOptions = {}): Promise<void> {
    if (who.attributes.length === 0) {
      throw new Refusal(Reason.SubjectUnknown, "the credentials name nobody who can have rights");
    }
    let decision: Decision | undefined;
    try {
      decision = await this.#decider.decide(request.by(...who.attributes), options);
    } catch (error) {
      throw decisionRefused(error);
    }
    if (decision?.effect !== Effect.Permit || !Array.isArray(decision.obligations)) {
      throw new Refusal(Reason.Denied, "access is denied");
    }
    await meet(this.#duties, who, decision.obligations);
  }

  /**
   * Returns a fetch-style handler: it calls next for requests that are let in, of which subjectFrom
   * knows who sent them, and answers all others itself. What the handler is given beside the request,
   * such as a route's parameters, question and next are given too.
   */
  protect<R extends Request, Rest extends unknown[]>(
    question: Question<[R, ...Rest]>, next: (request: R, ...rest: Rest) => Response | Promise<Response>,
  ): (request: R, ...rest: Rest) => Promise<Response> {
    return async (request, ...rest) => {
      const header = request.headers.get("authorization");
      const refused = await this.#admit(request, header === null ? [] : [header], () => question(request, ...rest), request.signal);
      if (refused) {
        return new Response(refused.body, { status: refused.status, headers: { ...refused.headers } });
      }
      return next(request, ...rest);
    };
  }

  /**
   * Returns middleware for Express and for all that calls handlers as it does. It goes on to the next
   * one for requests that are let in, of which subjectFrom knows who sent them, and answers all others
   * itself.
   */
  express<Q extends NodeRequest>(question: Question<[Q]>): (request: Q, response: NodeResponse, next: () => void) => Promise<void> {
    return async (request, response, next) => {
      const refused = await this.#admit(request, authorizationOf(request), () => question(request));
      if (refused) {
        write(response, refused);
        return;
      }
      next();
    };
  }

  /** Lets a request in, or returns what its sender is told. It never throws. */
  async #admit(
    request: object, authorization: readonly string[], ask: () => DecisionRequest | Promise<DecisionRequest>, signal?: AbortSignal,
  ): Promise<Told | undefined> {
    try {
      const who = await this.#identify(bearer(authorization), { signal });
      await this.enforce(who, await asked(ask), { signal });
      admit(request, who);
      return undefined;
    } catch (error) {
      const refusal = refusalOf(error);
      if (refusal.cause !== undefined) {
        this.#log(refusal);
      }
      return told(refusal, this.#realm, this.#acr);
    }
  }
}

async function asked(ask: () => DecisionRequest | Promise<DecisionRequest>): Promise<DecisionRequest> {
  try {
    return await ask();
  } catch (error) {
    throw error instanceof Refusal ? error
      : new Refusal(Reason.RequestInvalid, "the request does not say what it is about", { cause: error });
  }
}

import type {
  Caller, CatalogueRole, Decision, Delegation, DelegationAnswer, DelegationSide, Party, Representative, Role,
} from "./answers.js";
import { Batcher, askAll, maxQuestions } from "./batch.js";
import { type DelegationQuery, type Grant, type Right, grantBody } from "./delegation.js";
import { BehalfError, Reason } from "./errors.js";
import { type PartyID, type UserID, idText } from "./ids.js";
import { pages } from "./page.js";
import type { PartyQuery } from "./party.js";
import { type Answer, type Question, questionBody } from "./question.js";
import type { PartyRef } from "./references.js";
import { type DecisionRequest, requestBody } from "./request.js";
import { Session } from "./session.js";
import { type CallOptions, type TokenSource, Wire, type WireConfig } from "./wire.js";

/** How long a call may take, in milliseconds, unless the options say otherwise. */
const defaultTimeout = 10_000;

/** How a client is made. */
export interface Options {
  /** A token or API key, or what returns one. Without, a browser may send its cookie with reads. */
  readonly token?: string | TokenSource;
  /** How long a call may take, in milliseconds; 10,000 unless given, and 0 for any time. */
  readonly timeout?: number;
  /** Sends credentials in the clear to another machine, where the network itself secures them. */
  readonly plaintext?: boolean;
  /** In place of the global fetch, such as one that sends traces. */
  readonly fetch?: typeof fetch;
}

/**
 * Returns a client of the server at an address, such as https://behalf.example.org. It does not wait
 * for the server: the first call does. An http address has to be this machine's, unless plaintext is
 * given.
 */
export function dial(address: string | URL, options: Options = {}): Client {
  const url = new URL(address);
  const here = /^(localhost|127(\.\d+){3}|\[::1\])$/.test(url.hostname);
  if (url.protocol !== "https:" && !(url.protocol === "http:" && (here || options.plaintext === true))) {
    throw new TypeError(`${url.protocol}//${url.host} would send credentials in the clear: name an https address, or set plaintext`);
  }
  if (url.username !== "" || url.password !== "" || url.search !== "" || url.hash !== "") {
    throw new TypeError("the address of a server is its scheme, host, port and path");
  }
  const config: WireConfig = {
    base: url.origin + url.pathname.replace(/\/+$/, ""),
    fetch: options.fetch ?? ((input, init) => fetch(input, init)),
    timeout: options.timeout ?? defaultTimeout,
  };
  return new Client(new Wire(config, sourceOf(options.token)));
}

function sourceOf(token: string | TokenSource | undefined): TokenSource | undefined {
  return typeof token === "string" ? () => token : token;
}

/** Asks a Behalf server. A program needs one for its whole life. Make one with dial. */
export class Client {
  readonly #wire: Wire;
  readonly #checks: Batcher;
  readonly #session: Session | undefined;

  /** Is for dial and for the methods below. */
  constructor(wire: Wire, checks: Batcher = new Batcher(wire), session?: Session) {
    this.#wire = wire;
    this.#checks = checks;
    this.#session = session;
  }

  /** Returns a client that calls with this token, such as that of the user whose request is being served. It has no session. */
  as(token: string): Client {
    return new Client(new Wire(this.#wire.config, () => token));
  }

  /**
   * Returns a client whose reads see its writes, and never less than an earlier read saw, whichever
   * node answers. It begins at a revision, such as one that revision gave in an earlier request of
   * the same user, or at none. Its writes wait for each other, so it belongs to one user, request or
   * job and not to a whole program.
   */
  session(revision = ""): Client {
    return new Client(this.#wire, this.#checks, new Session(revision));
  }

  /**
   * The revision that the session's next read will see, empty for a client without a session. It is
   * opaque, and may be kept in a cookie: it lets nobody in.
   */
  get revision(): string {
    return this.#session?.at ?? "";
  }

  /** Lists the parties that a user may represent, all at one revision. They are fetched page by page while the list is read. */
  parties(query: PartyQuery = {}, options: CallOptions = {}): AsyncIterable<Party> {
    const fresh = this.revision; // of all pages: a token belongs to its query
    return pages(query.pageSize, async (pageSize, pageToken) => {
      const answer = await this.#wire.call("get", "/v1/parties", { ...options, query: {
        userId: idText("user", query.user ?? 0), role: query.role ?? "", search: query.search ?? "",
        package: query.package ?? "", resource: query.resource ?? "", action: query.action ?? "",
        order: query.order ?? "PARTY_ORDER_UNSPECIFIED",
        groupSubUnits: query.groupSubUnits ?? false, excludeDeleted: query.excludeDeleted ?? false,
        pageSize, pageToken, atLeastAsFresh: fresh,
      } });
      this.#session?.saw(fresh, answer.revision);
      return { entries: answer.parties as Party[] | undefined, next: answer.nextPageToken };
    });
  }

  /** Returns a party. That there is none is an error with Reason.PartyNotFound. */
  async party(party: PartyRef, options: CallOptions = {}): Promise<Party> {
    const answer = await this.#read((fresh) => this.#wire.call("post", "/v1/parties:lookup", { // whose body no proxy writes down
      ...options, body: { party, atLeastAsFresh: fresh },
    }));
    return there(answer.party as Party | undefined);
  }

  /** Reports whether a user may act for a party. Nobody may act for a party that does not exist. */
  async mayRepresent(user: UserID, party: PartyID, options: CallOptions = {}): Promise<boolean> {
    const answer = await this.#read((fresh) => this.#wire.call("get", "/v1/parties/{partyId}/validate", {
      ...options, path: { partyId: idText("party", party) }, query: { userId: idText("user", user), atLeastAsFresh: fresh },
    }));
    return answer.mayRepresent === true;
  }

  /** Lists the users who may represent a party, by user id; with a role those who have it there. */
  representatives(party: PartyID, role = "", options: CallOptions = {}): AsyncIterable<Representative> {
    const fresh = this.revision;
    return pages(undefined, async (pageSize, pageToken) => {
      const answer = await this.#wire.call("get", "/v1/parties/{partyId}/representatives", {
        ...options, path: { partyId: idText("party", party) }, query: { role, pageSize, pageToken, atLeastAsFresh: fresh },
      });
      this.#session?.saw(fresh, answer.revision);
      return { entries: answer.representatives as Representative[] | undefined, next: answer.nextPageToken };
    });
  }

  /**
   * Returns the roles of a user for a party: held directly, through its main unit, through an
   * organisation in which he has a key role, and implied by those.
   */
  async roles(user: UserID, party: PartyID, options: CallOptions = {}): Promise<Role[]> {
    const answer = await this.#read((fresh) => this.#wire.call("get", "/v1/parties/{partyId}/roles", {
      ...options, path: { partyId: idText("party", party) }, query: { userId: idText("user", user), atLeastAsFresh: fresh },
    }));
    return there(answer.roles as Role[] | undefined);
  }

  /** Returns all roles that there are. */
  async catalogue(options: CallOptions = {}): Promise<CatalogueRole[]> {
    const answer = await this.#wire.call("get", "/v1/roles", options);
    return there(answer.roles as CatalogueRole[] | undefined);
  }

  /** Returns who the client's credentials are, as the server has verified them. */
  async caller(options: CallOptions = {}): Promise<Caller> {
    return await this.#wire.call("get", "/v1/caller", options) as Caller;
  }

  /**
   * Reports whether a subject has a permission on an object. Checks that are made at the same time
   * travel together, without waiting for each other.
   */
  async check(question: Question, options: CallOptions = {}): Promise<boolean> {
    const fresh = this.revision;
    const answer = await this.#checks.check(fresh, questionBody(question), options);
    this.#session?.saw(fresh, answer.revision);
    return answer.allowed;
  }

  /**
   * Answers questions in their order. Up to 1,000 are answered at one revision; more are asked in
   * several calls, each at least as fresh as the one before.
   */
  async bulkCheck(questions: readonly Question[], options: CallOptions = {}): Promise<Answer[]> {
    const answers: Answer[] = [];
    let revision = this.revision;
    for (let i = 0; i < questions.length; i += maxQuestions) {
      const got = await askAll(this.#wire, revision, questions.slice(i, i + maxQuestions).map(questionBody), options);
      this.#session?.saw(revision, got.revision);
      revision = got.revision ?? revision;
      answers.push(...got.answers);
    }
    return answers;
  }

  /**
   * Answers whether a subject may do an action on a resource, by policy, delegation and access list.
   * Whoever opens a door by the answer uses the middleware.
   */
  async decide(request: DecisionRequest, options: CallOptions = {}): Promise<Decision> {
    const answer = await this.#read((fresh) => this.#wire.call("post", "/v1/decide", {
      ...options, body: { question: requestBody(request), atLeastAsFresh: fresh },
    }));
    return there(answer.decision as Decision | undefined);
  }

  /** Answers up to 1,000 requests at one revision, in their order. One that cannot be answered is Effect.Indeterminate. */
  async bulkDecide(requests: readonly DecisionRequest[], options: CallOptions = {}): Promise<Decision[]> {
    if (requests.length === 0) {
      return [];
    }
    const answer = await this.#read((fresh) => this.#wire.call("post", "/v1/decide/bulk", {
      ...options, body: { questions: requests.map(requestBody), atLeastAsFresh: fresh },
    }));
    const decisions = there(answer.decisions as Decision[] | undefined);
    if (decisions.length !== requests.length) {
      throw new BehalfError({ code: "INTERNAL", reason: Reason.Internal, message: "the server has not answered each request" });
    }
    return decisions;
  }

  /** Gives a single right. To give it again changes when it ends and nothing else. */
  async grantRight(grant: Grant, right: Right, options: CallOptions = {}): Promise<Delegation> {
    const answer = await this.#write(options, () => this.#wire.call("post", "/v1/delegations:grantRight", {
      ...options, writes: true, body: { ...grantBody(grant), from: grant.from, to: grant.to, right: { instance: "", task: "", ...right } },
    }));
    return there(answer.delegation as Delegation | undefined);
  }

  /** Gives an access package, named by code or URN. */
  async grantPackage(grant: Grant, accessPackage: string, options: CallOptions = {}): Promise<Delegation> {
    const answer = await this.#write(options, () => this.#wire.call("post", "/v1/delegations:grantPackage", {
      ...options, writes: true, body: { ...grantBody(grant), from: grant.from, to: grant.to, package: accessPackage },
    }));
    return there(answer.delegation as Delegation | undefined);
  }

  /** Gives an agent of a provider a package of a client: grant.from is the provider, and client the party for which it works. */
  async grantClientPackage(client: PartyRef, grant: Grant, accessPackage: string, options: CallOptions = {}): Promise<Delegation> {
    const answer = await this.#write(options, () => this.#wire.call("post", "/v1/delegations:grantClientPackage", {
      ...options, writes: true, body: { ...grantBody(grant), client, provider: grant.from, agent: grant.to, package: accessPackage },
    }));
    return there(answer.delegation as Delegation | undefined);
  }

  /** Takes a delegation back, by its id. To take back what is not there is no error. User is the user who does, for a service that acts for him. */
  async revoke(id: string, user: UserID = 0, options: CallOptions = {}): Promise<void> {
    await this.#write(options, () => this.#wire.call("delete", "/v1/delegations/{id}", {
      ...options, writes: true, path: { id }, query: { userId: idText("user", user) },
    }));
  }

  /** Lists what is on one side of a party, by id. User is the user who asks, for a service that acts for him. */
  delegations(party: PartyID, side: DelegationSide, user: UserID = 0, options: CallOptions = {}): AsyncIterable<Delegation> {
    return pages(undefined, async (pageSize, pageToken) => {
      const answer = await this.#wire.call("get", "/v1/delegations", { ...options, query: {
        partyId: idText("party", party), side, userId: idText("user", user), pageSize, pageToken,
      } });
      return { entries: answer.delegations as Delegation[] | undefined, next: answer.nextPageToken };
    });
  }

  /** Says what a user may pass on for a party, and why not the rest. */
  async mayDelegate(query: DelegationQuery, options: CallOptions = {}): Promise<DelegationAnswer[]> {
    const answer = await this.#read((fresh) => this.#wire.call("post", "/v1/delegations:check", { ...options, body: {
      partyId: idText("party", query.party), userId: idText("user", query.user ?? 0), resource: query.resource ?? "",
      packages: [...(query.packages ?? [])], providerPartyId: idText("provider", query.provider ?? 0), atLeastAsFresh: fresh,
    } }));
    return there(answer.answers as DelegationAnswer[] | undefined);
  }

  /** Makes a call that reads. */
  async #read<A extends { revision?: string }>(call: (fresh: string) => Promise<A>): Promise<A> {
    const fresh = this.revision;
    const answer = await call(fresh);
    this.#session?.saw(fresh, answer.revision);
    return answer;
  }

  /** Makes a call that writes. */
  #write<A extends { revision?: string }>(options: CallOptions, call: () => Promise<A>): Promise<A> {
    return this.#session === undefined ? call() : this.#session.write(options.signal, call);
  }
}

/** Returns what an answer has to hold. */
function there<T>(part: T | null | undefined): T {
  if (part === null || part === undefined) {
    throw new BehalfError({ code: "INTERNAL", reason: Reason.Internal, message: "the answer lacks what was asked for" });
  }
  return part;
}

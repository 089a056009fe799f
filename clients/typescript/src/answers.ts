import type { components } from "./gen/behalf.js";

type Schemas = components["schemas"];

/**
 * A message of the contract as the server writes it: with every field, zero or not. Messages that
 * are not set are null, and fields of which only one can be set are absent when they are not.
 */
type Written<T, OneOf extends keyof T = never> = {
  [K in Exclude<keyof T, OneOf>]-?: NonNullable<T[K]> extends object
    ? NonNullable<T[K]> extends readonly unknown[] ? NonNullable<T[K]> : T[K] | null
    : NonNullable<T[K]>;
} & { [K in OneOf]?: T[K] };

/** A person, organisation, sub-unit, self-identified user or estate. */
export type Party = Omit<Written<Schemas["v1Party"]>, "subUnits"> & { subUnits: Party[] };

/** A user who may represent a party. */
export type Representative = Omit<Written<Schemas["v1Representative"]>, "party"> & { party: Party | null };

/** The order of a list of parties. */
export type PartyOrder = Schemas["v1PartyOrder"];

/** A role that a user has for a party. */
export type Role = Written<Schemas["v1HeldRole"]>;

/** A role that there is. */
export type CatalogueRole = Written<Schemas["v1CatalogueRole"]>;

/** What the server has established of a caller. */
export type Caller = Written<Schemas["v1GetCallerResponse"]>;

/** What a decision says; only Effect.Permit lets anybody in. */
export type Effect = Schemas["v1Effect"];

/** The effects of decisions. */
export const Effect = {
  /** The question could not be answered. */
  Indeterminate: "EFFECT_UNSPECIFIED",
  /** Lets the subject in, if every obligation is met. */
  Permit: "EFFECT_PERMIT",
  /** A refusal by a rule or an access list. */
  Deny: "EFFECT_DENY",
  /** The absence of a right. */
  NotApplicable: "EFFECT_NOT_APPLICABLE",
} as const satisfies Record<string, Effect>;

/** One value of an obligation. */
export type Assignment = Written<Schemas["v1Assignment"]>;

/** What must be seen to before a Permit lets anybody in. */
export type Obligation = Omit<Written<Schemas["v1Obligation"]>, "assignments"> & { assignments: Assignment[] };

/**
 * An answer to a request for a decision. A Permit lets nobody in while an obligation is not met: the
 * middleware sees to that.
 */
export type Decision = Omit<Written<Schemas["v1Decision"]>, "obligations" | "advice"> & {
  obligations: Obligation[];
  advice: Obligation[];
};

/** Something that a party has given: a right, a package, or a package of a client. */
export type Delegation = Written<Schemas["v1Delegation"], "right" | "package" | "clientPackage">;

/** Whether one thing may be passed on, and why not. */
export type DelegationAnswer = Written<Schemas["v1DelegationAnswer"], "right" | "package">;

/** On which side of delegations a party is. */
export type DelegationSide = Schemas["v1DelegationSide"];

/** The sides of delegations. */
export const DelegationSide = {
  /** What a party has given, and what its providers have passed on. */
  Given: "DELEGATION_SIDE_GIVEN",
  /** What it was given. */
  Received: "DELEGATION_SIDE_RECEIVED",
  /** What it has passed on of its clients'. */
  OfClients: "DELEGATION_SIDE_CLIENTS",
} as const satisfies Record<string, DelegationSide>;

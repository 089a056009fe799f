import { type PartyID, type UserID, idText } from "./ids.js";
import type { PartyRef, Receiver } from "./references.js";

/** A single right to a resource. */
export interface Right {
  /** The resource's id, or app_<org>_<app> for an app. */
  readonly resource: string;
  /** What may be done, such as read. */
  readonly action: string;
  /** Limits the right to one instance; all, unless given. */
  readonly instance?: string;
  /** Limits the right to one task; all, unless given. */
  readonly task?: string;
}

/** Who gives whom, and until when. */
export interface Grant {
  /** The party that gives. */
  readonly from: PartyRef;
  /** Who is given it. */
  readonly to: Receiver;
  /** Ends it; it stands until it is revoked, unless given. */
  readonly expires?: Date;
  /** The user who gives, for a service that acts for him. Without, the caller gives in his own name. */
  readonly user?: UserID;
}

/** What is to be passed on. Without a resource and packages, all packages are meant. */
export interface DelegationQuery {
  /** The party that would give. */
  readonly party: PartyID;
  /** The user who would; me, unless given. */
  readonly user?: UserID;
  /** Asks about the rights to a resource. */
  readonly resource?: string;
  /** Asks about access packages. */
  readonly packages?: readonly string[];
  /** Asks about packages of the party, a client, that this provider may pass on. */
  readonly provider?: PartyID;
}

/** Returns what all grants have in common, as the contract has it. */
export function grantBody(grant: Grant): { userId: string; expiresAt?: string } {
  const body: { userId: string; expiresAt?: string } = { userId: idText("user", grant.user ?? 0) };
  if (grant.expires !== undefined) {
    body.expiresAt = grant.expires.toISOString(); // throws for a date that is none
  }
  return body;
}

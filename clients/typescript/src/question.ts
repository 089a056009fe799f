import type { components } from "./gen/behalf.js";
import { type PartyID, type UserID, idText } from "./ids.js";

/** Names an object of the relation graph. */
export interface ObjectRef {
  readonly type: string;
  readonly id: string;
}

/**
 * Names an object of the relation graph that acts, or with a relation all that have it, such as the
 * members of a group.
 */
export interface SubjectRef extends ObjectRef {
  readonly relation?: string;
}

/** Whether a subject has a permission on an object. Without a subject, it is whoever the client's credentials are. */
export interface Question {
  readonly object: ObjectRef;
  readonly permission: string;
  readonly subject?: SubjectRef | undefined;
}

/** The answer to one of several questions. */
export interface Answer {
  /** True when the subject has the permission. */
  readonly allowed: boolean;
  /** Why the question could not be answered; absent when it was. */
  readonly error?: Error;
}

/** Returns a party as an object. */
export function partyObject(party: PartyID): ObjectRef {
  return { type: "party", id: idText("party", party) };
}

/** Returns a user as a subject; me is none, which is whoever the client's credentials are. */
export function userSubject(user: UserID): SubjectRef | undefined {
  const id = idText("user", user);
  return id === "0" ? undefined : { type: "user", id };
}

/** Returns a question as the contract has it. */
export function questionBody(question: Question): components["schemas"]["v1CheckQuestion"] {
  const { object, permission, subject } = question;
  const body: components["schemas"]["v1CheckQuestion"] = { object: { type: object.type, id: object.id }, permission };
  if (subject !== undefined) {
    body.subject = { type: subject.type, id: subject.id, relation: subject.relation ?? "" };
  }
  return body;
}

/**
 * The client of Behalf: whom may a user act for, in which roles, may they do this to that, and why
 * not. It has the abilities and names of the client in Go.
 *
 * A denial is an answer and never an error. Every error of a call is a BehalfError with the reason
 * that the server gave. Decisions that open doors belong into ./pep, the middleware, which also
 * meets their obligations.
 *
 * It imports nothing, runs where fetch is, and knows the published contract only.
 *
 * @packageDocumentation
 */
export * from "./answers.js";
export { Client, dial, type Options } from "./client.js";
export { type Grant, type DelegationQuery, type Right } from "./delegation.js";
export { BehalfError, Reason, codeOf, reasonOf, type Code, type Fault, type Violation } from "./errors.js";
export { me, type ID, type PartyID, type UserID } from "./ids.js";
export { collect } from "./page.js";
export { type PartyQuery } from "./party.js";
export { partyObject, userSubject, type Answer, type ObjectRef, type Question, type SubjectRef } from "./question.js";
export { byNationalID, byOrgNumber, byPartyID, byUUID, toParty, toSystemUser, type PartyRef, type Receiver } from "./references.js";
export { Attributes, DecisionRequest, app, resource, type Attribute } from "./request.js";
export type { CallOptions, TokenSource } from "./wire.js";

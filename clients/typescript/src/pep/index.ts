/**
 * Enforces Behalf's decisions in a service: middleware for Express and for fetch-style handlers that
 * finds out who calls, asks whether he may, and lets him in on a Permit with every obligation met,
 * and on nothing else.
 *
 * It refuses to decide anything itself and to keep answers: a right that was taken back is gone in
 * the next request.
 *
 * @packageDocumentation
 */
export type { NodeRequest, NodeResponse } from "./express.js";
export { Guard, type Decider, type GuardConfig, type Question } from "./guard.js";
export type { Duty } from "./obligation.js";
export { partyInPath } from "./party.js";
export { Reason, Refusal } from "./refusal.js";
export { byBehalf, subjectFrom, type Identify, type Subject } from "./subject.js";

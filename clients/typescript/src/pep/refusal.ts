import { Reason as ClientReason, codeOf } from "../errors.js";

/** The reasons of refusals, beside those of the client. */
export const Reason = {
  CredentialsMissing: ClientReason.CredentialsMissing,
  CredentialsInvalid: ClientReason.CredentialsInvalid,
  Unavailable: ClientReason.Unavailable,
  /** Given when the decision is no Permit. */
  Denied: "DENIED",
  /** Given when the caller has to log in at a higher level. */
  LevelTooLow: "LEVEL_TOO_LOW",
  /** Given when a Permit has an obligation that is unknown here or failed. */
  ObligationUnmet: "OBLIGATION_UNMET",
  /** Given when the credentials are good and name nobody who could have rights. */
  SubjectUnknown: "SUBJECT_UNKNOWN",
  /** Given when a request does not say what it is about. */
  RequestInvalid: "REQUEST_INVALID",
} as const;

/** Why somebody is not let in, as a program reads it. */
export type Reason = (typeof Reason)[keyof typeof Reason];

/** Why somebody is not let in. Its texts are made to be shown to him; its cause is for the log. */
export class Refusal extends Error {
  /** The machine-readable reason. */
  readonly reason: Reason;
  /** Says the same to a developer. */
  readonly detail: string;
  /** The authentication level to log in at, 0 unless that is the reason. */
  readonly requiredLevel: number;

  constructor(reason: Reason, detail: string, more: { requiredLevel?: number; cause?: unknown } = {}) {
    super(`pep: ${reason}: ${detail}`, { cause: more.cause });
    this.name = "Refusal";
    this.reason = reason;
    this.detail = detail;
    this.requiredLevel = more.requiredLevel ?? 0;
  }

  /** The status of HTTP that says it. */
  get status(): 400 | 401 | 403 | 503 {
    switch (this.reason) {
      case Reason.CredentialsMissing:
      case Reason.CredentialsInvalid:
      case Reason.LevelTooLow:
        return 401;
      case Reason.RequestInvalid:
        return 400;
      case Reason.Unavailable:
        return 503;
      default:
        return 403;
    }
  }
}

/** Returns the refusal that something thrown is. What is none becomes one that says nothing of it. */
export function refusalOf(error: unknown): Refusal {
  return error instanceof Refusal ? error : new Refusal(Reason.Unavailable, "access could not be decided", { cause: error });
}

/** Returns the refusal of somebody whom Behalf would not identify. */
export function callerRefused(error: unknown): Refusal {
  return codeOf(error) === "UNAUTHENTICATED"
    ? new Refusal(Reason.CredentialsInvalid, "the credentials are not valid, or no longer", { cause: error })
    : refusalOf(error);
}

/** Returns the refusal of a request that Behalf would not decide about. */
export function decisionRefused(error: unknown): Refusal {
  return codeOf(error) === "INVALID_ARGUMENT"
    ? new Refusal(Reason.RequestInvalid, "the request cannot be decided about", { cause: error })
    : refusalOf(error);
}

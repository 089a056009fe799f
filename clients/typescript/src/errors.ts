/**
 * Reasons that many calls give. Others are named where they are given, in the contract. A reason
 * never changes its meaning; new ones may come. The empty reason is that of an error in which the
 * server had no part.
 */
export const Reason = {
  /** Given for every fault of the server; its log says more. */
  Internal: "INTERNAL",
  /** Given when a field of the request is wrong; violations name it. */
  InvalidArgument: "INVALID_ARGUMENT",
  /** Given when a call carries no credentials. */
  CredentialsMissing: "CREDENTIALS_MISSING",
  /** Given when a token or key is not valid, or no longer. */
  CredentialsInvalid: "CREDENTIALS_INVALID",
  /** Given when a service lacks the scope that metadata has as "scope". */
  ScopeMissing: "SCOPE_MISSING",
  /** Given when an end user calls what is open to services only. */
  ServicesOnly: "SERVICES_ONLY",
  /** Given when an end user asks about somebody else. */
  OtherUser: "OTHER_USER",
  /** Given when a service does not say which user it asks about. */
  UserRequired: "USER_REQUIRED",
  /** Given when no record of the party exists. */
  PartyNotFound: "PARTY_NOT_FOUND",
  /** Given when the catalogue has no such role. */
  UnknownRole: "UNKNOWN_ROLE",
  /** Given when the schema has no such definition, relation or permission. */
  UnknownRelation: "UNKNOWN_RELATION",
  /** Given when a revision is not one that the server gave. */
  InvalidRevision: "INVALID_REVISION",
  /** Given when a page token is not one of the query. */
  InvalidPageToken: "INVALID_PAGE_TOKEN",
  /** Given when what a write expected to find is not what is there. */
  ETagMismatch: "ETAG_MISMATCH",
  /** Given when the server cannot answer now. */
  Unavailable: "UNAVAILABLE",
} as const;

/** A machine-readable reason: one of those named here, or another of the contract. */
export type Reason = (typeof Reason)[keyof typeof Reason] | (string & {});

/** The kind of an error: the name of a gRPC code. */
export type Code =
  | "CANCELLED" | "UNKNOWN" | "INVALID_ARGUMENT" | "DEADLINE_EXCEEDED" | "NOT_FOUND" | "ALREADY_EXISTS"
  | "PERMISSION_DENIED" | "RESOURCE_EXHAUSTED" | "FAILED_PRECONDITION" | "ABORTED" | "OUT_OF_RANGE"
  | "UNIMPLEMENTED" | "INTERNAL" | "UNAVAILABLE" | "DATA_LOSS" | "UNAUTHENTICATED";

/** Names a field of a request and says what is wrong with it. */
export interface Violation {
  readonly field: string;
  readonly message: string;
}

/** What a BehalfError is made of. */
export interface Fault {
  code: Code;
  message: string;
  reason?: Reason;
  metadata?: Record<string, string>;
  violations?: Violation[];
  requestId?: string;
  cause?: unknown;
}

/**
 * Why a call has no answer. Its text is for developers; before showing it to others, mind that it
 * may repeat what was asked.
 */
export class BehalfError extends Error {
  /** The kind of error. It is UNKNOWN for one of several questions. */
  readonly code: Code;
  /** The machine-readable reason, empty when the server gave none. */
  readonly reason: Reason;
  /** Values that belong to the reason, such as "scope". */
  readonly metadata: Readonly<Record<string, string>>;
  /** The fields that are wrong. */
  readonly violations: readonly Violation[];
  /** Finds the request in the server's log; empty when the server gave none. */
  readonly requestId: string;

  constructor(fault: Fault) {
    super(`behalf: ${fault.reason || fault.code}: ${fault.message}`, { cause: fault.cause });
    this.name = "BehalfError";
    this.code = fault.code;
    this.reason = fault.reason ?? "";
    this.metadata = fault.metadata ?? {};
    this.violations = fault.violations ?? [];
    this.requestId = fault.requestId ?? "";
  }
}

/** Returns the reason of a BehalfError, empty for anything else. */
export function reasonOf(error: unknown): Reason {
  return error instanceof BehalfError ? error.reason : "";
}

/** Returns the code of a BehalfError, UNKNOWN for anything else. */
export function codeOf(error: unknown): Code {
  return error instanceof BehalfError ? error.code : "UNKNOWN";
}

/** Returns the error of a value that the caller gave and that cannot be sent. */
export function invalid(field: string, message: string): BehalfError {
  return new BehalfError({
    code: "INVALID_ARGUMENT",
    reason: Reason.InvalidArgument,
    message: `${field}: ${message}`,
    violations: [{ field, message }],
  });
}

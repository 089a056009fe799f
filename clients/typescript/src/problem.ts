import { BehalfError, type Code, type Violation } from "./errors.js";
import type { components } from "./gen/behalf.js";

type Problem = components["schemas"]["Problem"];

const codes: ReadonlySet<string> = new Set<Code>([
  "CANCELLED", "UNKNOWN", "INVALID_ARGUMENT", "DEADLINE_EXCEEDED", "NOT_FOUND", "ALREADY_EXISTS",
  "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION", "ABORTED", "OUT_OF_RANGE",
  "UNIMPLEMENTED", "INTERNAL", "UNAVAILABLE", "DATA_LOSS", "UNAUTHENTICATED",
]);

/**
 * Returns the error of an answer that is no success: the server's problem document, or for what
 * something between here and the server has said, what its status stands for.
 */
export function errorOf(status: number, text: string): BehalfError {
  const problem = read(text);
  if (problem === undefined) {
    return new BehalfError({ code: codeOfStatus(status), message: `the answer is ${status}, and not the server's` });
  }
  return new BehalfError({
    code: problem.code as Code,
    reason: problem.reason,
    message: problem.detail ?? problem.title ?? "",
    metadata: problem.metadata ?? {},
    violations: (problem.violations ?? []) as Violation[],
    requestId: problem.request_id ?? "",
  });
}

function read(text: string): Problem | undefined {
  try {
    const value = JSON.parse(text) as Partial<Problem> | null;
    const is = typeof value?.reason === "string" && typeof value.code === "string" && codes.has(value.code);
    return is ? (value as Problem) : undefined;
  } catch {
    return undefined;
  }
}

/** As gRPC takes the answers of proxies, which know nothing of its codes. */
function codeOfStatus(status: number): Code {
  switch (status) {
    case 400:
      return "INTERNAL";
    case 401:
      return "UNAUTHENTICATED";
    case 403:
      return "PERMISSION_DENIED";
    case 404:
      return "UNIMPLEMENTED";
    case 429:
    case 502:
    case 503:
    case 504:
      return "UNAVAILABLE";
    default:
      return "UNKNOWN";
  }
}

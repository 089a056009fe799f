import { Reason, type Refusal } from "./refusal.js";

/** What somebody is told who is not let in. */
export interface Told {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

const titles = { 400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 503: "Service Unavailable" } as const;

/** Returns a problem document, and for who has to log in the challenge of RFC 6750 or RFC 9470. */
export function told(refusal: Refusal, realm: string, acr: (level: number) => string): Told {
  const { status, reason, detail, requiredLevel } = refusal;
  const headers: Record<string, string> = { "content-type": "application/problem+json", "cache-control": "no-store" };
  if (status === 401) {
    headers["www-authenticate"] = challenge(refusal, realm, acr);
  }
  const body = { title: titles[status], status, reason, detail, ...(requiredLevel > 0 && { requiredLevel }) };
  return { status, headers, body: JSON.stringify(body) + "\n" };
}

function challenge({ reason, detail, requiredLevel }: Refusal, realm: string, acr: (level: number) => string): string {
  const bare = "Bearer realm=" + quoted(realm);
  switch (reason) {
    case Reason.CredentialsInvalid:
      return `${bare}, error="invalid_token", error_description=${quoted(detail)}`;
    case Reason.LevelTooLow:
      return `${bare}, error="insufficient_user_authentication", error_description=${quoted(detail)}, acr_values=${quoted(acr(requiredLevel))}`;
    default: // without credentials there is nothing to say about them
      return bare;
  }
}

/** Returns a quoted-string of HTTP, without what none can hold. */
function quoted(text: string): string {
  return `"${text.replace(/[^ -~]/g, "").replace(/[\\"]/g, "\\$&")}"`;
}

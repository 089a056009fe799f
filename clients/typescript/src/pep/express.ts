import type { Told } from "./answer.js";

/** A request as Node, Express and their like have it. */
export interface NodeRequest {
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** Names and values in turn. Without it, a second Authorization header goes unseen. */
  readonly rawHeaders?: readonly string[];
}

/** An answer as Node, Express and their like have it. */
export interface NodeResponse {
  statusCode: number;
  setHeader(name: string, value: string): unknown;
  end(body: string): unknown;
}

/** Returns the values of a request's Authorization headers. Node's headers have the first only. */
export function authorizationOf(request: NodeRequest): string[] {
  const raw = request.rawHeaders;
  if (raw === undefined) {
    return [request.headers["authorization"] ?? []].flat();
  }
  return raw.filter((_, i) => i % 2 === 1 && raw[i - 1]!.toLowerCase() === "authorization");
}

/** Answers a request. */
export function write(response: NodeResponse, { status, headers, body }: Told): void {
  response.statusCode = status;
  for (const [name, value] of Object.entries(headers)) {
    response.setHeader(name, value);
  }
  response.end(body);
}

const maxAttempts = 4;
const maxTokens = 100;
const tokensPerSuccess = 0.1;

/**
 * Says whether a call that found no server is made again. When more and more calls fail it says
 * no, as gRPC's retry throttling does, so that a server that comes back is not met by a crowd.
 */
export class Retries {
  #tokens = maxTokens;

  /** Notes a call that found the server. */
  succeeded(): void {
    this.#tokens = Math.min(maxTokens, this.#tokens + tokensPerSuccess);
  }

  /** Notes a call that did not, and reports whether to make it again after this attempt, from 1. */
  again(attempt: number): boolean {
    this.#tokens = Math.max(0, this.#tokens - 1);
    return attempt < maxAttempts && this.#tokens > maxTokens / 2;
  }

  /** Returns how long to wait after an attempt, in milliseconds: 50, 150, 450, at random up to that. */
  pause(attempt: number): number {
    return Math.random() * Math.min(1000, 50 * 3 ** (attempt - 1));
  }
}

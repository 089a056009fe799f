import { BehalfError } from "./errors.js";

/** When a call ends without an answer: after a time, or when its caller gives it up. */
export class Deadline {
  readonly #controller = new AbortController();
  readonly #outer: AbortSignal | undefined;
  readonly #giveUp = (): void => this.#end(new BehalfError({
    code: "CANCELLED", message: "the call was given up", cause: this.#outer?.reason,
  }));
  #timer: ReturnType<typeof setTimeout> | undefined;
  #error: BehalfError | undefined;

  /** A timeout, in milliseconds, that is not a positive finite number is none. */
  constructor(timeout: number, outer?: AbortSignal) {
    this.#outer = outer;
    if (outer?.aborted) {
      this.#giveUp();
      return;
    }
    outer?.addEventListener("abort", this.#giveUp, { once: true });
    if (timeout > 0 && Number.isFinite(timeout)) {
      this.#timer = setTimeout(() => this.#end(new BehalfError({
        code: "DEADLINE_EXCEEDED", message: `no answer within ${timeout} ms`,
      })), timeout);
    }
  }

  /** Aborted once the call has ended without an answer. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Why the call has ended; undefined while it has not. */
  get error(): BehalfError | undefined {
    return this.#error;
  }

  /** Returns what a promise does, or rejects when the call ends before. */
  race<T>(promise: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const end = (): void => reject(this.#error);
      if (this.#error) {
        promise.catch(() => undefined); // what it says comes too late
        end();
        return;
      }
      this.signal.addEventListener("abort", end, { once: true });
      promise.then(resolve, reject).finally(() => this.signal.removeEventListener("abort", end));
    });
  }

  /** Waits, in milliseconds. */
  sleep(time: number): Promise<void> {
    return this.race(new Promise((resolve) => setTimeout(resolve, time)));
  }

  /** Says that the call has its answer. */
  done(): void {
    clearTimeout(this.#timer);
    this.#outer?.removeEventListener("abort", this.#giveUp);
  }

  #end(error: BehalfError): void {
    this.#error = error;
    this.done();
    this.#controller.abort(error);
  }
}

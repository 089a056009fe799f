import { Deadline } from "./deadline.js";

/**
 * Remembers a revision that every later read must see.
 *
 * Revisions cannot be compared here, so two rules keep the remembered one from going back. A read's
 * revision is taken only when the read was made at least as fresh as what is remembered still: then
 * it cannot be older. Writes are made one after the other, so that the last to be answered is the
 * latest.
 */
export class Session {
  #last: string;
  #writing: Promise<void> = Promise.resolve();

  constructor(revision: string) {
    this.#last = revision;
  }

  /** The revision that a read must see. */
  get at(): string {
    return this.#last;
  }

  /** Takes the revision of a read that was made at least as fresh as from. */
  saw(from: string, revision: string | undefined): void {
    if (revision && this.#last === from) {
      this.#last = revision;
    }
  }

  /** Makes a call that writes, once no other one runs. */
  async write<A extends { revision?: string }>(signal: AbortSignal | undefined, call: () => Promise<A>): Promise<A> {
    const before = this.#writing;
    let end!: () => void;
    const own = new Promise<void>((resolve) => (end = resolve));
    this.#writing = before.then(() => own);
    const deadline = new Deadline(0, signal);
    try {
      await deadline.race(before);
      const answer = await call();
      this.#last = answer.revision || this.#last;
      return answer;
    } finally {
      deadline.done();
      end();
    }
  }
}

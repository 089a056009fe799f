import { Deadline } from "./deadline.js";
import { BehalfError, Reason, codeOf, reasonOf } from "./errors.js";
import type { components } from "./gen/behalf.js";
import type { Answer } from "./question.js";
import type { CallOptions, Wire } from "./wire.js";

type Body = components["schemas"]["v1CheckQuestion"];

/** How many questions one call can ask. */
export const maxQuestions = 1000;

/** How many calls of a batcher run at once. While they do, questions gather. */
const maxRunning = 4;

/** An answer, and the revision that it was computed at. */
export interface Checked {
  readonly allowed: boolean;
  readonly revision: string | undefined;
}

/** A question that waits for its answer. */
interface Asked {
  readonly question: Body;
  readonly fresh: string;
  readonly answered: (answer: Checked) => void;
  readonly failed: (error: unknown) => void;
  gone: boolean;
  batch?: Batch;
}

/** Questions in one call, which is given up when nobody waits for it any more. */
interface Batch {
  present: number;
  readonly controller: AbortController;
}

/**
 * Puts checks that are made at the same time into one call: those of one turn of the event loop, and
 * those that come while as many calls run as may. A lone question never waits. All have the same
 * credentials.
 */
export class Batcher {
  #running = 0;
  #waiting: Asked[] = [];
  #woken = false;

  constructor(readonly wire: Wire) {}

  /** Asks one question at least as fresh as a revision. */
  async check(fresh: string, question: Body, options: CallOptions): Promise<Checked> {
    const deadline = new Deadline(this.wire.config.timeout, options.signal);
    try {
      return await deadline.race(new Promise<Checked>((answered, failed) => {
        const asked: Asked = { question, fresh, answered, failed, gone: deadline.signal.aborted };
        deadline.signal.addEventListener("abort", () => leave(asked), { once: true });
        this.#waiting.push(asked);
        this.#wake();
      }));
    } finally {
      deadline.done();
    }
  }

  #wake(): void {
    if (this.#woken) {
      return;
    }
    this.#woken = true;
    queueMicrotask(() => {
      this.#woken = false;
      this.#begin();
    });
  }

  /** Begins calls with what waits, as many as may run. */
  #begin(): void {
    while (this.#running < maxRunning) {
      const together = this.#gather();
      if (together.length === 0) {
        return;
      }
      const batch: Batch = { present: together.length, controller: new AbortController() };
      for (const asked of together) {
        asked.batch = batch;
      }
      this.#running++;
      void this.#ask(together, batch.controller.signal).finally(() => {
        this.#running--;
        this.#begin();
      });
    }
  }

  /** Takes from what waits the questions that can go into one call: those with the freshness of the first. */
  #gather(): Asked[] {
    const together: Asked[] = [], rest: Asked[] = [];
    for (const asked of this.#waiting) {
      if (asked.gone) {
        continue;
      }
      const fits = together.length < maxQuestions && (together[0] === undefined || asked.fresh === together[0].fresh);
      (fits ? together : rest).push(asked);
    }
    this.#waiting = rest;
    return together;
  }

  /**
   * Answers the questions. One that is malformed fails the whole call, so a call that failed for this is
   * made again in halves: nobody pays for the fault of another. The revision is that of all; a wrong one
   * is everybody's fault. It never rejects.
   */
  async #ask(together: Asked[], signal: AbortSignal): Promise<void> {
    const first = together[0]!;
    try {
      if (together.length === 1) {
        const answer = await this.wire.call("post", "/v1/check", {
          body: { question: first.question, atLeastAsFresh: first.fresh }, signal, untimed: true,
        });
        first.answered({ allowed: answer.allowed === true, revision: answer.revision });
        return;
      }
      const got = await askAll(this.wire, first.fresh, together.map((asked) => asked.question), { signal }, true);
      together.forEach((asked, i) => {
        const answer = got.answers[i]!;
        if (answer.error) {
          asked.failed(answer.error);
        } else {
          asked.answered({ allowed: answer.allowed, revision: got.revision });
        }
      });
    } catch (error) {
      if (codeOf(error) === "INVALID_ARGUMENT" && reasonOf(error) !== Reason.InvalidRevision && together.length > 1) {
        const half = together.length >> 1;
        await this.#ask(together.slice(0, half), signal);
        await this.#ask(together.slice(half), signal);
        return;
      }
      together.forEach((asked) => asked.failed(error));
    }
  }
}

/** Says that nobody waits for a question any more. */
function leave(asked: Asked): void {
  asked.gone = true;
  if (asked.batch && --asked.batch.present === 0) {
    asked.batch.controller.abort();
  }
}

/** Asks up to 1,000 questions. An answer that has not one entry for each question is none. */
export async function askAll(
  wire: Wire, fresh: string, questions: Body[], options: CallOptions, untimed = false,
): Promise<{ answers: Answer[]; revision: string | undefined }> {
  const got = await wire.call("post", "/v1/check/bulk", {
    body: { questions, atLeastAsFresh: fresh }, signal: options.signal, untimed,
  });
  if (got.answers?.length !== questions.length) {
    throw new BehalfError({ code: "INTERNAL", reason: Reason.Internal, message: "the server has not answered each question" });
  }
  const answers = got.answers.map((answer): Answer => answer.reason
    ? { allowed: false, error: new BehalfError({ code: "UNKNOWN", reason: answer.reason, message: answer.message ?? "" }) }
    : { allowed: answer.allowed === true });
  return { answers, revision: got.revision };
}

import { BehalfError, Reason } from "./errors.js";

const defaultPage = 1000;

/** One page of a list. */
export interface Page<E> {
  entries: E[] | undefined;
  next: string | undefined;
}

/** Yields the entries of all pages that fetch returns. Each reading begins anew. */
export function pages<E>(size: number | undefined, fetch: (size: number, token: string) => Promise<Page<E>>): AsyncIterable<E> {
  return {
    async *[Symbol.asyncIterator](): AsyncGenerator<E, void, undefined> {
      for (let token = ""; ; ) {
        const page = await fetch(size || defaultPage, token);
        if (!Array.isArray(page.entries)) {
          throw new BehalfError({ code: "INTERNAL", reason: Reason.Internal, message: "the answer has no list" });
        }
        yield* page.entries;
        if (!page.next) {
          return;
        }
        token = page.next;
      }
    },
  };
}

/** Reads a list to its end. On an error it returns none of it, so that nobody takes a part for the whole. */
export async function collect<E>(list: AsyncIterable<E>): Promise<E[]> {
  const all: E[] = [];
  for await (const entry of list) {
    all.push(entry);
  }
  return all;
}

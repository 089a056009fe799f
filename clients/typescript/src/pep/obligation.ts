import type { Obligation } from "../answers.js";
import { Reason, Refusal } from "./refusal.js";
import type { Subject } from "./subject.js";

// Categories of the assignments of Altinn's obligation to authenticate.
const minimumLevel = "urn:altinn:minimum-authenticationlevel";
const minimumLevelOrg = "urn:altinn:minimum-authenticationlevel-org";

/** Meets an obligation, such as to note the access down. The door stays closed when it throws. */
export type Duty = (who: Subject, obligation: Obligation) => void | Promise<void>;

/**
 * Meets the obligations of a Permit, or throws a Refusal. Duties come last: they may write something
 * down, and nothing was let in that another obligation forbids.
 */
export async function meet(duties: ReadonlyMap<string, Duty>, who: Subject, obligations: readonly Obligation[]): Promise<void> {
  const required: Required = { level: 0, orgLevel: undefined };
  const left: [Duty, Obligation][] = [];
  for (const obligation of obligations) {
    if (take(required, obligation)) {
      continue;
    }
    const duty = duties.get(obligation.id);
    if (duty === undefined) {
      throw new Refusal(Reason.ObligationUnmet, `the obligation "${obligation.id}" is not known here`);
    }
    left.push([duty, obligation]);
  }
  held(required, who);
  for (const [duty, obligation] of left) {
    try {
      await duty(who, obligation);
    } catch (cause) {
      throw failed(obligation, cause);
    }
  }
}

function failed(obligation: Obligation, cause: unknown): Refusal {
  return new Refusal(Reason.ObligationUnmet, `the obligation "${obligation.id}" could not be met`, { cause });
}

/** The authentication level that obligations ask for: the highest of each kind. */
interface Required {
  level: number;
  orgLevel: number | undefined;
}

/** Reads an obligation. It is known when all its assignments are levels, and it has one. */
function take(required: Required, obligation: Obligation): boolean {
  const levels = obligation.assignments.every(({ category }) => category === minimumLevel || category === minimumLevelOrg);
  if (!levels) {
    return false;
  }
  for (const { category, value } of obligation.assignments) {
    if (!/^\d{1,9}$/.test(value)) {
      throw failed(obligation, new Error(`"${value}" is no level`));
    }
    if (category === minimumLevel) {
      required.level = Math.max(required.level, Number(value));
    } else {
      required.orgLevel = Math.max(required.orgLevel ?? 0, Number(value));
    }
  }
  return obligation.assignments.length > 0;
}

/** Refuses who has logged in at too low a level. A service owner may have one of its own. */
function held(required: Required, who: Subject): void {
  const atLeast = (level: number): boolean => who.level >= level; // never of NaN
  if (atLeast(required.level) || (who.org && required.orgLevel !== undefined && atLeast(required.orgLevel))) {
    return;
  }
  throw new Refusal(Reason.LevelTooLow, `authentication level ${required.level} is needed`, { requiredLevel: required.level });
}

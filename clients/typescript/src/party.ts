import type { PartyOrder } from "./answers.js";
import type { UserID } from "./ids.js";

/** Which of the parties that a user may represent are listed, and how. All by name, unless it says more. */
export interface PartyQuery {
  /** The user asked about; me, unless given. */
  readonly user?: UserID;
  /** Keeps the parties on which the user has this role: a code or URN in any case. */
  readonly role?: string;
  /** Keeps the parties for which the user may use this access package. One of role, package and resource can be given. */
  readonly package?: string;
  /**
   * Keeps the parties for which this resource's policy lets the user take the action, by a role or a
   * package that it names or by a right delegated.
   */
  readonly resource?: string;
  /** The action of resource; any, unless given. */
  readonly action?: string;
  /** Keeps the parties whose name or organisation number begins with its words. */
  readonly search?: string;
  /** The order of the list; by name, unless given. */
  readonly order?: PartyOrder;
  /** Nests sub-units in their main unit. */
  readonly groupSubUnits?: boolean;
  /** Leaves out parties that the register has struck off. */
  readonly excludeDeleted?: boolean;
  /** How many are fetched at once; 1,000 unless given. It changes no answer. */
  readonly pageSize?: number;
}

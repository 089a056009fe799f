import { invalid } from "./errors.js";

/**
 * The number of a user or party. Numbers have 64 bits, which a JavaScript number cannot hold, so
 * answers have them as texts; questions take a text, a bigint or an integer that is safe.
 */
export type ID = string | number | bigint;

/** Names a person or other end user. */
export type UserID = ID;

/** Altinn's partyId. */
export type PartyID = ID;

/** Whoever the client's credentials are. */
export const me = 0;

/** Returns an id as the contract writes it. */
export function idText(field: string, id: ID): string {
  switch (typeof id) {
    case "string":
      if (id !== "") {
        return id;
      }
      break;
    case "bigint":
      return id.toString();
    case "number":
      if (Number.isSafeInteger(id)) {
        return id.toString();
      }
      break;
  }
  throw invalid(field, "this is no id");
}

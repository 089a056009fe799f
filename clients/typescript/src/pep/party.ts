import { Reason, Refusal } from "./refusal.js";

/** Returns the party whose id is a parameter of the path, for questions; params are those of the route. */
export function partyInPath(params: Readonly<Record<string, string | string[] | undefined>>, name: string): string {
  const id = Object.hasOwn(params, name) ? params[name] : undefined;
  if (typeof id !== "string" || !/^[1-9]\d{0,18}$/.test(id)) {
    throw new Refusal(Reason.RequestInvalid, "the path does not name a party");
  }
  return id;
}

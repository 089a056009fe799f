import type { components } from "./gen/behalf.js";
import { type PartyID, idText } from "./ids.js";

/** Names a party by one of its identifiers. Make one with byPartyID, byUUID, byOrgNumber or byNationalID. */
export type PartyRef = Readonly<components["schemas"]["v1PartyReference"]>;

/** Names a party by Altinn's partyId. */
export function byPartyID(id: PartyID): PartyRef {
  return { partyId: idText("party", id) };
}

/** Names a party by its UUID. */
export function byUUID(uuid: string): PartyRef {
  return { partyUuid: uuid };
}

/** Names an organisation by its nine-digit number. */
export function byOrgNumber(number: string): PartyRef {
  return { orgNumber: number };
}

/** Names a person by the eleven-digit national identity number. */
export function byNationalID(number: string): PartyRef {
  return { nationalId: number };
}

/** Who is given something. Make one with toParty or toSystemUser. */
export type Receiver = Readonly<components["schemas"]["v1Receiver"]>;

/** Gives to a person or an organisation. */
export function toParty(party: PartyRef): Receiver {
  return { party };
}

/** Gives to a system user, by its UUID. */
export function toSystemUser(uuid: string): Receiver {
  return { systemUserId: uuid };
}

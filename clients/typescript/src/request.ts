import type { components } from "./gen/behalf.js";
import { type PartyID, type UserID, idText } from "./ids.js";

/** Identifiers of attributes. */
export const Attributes = {
  User: "urn:altinn:userid",
  Party: "urn:altinn:partyid",
  Org: "urn:altinn:org",
  App: "urn:altinn:app",
  Resource: "urn:altinn:resource",
  Instance: "urn:altinn:instance-id",
  Task: "urn:altinn:task",
  Action: "urn:oasis:names:tc:xacml:1.0:action:action-id",
  SystemUser: "urn:altinn:systemuser:uuid",
} as const;

/** A named bag of values. */
export interface Attribute {
  /** The attribute's identifier. */
  readonly id: string;
  /** Its values, as texts. */
  readonly values: readonly string[];
  /** The type of the values, a URI of XACML or a short name; absent for string. */
  readonly dataType?: string;
}

/**
 * Whether a subject may do an action on a resource. Begin one with app or resource and go on with its
 * methods; each returns a changed copy. Without by, the subject is whoever the client's credentials
 * are.
 */
export class DecisionRequest {
  readonly subject: readonly Attribute[] = [];
  readonly resource: readonly Attribute[] = [];
  readonly action: readonly Attribute[] = [];
  readonly environment: readonly Attribute[] = [];

  constructor(parts: Partial<Pick<DecisionRequest, "subject" | "resource" | "action" | "environment">> = {}) {
    Object.assign(this, parts);
    Object.freeze(this);
  }

  /** Says whose resource it is: the party that is acted for. */
  for(party: PartyID): DecisionRequest {
    return this.on({ id: Attributes.Party, values: [idText("party", party)] });
  }

  /** Says which instance of the resource it is. */
  instance(id: string): DecisionRequest {
    return this.on({ id: Attributes.Instance, values: [id] });
  }

  /** Says in which task of its process the app is. */
  task(id: string): DecisionRequest {
    return this.on({ id: Attributes.Task, values: [id] });
  }

  /** Says more about the resource. */
  on(...attributes: Attribute[]): DecisionRequest {
    return new DecisionRequest({ ...this, resource: [...this.resource, ...attributes] });
  }

  /** Says what is done, such as read. */
  to(action: string): DecisionRequest {
    return new DecisionRequest({ ...this, action: [{ id: Attributes.Action, values: [action] }] });
  }

  /** Says which user does it. */
  byUser(user: UserID): DecisionRequest {
    return this.by({ id: Attributes.User, values: [idText("user", user)] });
  }

  /** Says who does it, in place of anybody said before. */
  by(...subject: Attribute[]): DecisionRequest {
    return new DecisionRequest({ ...this, subject });
  }
}

/** Begins a request about an app. */
export function app(org: string, app: string): DecisionRequest {
  return new DecisionRequest({ resource: [{ id: Attributes.Org, values: [org] }, { id: Attributes.App, values: [app] }] });
}

/** Begins a request about a resource of the registry. */
export function resource(id: string): DecisionRequest {
  return new DecisionRequest({ resource: [{ id: Attributes.Resource, values: [id] }] });
}

/** Returns a request as the contract has it. */
export function requestBody(request: DecisionRequest): components["schemas"]["v1DecisionQuestion"] {
  return {
    subject: bag(request.subject), resource: bag(request.resource),
    action: bag(request.action), environment: bag(request.environment),
  };
}

function bag(attributes: readonly Attribute[]): components["schemas"]["v1Attribute"][] {
  return attributes.map(({ id, values, dataType }) => ({ id, values: [...values], dataType: dataType ?? "" }));
}

import assert from "node:assert/strict";
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

import type { Assignment, Obligation, PartyRef, Question } from "@behalf-authz/client";

/** The root of the repository; tests run in clients/typescript. */
export const root = join(process.cwd(), "../..");

/** What the clients in Go and TypeScript are both asked, and have to answer. */
export interface Corpus {
  users: Record<string, { userId: string; partyId: string }>;
  parties: object[];
  assignments: object[];
  policies: { org: string; app: string; file: string }[];
  asked: Asked[];
  enforced: Enforced[];
  met: Met[];
}

/** A question to the client. */
export interface Asked {
  name: string;
  call: string;
  as?: string;
  user: string;
  party: string;
  role?: string;
  package?: string;
  search?: string;
  pageSize?: number;
  partyRef: PartyRef;
  question: Question;
  questions: Question[];
  app: [string, string];
  action: string;
  actions: string[];
  resource: string;
  want: unknown;
}

/** A request to a service behind the middleware. */
export interface Enforced {
  name: string;
  guard?: string;
  path: string;
  authorization: string[];
  want: { status: number; reason?: string; requiredLevel?: number; challenge?: string };
}

/** A decision whose obligations are met, or not. */
export interface Met {
  name: string;
  org?: string;
  decision: { effect: string; obligations: string[][] };
  want: string;
  level?: number;
}

export const corpus = JSON.parse(readFileSync(join(root, "clients/corpus/corpus.json"), "utf8")) as Corpus;

/** Returns an obligation of assignments written as category=value. */
export function obligation(pairs: string[]): Obligation {
  const assignments = pairs.map((pair): Assignment => {
    const [category = "", value = ""] = pair.split(/=(.*)/s);
    return { id: "urn:a", category, value, dataType: "", issuer: "" };
  });
  return { id: "urn:o", assignments };
}

/** A server with the corpus' register and policies. */
export class Server {
  private constructor(
    private readonly binary: string, private readonly dir: string, private readonly process: ChildProcess,
    /** Its address. */
    readonly address: string,
    /** May do everything. */
    readonly adminKey: string,
  ) {}

  /** Runs a server made of this repository until stop. */
  static async start(): Promise<Server> {
    const dir = mkdtempSync(join(tmpdir(), "behalf-ts-"));
    const binary = process.env["SERVER_BINARY"] || "build/behalf";
    const data = join(dir, "data");
    const child = spawn(binary, ["serve", "--data-dir", data, "--grpc-addr", "127.0.0.1:0", "--http-addr", "127.0.0.1:0", "--log-format", "json"],
      { stdio: ["ignore", "ignore", "pipe"] });
    try {
      const address = await listening(child);
      const server = new Server(binary, dir, child, address, readFileSync(join(data, "admin.key"), "utf8").trim());
      await server.#load();
      return server;
    } catch (error) {
      child.kill();
      rmSync(dir, { recursive: true, force: true });
      throw error;
    }
  }

  /** Ends the server and removes its data. */
  async stop(): Promise<void> {
    if (this.process.exitCode === null) {
      const ended = once(this.process, "exit");
      this.process.kill("SIGTERM");
      await ended;
    }
    rmSync(this.dir, { recursive: true, force: true });
  }

  readonly #tokens = new Map<string, string>();

  /** Returns the credentials of somebody: admin, a user of the corpus at a level such as kari@3, or else the text itself. */
  credentials(whose: string): string {
    const [, name = "", level = ""] = /^([a-z]+)@(\d)$/.exec(whose) ?? [];
    const user = corpus.users[name];
    if (whose === "admin" || user === undefined) {
      return whose === "admin" ? this.adminKey : whose;
    }
    let token = this.#tokens.get(whose);
    if (token === undefined) {
      const args = ["token", "--data-dir", join(this.dir, "data"), "--user", user.userId, "--party", user.partyId, "--level", level];
      token = execFileSync(this.binary, args, { encoding: "utf8" }).trim();
      this.#tokens.set(whose, token);
    }
    return token;
  }

  /** Replaces {admin} and {kari@3} in a header. */
  header(text: string): string {
    return text.replace(/\{([^}]+)\}/g, (_, whose: string) => this.credentials(whose));
  }

  async #load(): Promise<void> {
    for (const party of corpus.parties) {
      await this.#send("POST", "/v1/register/parties", { source: "test", party });
    }
    for (const assignment of corpus.assignments) {
      await this.#send("POST", "/v1/register/assignments", { source: "test", assignment });
    }
    for (const { org, app, file } of corpus.policies) {
      const text = readFileSync(join(root, "clients/corpus", file)).toString("base64");
      await this.#send("PUT", `/v1/policies/apps/${org}/${app}`, { text });
    }
  }

  async #send(method: string, path: string, body: object): Promise<void> {
    const response = await fetch(this.address + path, {
      method, body: JSON.stringify(body),
      headers: { authorization: "Bearer " + this.adminKey, "content-type": "application/json" },
    });
    assert.equal(response.status, 200, `${method} ${path}: ${await response.text()}`);
  }
}

/** Returns the address that a starting server says it listens on. */
async function listening(child: ChildProcess): Promise<string> {
  const said: string[] = [];
  for await (const line of createInterface({ input: child.stderr! })) {
    said.push(line);
    const event = line.startsWith("{") ? JSON.parse(line) as { msg?: string; http?: string } : {};
    if (event.msg === "serving") {
      child.stderr!.resume(); // and let it say what it likes
      return "http://" + event.http;
    }
  }
  throw new Error("the server has not started:\n" + said.join("\n"));
}

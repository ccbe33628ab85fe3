import { execFile } from "node:child_process";
import { randomUUID } from "node:crypto";
import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";

import * as assert from "uvu/assert";

import { ADVISORIES } from "../../../ci/sandbox/advisories.js";
import { ensureTool } from "../../../ci/sandbox/tools.js";
import { ofForm } from "../../forms.js";
import { slipway, type Given } from "./checks.js";
import type { Session } from "./session.js";

export const PASSWORD = "correct horse battery staple";

/** A pair of keys of cosign's own making. */
export interface Keys {
  readonly folder: string;
  readonly privateKey: string;
  readonly publicKey: string;
}

/** Runs cosign as a person does; gives how it ended and what it said. */
export async function cosign(
  args: readonly string[],
  options: { readonly cwd?: string; readonly password?: string } = {},
): Promise<{ code: number; stdout: string; stderr: string }> {
  const program = await ensureTool("cosign");
  return await new Promise((resolve) => {
    execFile(
      program,
      args,
      {
        cwd: options.cwd,
        maxBuffer: 1 << 26,
        env: { ...process.env, COSIGN_PASSWORD: options.password ?? PASSWORD },
      },
      (error, stdout, stderr) => {
        resolve({ code: error ? Number(error.code ?? 1) : 0, stdout, stderr });
      },
    );
  });
}

/** Makes keys in a folder. */
export async function makeKeys(folder: string): Promise<Keys> {
  await mkdir(folder, { recursive: true });
  const made = await cosign(["generate-key-pair"], { cwd: folder });
  if (made.code !== 0) throw new Error(made.stderr);
  const read = (name: string): Promise<string> => readFile(join(folder, name), "utf8");
  return { folder, privateKey: await read("cosign.key"), publicKey: await read("cosign.pub") };
}

/** ID of a secret with this value. */
export async function secret(session: Session, value: string): Promise<string> {
  const answer = await session.query<{ setSecret: { id: string } }>(
    `{ setSecret(name: "${randomUUID()}", plaintext: ${JSON.stringify(value)}) { id } }`,
  );
  return answer.setSecret.id;
}

/** ID of a file of this machine. */
async function fileId(session: Session, path: string): Promise<string> {
  const { host } = await session.query<{ host: { file: { id: string } } }>(
    `{ host { file(path: ${JSON.stringify(path)}) { id } } }`,
  );
  return host.file.id;
}

/** Arguments as GraphQL writes them; those without a value are left out. */
function fields(given: Readonly<Record<string, unknown>>): string {
  const text = Object.entries(given)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name}: ${JSON.stringify(value)}`)
    .join(", ");
  return text === "" ? "" : `(${text})`;
}

export interface Verdict {
  readonly passed: boolean;
  readonly reference: string;
  readonly table: string;
  readonly markdown: string;
  readonly json: string;
}

export interface Released {
  readonly reference: string;
  readonly digest: string;
  readonly tags: string[];
  readonly table: string;
  readonly markdown: string;
  readonly json: string;
}

/** Whether all rules hold. */
function verdictOf(rules: unknown): boolean {
  return (rules as { ok: boolean }[]).every(({ ok }) => ok);
}

/** The functions that make and judge evidence, for one service and one registry. */
export class Evidence {
  constructor(
    readonly session: Session,
    readonly source: string,
    readonly given: Given,
    readonly keys: Keys,
  ) {}

  async release(args: Readonly<Record<string, unknown>>, more = ""): Promise<Released> {
    const { privateKey } = this.keys;
    const all = {
      key: await secret(this.session, privateKey),
      keyPassword: await secret(this.session, PASSWORD),
      ...args,
    };
    const answer = await this.#ask<{ release: Released }>(
      `release${fields(all)} { reference digest tags table markdown json ${more} }`,
    );
    const { json, reference, digest, tags } = answer.release;
    const { rules, ...told } = ofForm("release", json) as { rules: unknown };
    assert.equal([told, verdictOf(rules)], [{ reference, digest, tags, verified: true }, true]);
    return answer.release;
  }

  async sign(reference: string, more: Readonly<Record<string, unknown>> = {}): Promise<string> {
    const all = {
      reference,
      key: await secret(this.session, this.keys.privateKey),
      keyPassword: await secret(this.session, PASSWORD),
      ...more,
    };
    return (await this.#ask<{ sign: string }>(`sign${fields(all)}`)).sign;
  }

  async attest(
    reference: string,
    name: string,
    path: string,
    more: Readonly<Record<string, unknown>> = {},
  ): Promise<string> {
    const all = {
      reference,
      name,
      predicate: await fileId(this.session, path),
      key: await secret(this.session, this.keys.privateKey),
      keyPassword: await secret(this.session, PASSWORD),
      ...more,
    };
    return (await this.#ask<{ attest: string }>(`attest${fields(all)}`)).attest;
  }

  /** Writes what is attested of an image to a folder. */
  async evidence(reference: string, path: string): Promise<void> {
    const publicKey = await fileId(this.session, join(this.keys.folder, "cosign.pub"));
    const asked = fields({ reference, publicKey });
    await this.#ask(`evidence${asked} { export(path: ${JSON.stringify(path)}) }`);
  }

  /** Verifies by what the configuration says alone. */
  async verifyBy(reference: string): Promise<Verdict> {
    return await this.#verdict({ reference });
  }

  async verify(
    reference: string,
    options: { readonly keys?: Keys; readonly set?: readonly string[] } = {},
  ): Promise<Verdict> {
    const { folder } = options.keys ?? this.keys;
    const publicKey = await fileId(this.session, join(folder, "cosign.pub"));
    return await this.#verdict({ reference, publicKey }, options.set);
  }

  async #verdict(
    args: Readonly<Record<string, unknown>>,
    set: readonly string[] = [],
  ): Promise<Verdict> {
    const answer = await this.#ask<{ verify: Verdict }>(
      `verify${fields(args)} { passed reference table markdown json }`,
      set,
    );
    const { passed, json } = answer.verify;
    const told = ofForm("verify", json) as { verified: boolean; rules: unknown };
    assert.equal([told.verified, verdictOf(told.rules)], [passed, passed]);
    return answer.verify;
  }

  async #ask<T>(selection: string, set: readonly string[] = []): Promise<T> {
    const given = { advisories: ADVISORIES, ...this.given };
    const object = await slipway(this.session, this.source, {
      ...given,
      set: [...(given.set ?? []), ...set],
    });
    return (await this.session.query<{ slipway: T }>(`{ ${object} { ${selection} } }`)).slipway;
  }
}

/** What a promise was rejected with; empty when it was not. */
export async function refusal(promise: Promise<unknown>): Promise<string> {
  return await promise.then(
    () => "",
    (error: unknown) => (error as Error).message,
  );
}

import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { homedir } from "node:os";
import { posix } from "node:path";
import { promisify } from "node:util";
import { EngineError } from "../graph/errors.js";
import type { Call, Fields } from "../session.js";
import type { SecretValue } from "./values.js";

/** A secret by reference: `env://NAME`, `file://path`, `cmd://command`; the short forms have no `//`. */
export function secretByUri(call: Call, uri: string): SecretValue {
  const at = uri.indexOf(":");
  const scheme = at < 0 ? "" : uri.slice(0, at);
  const rest = uri.slice(at + 1).replace(/^\/\//, "");
  const read = reader(call, scheme, rest);
  if (!read) {
    throw new EngineError(
      `unsupported secret provider: ${JSON.stringify(scheme || "(none)")}; the embedded engine knows env://, file:// and cmd://, Dagger's engine also op://, vault:// and others`,
    );
  }
  let value: Promise<Buffer> | undefined;
  return { name: uri, uri, plaintext: () => (value ??= read()) };
}

function reader(call: Call, scheme: string, rest: string): (() => Promise<Buffer>) | undefined {
  switch (scheme) {
    case "env":
      return () => {
        const value = process.env[rest];
        if (value !== undefined) return Promise.resolve(Buffer.from(value));
        throw new EngineError(`secret env var not found: "${rest.slice(0, 3)}..."`);
      };
    case "file":
      return async () => {
        const path = rest.startsWith("~/") ? posix.join(homedir(), rest.slice(2)) : rest;
        try {
          return await readFile(posix.resolve(call.client.cwd, path));
        } catch (error) {
          throw new EngineError(
            `failed to read secret file ${JSON.stringify(rest)}: ${reason(error as NodeJS.ErrnoException)}`,
          );
        }
      };
    case "cmd":
      return async () => {
        try {
          const { stdout } = await promisify(execFile)("sh", ["-c", rest], {
            cwd: call.client.cwd,
            encoding: "buffer",
          });
          return stdout;
        } catch (error) {
          const { code } = error as { code?: number | string };
          throw new EngineError(`failed to run secret command: exit status ${code ?? "unknown"}`);
        }
      };
    default:
      return undefined;
  }
}

function reason(error: NodeJS.ErrnoException): string {
  return error.code === "ENOENT" ? "no such file or directory" : (error.code ?? "error");
}

export const secretFields: Fields<SecretValue> = {
  "name: String!": (self) => self.name,
  "uri: String!": (self) => self.uri,
  "plaintext: String!": async (self) => (await self.plaintext()).toString("utf8"),
};

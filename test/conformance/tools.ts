import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";

import { ExecError, type Client, type Module_ } from "@dagger.io/dagger";

import { BUSYBOX, type Tools } from "./case.js";
import { within } from "./limit.js";
import { query } from "./session.js";

const MODULE = fileURLToPath(new URL("fixtures/probe", import.meta.url));
/** An engine may have to build a runtime for the module first. */
const MODULE_LIMIT_MS = 240_000;
const PATIENCE_MS = 20_000;

/** Loads and serves the fixture module at the first call; later calls share the outcome. */
export function sharedModule(dag: Client): () => Promise<Module_> {
  let served: Promise<Module_> | undefined;
  const serve = async (): Promise<Module_> => {
    const module = await dag.moduleSource(MODULE).asModule().sync();
    await module.serve();
    return module;
  };
  return () => (served ??= within(MODULE_LIMIT_MS, serve()));
}

/** Runs `use` with tools of its own, and removes what they left on the host. */
export async function withTools(
  dag: Client,
  shared: { registry: string | undefined; module: () => Promise<Module_> },
  use: (tools: Tools) => Promise<void>,
): Promise<void> {
  const dir = await mkdtemp(join(tmpdir(), "conformance-"));
  try {
    await use(makeTools(dag, dir, shared));
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

function makeTools(
  dag: Client,
  dir: string,
  shared: { registry: string | undefined; module: () => Promise<Module_> },
): Tools {
  const unique = (prefix = "u"): string => `${prefix}-${randomBytes(6).toString("hex")}`;
  const base: Tools["base"] = () => dag.container().from(BUSYBOX);
  return {
    dir,
    unique,
    base,
    sh: (script) => base().withExec(["sh", "-ec", script]),
    fresh: () => base().withEnvVariable("CONFORMANCE_FRESH", unique()),
    expectError,
    expectExecError: async (act, exitCode) => {
      const error = await expectError(act, /(?:)/);
      assert.ok(error instanceof ExecError, `not an ExecError but ${error.name}: ${error.message}`);
      assert.equal(error.exitCode, exitCode);
      return error;
    },
    query: (document, variables, signal) => query(dag, document, variables, signal),
    eventually,
    repository: () => {
      assert.ok(
        shared.registry,
        "CONFORMANCE_REGISTRY is not set: give the host:port of a plain http loopback registry, or --without-registry",
      );
      return `${shared.registry}/conformance/${unique("r")}`;
    },
    module: shared.module,
  };
}

async function expectError(act: () => Promise<unknown>, pattern: RegExp): Promise<Error> {
  let value: unknown;
  try {
    value = await act();
  } catch (error) {
    assert.ok(error instanceof Error, `what was thrown is no Error: ${String(error)}`);
    assert.match(error.message, pattern);
    return error;
  }
  return assert.fail(`expected an error like ${String(pattern)}, got ${JSON.stringify(value)}`);
}

async function eventually(what: string, attempt: () => Promise<boolean>): Promise<void> {
  const end = Date.now() + PATIENCE_MS;
  while (Date.now() < end) {
    if (await attempt()) return;
    await sleep(250);
  }
  assert.fail(`${what} did not happen within ${String(PATIENCE_MS / 1000)} s`);
}

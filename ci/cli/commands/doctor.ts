import { spawn } from "node:child_process";
import { access, constants } from "node:fs/promises";
import { dirname } from "node:path";
import pc from "picocolors";
import { text } from "node:stream/consumers";
import type { Check } from "../../engine/exec/doctor.js";
import { EXIT, type ExitCode } from "../failure.js";
import { readOptions, type Given } from "../options.js";
import { askEngine } from "../session/admin.js";
import { daggerCommand } from "../session/open.js";

const OLDEST_NODE = 20;

interface Diagnosis {
  /** Which engines would work. */
  readonly engines: { readonly embedded: boolean; readonly dagger: boolean };
  readonly checks: readonly Check[];
}

/** `slipway doctor`: what this machine has and lacks, for either engine. Changes nothing. */
export async function doctor(given: Given, signal: AbortSignal): Promise<ExitCode> {
  const [machine, dagger] = await Promise.all([
    askEngine<{ cache: string; checks: Check[] }>(signal, "doctor"),
    daggerEngine(),
  ]);
  const own = [node(), await cacheFolder(machine.cache)];
  const checks = [...own, ...machine.checks, dagger];
  const embedded = [...own, ...machine.checks].every(({ ok, required }) => ok || !required);
  const diagnosis: Diagnosis = { engines: { embedded, dagger: dagger.ok }, checks };
  const json = readOptions(given).output === "json";
  process.stdout.write(json ? `${JSON.stringify(diagnosis, null, 2)}\n` : report(diagnosis));
  return embedded || dagger.ok ? EXIT.passed : EXIT.broken;
}

function report({ engines, checks }: Diagnosis): string {
  const width = Math.max(...checks.map(({ name }) => name.length));
  const lines = checks.map(({ name, ok, required, detail, fix }) => {
    const mark = ok ? pc.green("ok     ") : required ? pc.red("missing") : pc.yellow("warning");
    const advice = fix === "" ? "" : `\n${" ".repeat(width + 11)}${fix}`;
    return `${mark}  ${name.padEnd(width)}  ${detail}${advice}`;
  });
  const usable = [
    engines.dagger ? "Dagger's engine" : "",
    engines.embedded ? "the embedded engine" : "",
  ].filter((name) => name !== "");
  const verdict =
    usable.length > 0 ? `${usable.join(" and ")} can be used` : "no engine can be used";
  return `${lines.join("\n")}\n\n${verdict}\n`;
}

function result(name: string, ok: boolean, detail: string, fix: string, required = true): Check {
  return { name, ok, detail, fix: ok ? "" : fix, required };
}

function node(): Check {
  const major = Number(process.versions.node.split(".")[0]);
  return result(
    "Node.js",
    major >= OLDEST_NODE,
    process.versions.node,
    `install Node.js ${OLDEST_NODE} or later`,
  );
}

/** The cache's folder, or the nearest one above it that is there already. */
async function cacheFolder(folder: string): Promise<Check> {
  let at = folder;
  while (
    !(await access(at).then(
      () => true,
      () => false,
    ))
  )
    at = dirname(at);
  const writable = await access(at, constants.W_OK).then(
    () => true,
    () => false,
  );
  return result(
    "cache folder",
    writable,
    folder,
    `${at} is not writable: set SLIPWAY_CACHE to a folder that is`,
  );
}

/** A session that answers or a dagger command that knows its version; the engine behind it is not started. */
async function daggerEngine(): Promise<Check> {
  const { DAGGER_SESSION_PORT: port, DAGGER_SESSION_TOKEN: token } = process.env;
  if (port && token) return result("Dagger's engine", true, `session on port ${port}`, "", false);
  const command = await daggerCommand(process.env);
  const fix = "not needed for the embedded engine; else install Dagger";
  if (!command)
    return result("Dagger's engine", false, "no session, no dagger command", fix, false);
  const child = spawn(command, ["version"], { stdio: ["ignore", "pipe", "ignore"] });
  child.on("error", () => undefined);
  const version = (await text(child.stdout)).trim();
  return result(
    "Dagger's engine",
    version !== "",
    version || `${command} does not run`,
    fix,
    false,
  );
}

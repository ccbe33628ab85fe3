import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { text } from "node:stream/consumers";

import { parse } from "yaml";

import { evaluate, interpolate, isTrue, type Scope } from "./expression.js";

export interface Step {
  name: string;
  id?: string;
  if?: string | boolean;
  uses?: string;
  with?: Record<string, string | boolean>;
  env?: Record<string, string>;
  run?: string;
}

interface Workflow {
  on: { workflow_call: { inputs: Record<string, { default: string | boolean | number }> } };
  permissions: Record<string, string>;
  concurrency: { group: string };
  jobs: {
    checks: {
      permissions: Record<string, string>;
      "timeout-minutes": string;
      steps: Step[];
    };
  };
}

const PATH = fileURLToPath(new URL("../../.github/workflows/pipeline.yml", import.meta.url));

/** The text of the workflow, and what it means. */
export const source = readFileSync(PATH, "utf8");
export const pipeline = parse(source) as Workflow;

/** One run of the job. */
export interface Run {
  /** The checked out repository. */
  workspace: string;
  /** An empty folder for RUNNER_TEMP and GITHUB's files. */
  temp: string;
  /** Folder that comes first in the PATH; holds a `dagger`. */
  bin: string;
  inputs?: Record<string, string | boolean>;
  secrets?: Record<string, string>;
  env?: Record<string, string>;
}

/** How a run ended. */
export interface Ended {
  conclusion: "success" | "failure";
  /** By name: `success`, `failure` or `skipped`. */
  outcomes: Record<string, string>;
  /** Inputs of the actions that ran, by the action's name without its version. */
  actions: Record<string, Record<string, string>>;
  summary: string;
  output: string;
}

/**
 * Runs the job's steps as a GitHub runner does: `run:` in bash, with the conditions, variables and
 * files that it gives. Actions are recorded, not run.
 */
export async function runJob(run: Run): Promise<Ended> {
  const summary = join(run.temp, "step-summary.md");
  await writeFile(summary, "");
  const steps: Record<string, { outcome: string }> = {};
  const ended: Ended = {
    conclusion: "success",
    outcomes: {},
    actions: {},
    summary: "",
    output: "",
  };
  for (const step of pipeline.jobs.checks.steps) {
    const scope = scopeOf(run, steps, ended.conclusion);
    let outcome = "skipped";
    if (isWanted(step, scope, ended.conclusion)) {
      if (step.uses === undefined) {
        const { code, output } = await bash(step, run, scope, summary);
        ended.output += output;
        outcome = code === 0 ? "success" : "failure";
      } else {
        const [action = ""] = step.uses.split("@");
        const given = Object.entries(step.with ?? {});
        ended.actions[action] = Object.fromEntries(
          given.map(([name, value]) => [name, interpolate(String(value), scope)]),
        );
        outcome = "success";
      }
    }
    ended.outcomes[step.name] = outcome;
    if (step.id !== undefined) steps[step.id] = { outcome };
    if (outcome === "failure") ended.conclusion = "failure";
  }
  ended.summary = await readFile(summary, "utf8");
  return ended;
}

/** Without a status function in its condition, a step runs only while all went well. */
function isWanted(step: Step, scope: Scope, conclusion: Ended["conclusion"]): boolean {
  const condition = String(step.if ?? "success()").replace(/^\$\{\{(.*)\}\}$/s, "$1");
  const hasStatus = /\b(success|failure|always|cancelled)\(\)/.test(condition);
  return (hasStatus || conclusion === "success") && isTrue(evaluate(condition, scope));
}

function scopeOf(run: Run, steps: Record<string, unknown>, conclusion: string): Scope {
  const defaults = Object.entries(pipeline.on.workflow_call.inputs).map(
    ([name, input]) => [name, input.default] as const,
  );
  return {
    contexts: {
      inputs: { ...Object.fromEntries(defaults), ...run.inputs },
      secrets: run.secrets ?? {},
      steps,
      runner: { temp: run.temp },
      job: { workflow_repository: "owner/slipway", workflow_sha: "c0ffee", check_run_id: 7 },
    },
    functions: {
      success: () => conclusion === "success",
      cancelled: () => false,
      format: (pattern, ...args) =>
        String(pattern).replace(/\{(\d+)\}/g, (_, index: string) => String(args[Number(index)])),
    },
  };
}

async function bash(
  step: Step,
  run: Run,
  scope: Scope,
  summary: string,
): Promise<{ code: number | null; output: string }> {
  const own = Object.entries(step.env ?? {}).map(
    ([name, value]) => [name, interpolate(value, scope)] as const,
  );
  const script = interpolate(step.run ?? "", scope);
  const child = spawn("bash", ["--noprofile", "--norc", "-eo", "pipefail", "-c", script], {
    cwd: run.workspace,
    stdio: ["ignore", "pipe", "pipe"],
    env: {
      HOME: process.env.HOME,
      PATH: `${run.bin}:${process.env.PATH ?? ""}`,
      CI: "true",
      GITHUB_ACTIONS: "true",
      GITHUB_RUN_ID: "7",
      GITHUB_RUN_ATTEMPT: "2",
      GITHUB_WORKSPACE: run.workspace,
      GITHUB_STEP_SUMMARY: summary,
      RUNNER_TEMP: run.temp,
      ...run.env,
      ...Object.fromEntries(own),
    },
  });
  const code = new Promise<number | null>((resolve) => child.once("close", resolve));
  const [out, errors] = await Promise.all([text(child.stdout), text(child.stderr)]);
  return { code: await code, output: out + errors };
}

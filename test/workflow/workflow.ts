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

/** A job with steps, or one that calls another workflow. */
export interface Job {
  permissions: Record<string, string>;
  outputs?: Record<string, string>;
  "timeout-minutes": string | number;
  environment?: string;
  needs?: string | string[];
  if?: string;
  uses?: string;
  with?: Record<string, string>;
  secrets?: Record<string, string>;
  steps: Step[];
}

/** A reusable workflow of one job, as it is written. */
export interface Workflow {
  /** Its text. */
  source: string;
  inputs: Record<string, { default: string | boolean | number }>;
  outputs: Record<string, { value: string }>;
  permissions: Record<string, string>;
  concurrency: { group: string; "cancel-in-progress": string | boolean };
  job: Job;
}

/** Reads `.github/workflows/NAME.yml`, a reusable workflow with this job alone. */
export function loadWorkflow(name: string, job: string): Workflow {
  const { [job]: found, ...others } = loadJobs(name);
  if (found && Object.keys(others).length === 0) return found;
  throw new Error(`${name}.yml has more jobs than ${job}: ${Object.keys(others).join(", ")}`);
}

/** Reads `.github/workflows/NAME.yml`, a reusable workflow, as one of its own for each job. */
export function loadJobs(name: string): Record<string, Workflow> {
  const path = new URL(`../../.github/workflows/${name}.yml`, import.meta.url);
  const source = readFileSync(fileURLToPath(path), "utf8");
  const { on, jobs, ...rest } = parse(source) as Omit<Workflow, "source" | "inputs" | "job"> & {
    on: { workflow_call: Pick<Workflow, "inputs"> & Partial<Pick<Workflow, "outputs">> };
    jobs: Record<string, Job>;
  };
  const common = { ...rest, source, outputs: {}, ...on.workflow_call };
  const each = Object.entries(jobs).map(([id, job]) => [id, { ...common, job }] as const);
  return Object.fromEntries(each);
}

/** How a job ended, for those that need it. */
export type Result = "success" | "failure" | "cancelled" | "skipped";

/**
 * Which jobs run, and how each ends: those in `ends` so, the others well. A job without a status
 * function in its condition runs only when all it needs ended well.
 */
export function jobResults(
  jobs: Readonly<Record<string, Workflow>>,
  ends: Readonly<Record<string, Result>>,
): Record<string, Result> {
  const results: Record<string, Result> = {};
  for (const [id, workflow] of Object.entries(jobs)) {
    const needs = [workflow.job.needs ?? []].flat();
    const good = needs.every((need) => results[need] === "success");
    const condition = bare(workflow.job.if ?? "success()");
    const scope: Scope = {
      contexts: {
        needs: Object.fromEntries(needs.map((need) => [need, { result: results[need] ?? "" }])),
      },
      functions: { success: () => good, always: () => true },
    };
    const isWanted = (good || hasStatus(condition)) && isTrue(evaluate(condition, scope));
    results[id] = isWanted ? (ends[id] ?? "success") : "skipped";
  }
  return results;
}

/** One run of a workflow's job. */
export interface Run {
  /** The checked out repository. */
  workspace: string;
  /** An empty folder for RUNNER_TEMP and GITHUB's files. */
  temp: string;
  /** Folder that comes first in the PATH; holds a `dagger`. */
  bin: string;
  inputs?: Record<string, string | boolean>;
  secrets?: Record<string, string>;
  /** Variables of the repository or the environment. */
  vars?: Record<string, string>;
  /** The jobs that this one needs. */
  needs?: Record<string, { result: Result; outputs: Record<string, string> }>;
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
  /** What the job hands on. */
  outputs: Record<string, string>;
  output: string;
}

/**
 * Runs the job's steps as a GitHub runner does: `run:` in bash, with the conditions, variables and
 * files that it gives. Actions are recorded, not run.
 */
export async function runJob(workflow: Workflow, run: Run): Promise<Ended> {
  const files = { summary: join(run.temp, "step-summary.md"), output: join(run.temp, "output") };
  await writeFile(files.summary, "");
  const steps: Record<string, { outcome: string; outputs: Record<string, string> }> = {};
  const ended: Ended = {
    conclusion: "success",
    outcomes: {},
    actions: {},
    summary: "",
    outputs: {},
    output: "",
  };
  const scopeNow = (): Scope => scopeOf(workflow, run, steps, ended.conclusion);
  for (const step of workflow.job.steps) {
    const scope = scopeNow();
    await writeFile(files.output, "");
    let outcome = "skipped";
    if (isWanted(step, scope, ended.conclusion)) {
      if (step.uses === undefined) {
        const { code, output } = await bash(step, run, scope, files);
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
    if (step.id !== undefined)
      steps[step.id] = { outcome, outputs: pairs(await readFile(files.output, "utf8")) };
    if (outcome === "failure") ended.conclusion = "failure";
  }
  ended.summary = await readFile(files.summary, "utf8");
  for (const [name, value] of Object.entries(workflow.job.outputs ?? {}))
    ended.outputs[name] = interpolate(value, scopeNow());
  return ended;
}

/** Without a status function in its condition, a step runs only while all went well. */
function isWanted(step: Step, scope: Scope, conclusion: Ended["conclusion"]): boolean {
  const condition = bare(String(step.if ?? "success()"));
  const goesOn = hasStatus(condition) || conclusion === "success";
  return goesOn && isTrue(evaluate(condition, scope));
}

/** A condition without `${{ }}` around it. */
function bare(condition: string): string {
  return condition.replace(/^\$\{\{(.*)\}\}$/s, "$1");
}

function hasStatus(condition: string): boolean {
  return /\b(success|failure|always|cancelled)\(\)/.test(condition);
}

/** Lines `name=value`, as a step writes them to GITHUB_OUTPUT. */
function pairs(text: string): Record<string, string> {
  const lines = text.split("\n").filter((line) => line !== "");
  return Object.fromEntries(
    lines.map((line) => {
      const at = line.indexOf("=");
      if (at < 1) throw new Error(`"${line}" is no output`);
      return [line.slice(0, at), line.slice(at + 1)];
    }),
  );
}

function scopeOf(
  { inputs }: Workflow,
  run: Run,
  steps: Record<string, unknown>,
  conclusion: string,
): Scope {
  const defaults = Object.entries(inputs).map(([name, input]) => [name, input.default] as const);
  return {
    contexts: {
      inputs: { ...Object.fromEntries(defaults), ...run.inputs },
      secrets: run.secrets ?? {},
      vars: run.vars ?? {},
      needs: run.needs ?? {},
      steps,
      github: { repository: "ann/greeter", actor: "ann", token: "token-of-the-job" },
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
  files: { readonly summary: string; readonly output: string },
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
      GITHUB_SHA: "0123456789abcdef0123456789abcdef01234567",
      GITHUB_SERVER_URL: "https://git.example",
      GITHUB_REPOSITORY: "ann/greeter",
      GITHUB_ACTOR: "ann",
      GITHUB_STEP_SUMMARY: files.summary,
      GITHUB_OUTPUT: files.output,
      RUNNER_TEMP: run.temp,
      ...run.env,
      ...Object.fromEntries(own),
    },
  });
  const code = new Promise<number | null>((resolve) => child.once("close", resolve));
  const [out, errors] = await Promise.all([text(child.stdout), text(child.stderr)]);
  return { code: await code, output: out + errors };
}

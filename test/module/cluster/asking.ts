// Requests as cluster.py makes them, behind a stand-in for `kubectl proxy`.
import { execFileSync, spawnSync } from "node:child_process";
import {
  copyFileSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { suite, type Test } from "uvu";
import * as assert from "uvu/assert";

import { withPaths, type ApiRequest } from "../../../src/core/delivery/api.js";

const WITH_PROXY = fileURLToPath(
  new URL("../../../src/stages/python/with_proxy.py", import.meta.url),
);
const PYTHON = execFileSync("python3", ["-c", "import sys; print(sys.executable)"], {
  encoding: "utf8",
}).trim();
const KUBECTL = fileURLToPath(new URL("kubectl.py", import.meta.url));

interface Answer {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
  readonly tries: number;
}

interface Asked {
  readonly method: string;
  readonly path: string;
  readonly type: string | null;
  readonly body?: unknown;
}

export type Answers = Readonly<Record<string, readonly [number, unknown] | string>>;

/** Tests with a folder of their own, in which the stand-in for kubectl is. */
export function apiSuite(name: string): Test<{ folder: string }> {
  const test = suite(name, { folder: "" });
  test.before.each((context) => {
    context.folder = mkdtempSync(join(tmpdir(), "slipway-api-"));
    copyFileSync(KUBECTL, join(context.folder, "kubectl"));
  });
  test.after.each(({ folder }) => {
    rmSync(folder, { recursive: true });
  });
  return test;
}

/** How requests end that get these answers, and what was asked for them. */
export function ask(
  folder: string,
  answers: Answers,
  requests: readonly ApiRequest[],
  more: object = {},
): { readonly answers: Answer[]; readonly asked: Asked[] } {
  const place = (name: string): string => join(folder, name);
  writeFileSync(place("answers.json"), JSON.stringify(answers));
  const list = requests.map((request) => ({
    ...{ api: withPaths(request, "shop"), namespace: "shop", limit: 10 },
    ...more,
  }));
  const env = {
    ...process.env,
    // Without the stand-in there is no kubectl at all: this machine may have one.
    PATH: existsSync(place("kubectl")) ? `${folder}:${process.env.PATH ?? ""}` : folder,
    ANSWERS: place("answers.json"),
    ASKED: place("asked"),
  };
  const ran = spawnSync(PYTHON, [WITH_PROXY, "requests", place("out.json")], {
    ...{ encoding: "utf8", env, input: JSON.stringify(list) },
  });
  assert.is(ran.status, 0, ran.stderr);
  const lines = existsSync(place("asked")) ? readFileSync(place("asked"), "utf8") : "";
  return {
    answers: JSON.parse(readFileSync(place("out.json"), "utf8")) as Answer[],
    asked: lines
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => JSON.parse(line) as Asked),
  };
}

/** The only answer, or the first of them. */
export function first(answers: readonly Answer[]): Answer {
  const [answer] = answers;
  if (!answer) throw new Error("nothing was answered");
  return answer;
}

export const CORE = "/api/v1/namespaces/shop";
/** What the API server says of its kinds. */
export const KINDS: Answers = {
  "GET /api/v1": [
    200,
    {
      resources: [
        { name: "configmaps", kind: "ConfigMap", namespaced: true },
        { name: "namespaces", kind: "Namespace", namespaced: false },
      ],
    },
  ],
};

export const configMap = (
  name: string,
): { apiVersion: string; kind: string; metadata: { name: string } } => ({
  ...{ apiVersion: "v1", kind: "ConfigMap" },
  metadata: { name },
});

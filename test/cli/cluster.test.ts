import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { CliError } from "../../ci/cli/failure.js";
import { kubeconfigOf, withCluster } from "../../ci/cli/module/cluster.js";
import type { Step } from "../../ci/cli/module/parse.js";
import type { Argument } from "../../ci/cli/module/types.js";
import type { Value } from "../../ci/cli/module/values.js";
import { Narration } from "../../ci/cli/progress/narration.js";

const test = suite("the cluster, out of the environment");
const folder = mkdtempSync(join(tmpdir(), "slipway-kube-"));
test.after(() => {
  rmSync(folder, { recursive: true });
});

const argument = (name: string, kind: string): Argument => ({
  name,
  description: "",
  type: { kind: kind === "String" ? "STRING_KIND" : "OBJECT_KIND", name: kind, optional: true },
  required: false,
  defaultValue: "",
  defaultPath: "",
  ignore: [],
});

const fn = (name: string, ...args: Argument[]): Step["fn"] => ({
  ...{ name, description: "", args, isField: false },
  returns: { kind: "OBJECT_KIND", name: "Delivery", optional: false },
});

const DEPLOY = fn(
  "deploy",
  ...["kubeConfig", "modelToken"].map((name) => argument(name, "Secret")),
  argument("cluster", "Service"),
  ...["by", "run"].map((name) => argument(name, "String")),
);

function filled(
  env: Readonly<Record<string, string>>,
  given: Readonly<Record<string, Value>> = {},
  called = DEPLOY,
): Record<string, string> {
  const { args } = withCluster({ fn: called, args: new Map(Object.entries(given)) }, env, "r1");
  return Object.fromEntries(
    [...args].map(([name, value]) => [
      name,
      value.kind === "address" ? value.address : value.kind === "literal" ? value.text : "list",
    ]),
  );
}

const config = (server: string): string =>
  `clusters:\n- cluster:\n    server: ${server}\n  name: x\n`;

test("hands_the_cluster_on_by_name_and_never_its_credentials", () => {
  const found = filled({
    ...{ KUBE_CONFIG_DATA: `${config("https://far.example:6443")}canary`, GITHUB_ACTOR: "ada" },
    MLFLOW_TRACKING_TOKEN: "canary",
  });
  assert.equal(found, {
    kubeConfig: "env://KUBE_CONFIG_DATA",
    modelToken: "env://MLFLOW_TRACKING_TOKEN",
    by: '"ada"',
    run: '"r1"',
  });
});

test("gives_containers_a_way_to_a_server_on_this_machine_alone", () => {
  const data = Buffer.from(config("https://127.0.0.1:7443")).toString("base64");
  assert.is(filled({ KUBE_CONFIG_DATA: data }).cluster, "tcp://127.0.0.1:7443");
  assert.is(
    filled({ KUBE_CONFIG_DATA: config("https://localhost") }).cluster,
    "tcp://127.0.0.1:443",
  );
});

test("looks_where_kubectl_looks", () => {
  const file = join(folder, "config");
  writeFileSync(file, config("https://far.example"));
  assert.is(filled({ KUBECONFIG: `${file}:${folder}/other` }).kubeConfig, `file://${file}`);
});

test("passes_over_files_of_KUBECONFIG_that_are_not_there", () => {
  const file = join(folder, "second");
  writeFileSync(file, config("https://far.example"));
  assert.is(filled({ KUBECONFIG: `${folder}/none:${file}` }).kubeConfig, `file://${file}`);
});

test("names_where_the_kubeconfig_came_from", () => {
  const origin = (place: string, env = {}): string | undefined => {
    const value: Value = { kind: "address", type: "Secret", address: place, ignore: [] };
    return kubeconfigOf([{ fn: DEPLOY, args: new Map([["kubeConfig", value]]) }], env);
  };
  assert.is(origin("env://MINE"), "MINE");
  assert.is(origin("file:///k", { KUBECONFIG: "/k" }), "KUBECONFIG: /k");
  assert.is(origin("file:///home/a/.kube/config"), "/home/a/.kube/config");
  assert.is(kubeconfigOf([{ fn: DEPLOY, args: new Map() }], {}), undefined);
});

test("refuses_to_go_nowhere_but_lets_validate_tell_of_it", () => {
  const env = { KUBECONFIG: join(folder, "none") };
  assert.throws(
    () => filled(env),
    (error: unknown) =>
      error instanceof CliError &&
      error.exitCode === 2 &&
      error.message.includes(`KUBECONFIG names ${env.KUBECONFIG}, and there is no such file`),
  );
  assert.is(filled(env, {}, { ...DEPLOY, name: "validate" }).kubeConfig, undefined);
});

test("leaves_alone_what_was_given_and_functions_without_a_cluster", () => {
  const kubeConfig: Value = { kind: "address", type: "Secret", address: "env://MINE", ignore: [] };
  const found = filled({ KUBE_CONFIG_DATA: config("https://127.0.0.1:7443") }, { kubeConfig });
  assert.is(found.kubeConfig, "env://MINE");
  assert.is(found.cluster, undefined, "of another kubeconfig nothing is known");
  const build = fn("build", argument("by", "String"));
  assert.equal(filled({ KUBE_CONFIG_DATA: "x" }, {}, build), {});
});

test("does_not_restrict_an_abort_to_a_run_that_nobody_named", () => {
  const env = { KUBE_CONFIG_DATA: config("https://far.example") };
  assert.is(filled(env, {}, { ...DEPLOY, name: "abort" }).run, undefined);
});

test("shows_what_the_function_says_line_by_line_and_nothing_of_its_steps", () => {
  const said: string[] = [];
  const narration = new Narration("slipway.deploy", (line) => said.push(line));
  narration.hear({ event: "started", id: 1, name: "slipway.deploy" });
  narration.hear({ event: "started", id: 2, name: "exec kubectl" });
  const print = (id: number, text: string, stream: "stdout" | "stderr" = "stdout") => {
    narration.hear({ event: "output", id, stream, text });
  };
  print(1, "10 % of the re");
  print(2, "noise\n");
  print(1, "quests\n50 %");
  print(1, "a warning\n", "stderr");
  assert.equal(said, ["10 % of the requests"]);
});

test.run();

// The commands as a person types them, with secrets that must be found nowhere afterwards.
import { spawn } from "node:child_process";
import { chmod, mkdir, readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";

import { ADVISORIES } from "../../ci/sandbox/advisories.js";
import { makeDatabase } from "../../ci/sandbox/database.js";
import { mirrors, registryAddress, startRegistry } from "../../ci/sandbox/registry.js";
import { run } from "../../ci/sandbox/run.js";
import { ensureTool } from "../../ci/sandbox/tools.js";
import { ofForm } from "../forms.js";
import { watch } from "./support/processes.js";
import { scratch } from "./support/project.js";
import { programImages } from "./support/programs.js";
import { ROOT } from "./support/session.js";
import { serviceWith } from "./support/vulnerable.js";

/** Values that nothing else holds. */
const CANARY = {
  key: "canary-of-the-key-7f3a91",
  registry: "canary-of-the-registry-5c20be",
  cluster: "canary-of-the-cluster-41d8e6",
  models: "canary-of-the-models-b90f27",
};

await programImages();
const folder = await scratch();
const registry = await startRegistry({ auth: { user: "ann", password: CANARY.registry } });
const source = await serviceWith("0.16.0", join(folder.path, "source"));
const database = join(folder.path, "database");
await makeDatabase(database);
const cache = join(folder.path, "cache");
const secrets = join(folder.path, "secrets");
await mkdir(secrets);
for (const [name, value] of Object.entries(CANARY)) await writeFile(join(secrets, name), value);
const keys = join(folder.path, "keys");
const reports = join(folder.path, "reports");
const repository = `${registry.address}/team/greeter`;

const test = suite("commands and their secrets");
test.after(async () => {
  await registry.stop();
  await folder.forget();
});

interface Ended {
  readonly code: number | null;
  /** Both streams. */
  readonly output: string;
  readonly stdout: string;
}

/** What every command printed. */
let printed = "";

async function slipway(
  words: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Ended> {
  const program = join(ROOT, "ci", "cli", "slipway.mjs");
  const child = spawn(process.execPath, [program, "--engine", "embedded", ...words], {
    cwd: source,
    stdio: ["ignore", "pipe", "pipe"],
    env: {
      PATH: process.env.PATH,
      HOME: process.env.HOME,
      SLIPWAY_CACHE: cache,
      SLIPWAY_MIRRORS: mirrors(registryAddress()),
      SLIPWAY_PYTHON_VERSION: "3.13",
      ...env,
    },
  });
  let output = "";
  let stdout = "";
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding("utf8").on("data", (text: string) => (output += text));
  child.stdout.on("data", (text: string) => (stdout += text));
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", resolve);
  });
  printed += output;
  return { code, output, stdout };
}

const SIGNING = [
  ...[
    "--key",
    `file:${join(keys, "cosign.key")}`,
    "--key-password",
    `file:${join(secrets, "key")}`,
  ],
];
const LOGIN = ["--username", "ann", "--password", `file:${join(secrets, "registry")}`];
const OFFLINE = ["--database", database, "--advisories", ADVISORIES];

test("keys_generate_writes_a_pair_prints_no_half_of_it_and_overwrites_none", async () => {
  const env = { COSIGN_PASSWORD: CANARY.key };
  const made = await slipway(["keys", "generate", "--folder", keys], env);
  assert.is(made.code, 0, made.output);
  const text = await readFile(join(keys, "cosign.key"), "utf8");
  assert.match(text, /^-----BEGIN ENCRYPTED SIGSTORE PRIVATE KEY-----/);
  assert.is((await stat(join(keys, "cosign.key"))).mode & 0o777, 0o600);
  assert.match(made.output, /gh secret set COSIGN_PRIVATE_KEY/);
  assert.not.match(made.output, text.split("\n")[1] ?? "");
  const again = await slipway(["keys", "generate", "--folder", keys], env);
  assert.is(again.code, 2);
  assert.match(again.output, /is there already/);
  assert.is(await readFile(join(keys, "cosign.key"), "utf8"), text);
  const open = await slipway(["keys", "generate", "--folder", join(folder.path, "open")]);
  assert.is(open.code, 2);
  assert.match(open.output, /set COSIGN_PASSWORD/);
});

test("scan_tells_the_verdict_by_its_exit_code", async () => {
  const passed = await slipway(["scan", "--database", database]);
  assert.is(passed.code, 0, passed.output);
  assert.match(passed.output, /PASSED: 1 low in \d+ packages/);
  const told = await slipway(["scan", "--database", database, "--output", "json"]);
  assert.is((ofForm("scan", told.stdout) as { state: string }).state, "PASSED");
  const failed = await slipway(["scan", "--database", database, "--set", 'scan.severity=["LOW"]']);
  assert.is(failed.code, 1, failed.output);
  const refused = await slipway([
    ...["publish", "--repository", `${repository}/none`, "--database", database],
    ...["--set", 'scan.severity=["LOW"]', ...LOGIN],
  ]);
  assert.is(refused.code, 1, refused.output);
  assert.match(refused.output, /Nothing was published; the image was stopped by the scan/);
  const empty = join(folder.path, "empty");
  await mkdir(empty);
  assert.is((await slipway(["scan", "--database", empty])).code, 3);
});

/** Processes that showed a canary while the release ran. */
const seen: string[] = [];

test("release_ends_with_tags_that_verify_believes", async () => {
  const watched = watch(Object.values(CANARY), "cosign");
  const evidence = join(folder.path, "evidence");
  const summary = join(folder.path, "summary.md");
  const released = await slipway(
    [
      ...["release", "--repository", repository, "--tags", "1.4.2", "-o", evidence],
      ...SIGNING,
      ...LOGIN,
      ...OFFLINE,
    ],
    { GITHUB_STEP_SUMMARY: summary },
  );
  seen.push(...watched.stop());
  assert.is(released.code, 0, released.output);
  assert.match(released.output, `as ${repository}:1.4.2`);
  assert.match(await readFile(summary, "utf8"), /SLSA build level 1/);
  assert.match(await readFile(join(evidence, "evidence.json"), "utf8"), '"verified":true');
  const words = [
    ...["verify", "--reference", `${repository}:1.4.2`, ...LOGIN],
    ...["--public-key", join(keys, "cosign.pub")],
  ];
  const verified = await slipway(words);
  assert.is(verified.code, 0, verified.output);
  assert.match(verified.output, /VERIFIED/);
  const json = await slipway([...words, "--output", "json"]);
  assert.is((ofForm("verify", json.stdout) as { verified: boolean }).verified, true);
});

test("release_writes_reports_with_the_evidence_in_them", async () => {
  const watched = watch(Object.values(CANARY), "cosign");
  const again = await slipway([
    ...["call", "release", "--repository", repository, "--tags", "1.4.2"],
    ...SIGNING,
    ...LOGIN,
    ...OFFLINE,
    ...["reports", "export", "--path", reports],
  ]);
  seen.push(...watched.stop());
  assert.is(again.code, 0, again.output);
  const names = await readdir(reports);
  for (const name of ["report.html", "report.json", "scan.json", "sarif", "sbom.cyclonedx.json"])
    assert.ok(names.includes(name), `${name} is not among ${names.join(", ")}`);
  assert.ok((await readdir(join(reports, "evidence"))).includes("evidence.json"));
});

test("deliveries_that_reach_nothing_say_so", async () => {
  const kubeconfig = {
    ...{ apiVersion: "v1", kind: "Config", "current-context": "away" },
    clusters: [{ name: "away", cluster: { server: "https://127.0.0.1:9" } }],
    users: [{ name: "ann", user: { token: CANARY.cluster } }],
    contexts: [{ name: "away", context: { cluster: "away", user: "ann" } }],
  };
  const config = join(secrets, "kubeconfig");
  await writeFile(config, JSON.stringify(kubeconfig));
  // The one program that gets the token of the model registry in its environment.
  const watched = watch(Object.values(CANARY), "python3\0/slipway/model_registry.py");
  const words = [
    ...["--reference", `${repository}:1.4.2`, "--public-key", join(keys, "cosign.pub"), ...LOGIN],
    ...["--kube-config", `file:${config}`, "--model-token", `file:${join(secrets, "models")}`],
    ...["--set", "model.tracking=http://127.0.0.1:9"],
  ];
  const [validated, deployed] = await Promise.all([
    slipway(["validate", ...words]),
    slipway(["deploy", ...words]),
  ]);
  seen.push(...watched.stop());
  assert.is(validated.code, 2, validated.output);
  assert.match(validated.output, /model +FAILED +.*does not answer/);
  assert.match(validated.output, /NOT VALID: .*model/);
  assert.ok([2, 3].includes(deployed.code ?? 0), deployed.output);
});

test("verify_and_release_say_no_by_their_exit_codes", async () => {
  const absent = await slipway([
    ...["verify", "--reference", `${repository}:none`, ...LOGIN],
    ...["--public-key", join(keys, "cosign.pub")],
  ]);
  assert.is(absent.code, 1, absent.output);
  const half = join(folder.path, "half.key");
  await writeFile(half, (await readFile(join(keys, "cosign.key"), "utf8")).slice(0, 200));
  await chmod(half, 0o600);
  const cut = await slipway([
    "release",
    "--repository",
    repository,
    "--key",
    `file:${half}`,
    ...LOGIN,
  ]);
  assert.is(cut.code, 2, cut.output);
  assert.match(cut.output, /cut short/);
  const stopped = await slipway([
    ...["release", "--repository", repository, "--tags", "9.9.9", "--set", 'scan.severity=["LOW"]'],
    ...SIGNING,
    ...LOGIN,
    ...OFFLINE,
  ]);
  assert.is(stopped.code, 1, stopped.output);
  assert.match(stopped.output, /stopped by the scan; no tag was moved/);
});

test("no_secret_is_in_what_was_printed_kept_pushed_or_shown_to_other_processes", async () => {
  const values = Object.values(CANARY).flatMap((value) => [
    value,
    // As it would stand in the header of a request, whatever comes before it.
    ...[0, 1, 2].map((at) =>
      Buffer.from(" ".repeat(at) + value)
        .toString("base64")
        .slice(4, -4),
    ),
  ]);
  const body = (await readFile(join(keys, "cosign.key"), "utf8")).split("\n")[4] ?? "";
  assert.ok(body.length > 40);
  values.push(body);
  for (const value of values) assert.not.ok(printed.includes(value), `printed: ${value}`);
  assert.equal(seen, []);
  const exported = join(folder.path, "exported");
  await mkdir(exported);
  const config = join(folder.path, "docker");
  const env = { ...process.env, DOCKER_CONFIG: config };
  const crane = await ensureTool("crane");
  await run(
    "sh",
    [
      "-c",
      '"$0" auth login "$1" -u ann --password-stdin < "$2"',
      crane,
      registry.address,
      join(secrets, "registry"),
    ],
    { env },
  );
  for (const what of ["config", "manifest", "export"]) {
    const out = await run(
      "sh",
      [
        "-c",
        '"$0" "$1" "$2" > "$3"; wc -c < "$3"',
        crane,
        what,
        `${repository}:1.4.2`,
        join(exported, what),
      ],
      { env },
    );
    assert.ok(Number(out) > 100, `${what} is empty`);
  }
  const patterns = join(folder.path, "patterns");
  await writeFile(patterns, values.join("\n"));
  const found = await run("sh", [
    "-c",
    'grep -rlaF -f "$@" || true',
    "sh",
    patterns,
    cache,
    exported,
    join(folder.path, "evidence"),
    reports,
    join(folder.path, "summary.md"),
    source,
  ]);
  assert.is(found, "");
  // The search finds what is there.
  assert.match(await run("grep", ["-rlaF", "-f", patterns, secrets, keys]), /cosign\.key/);
});

test.run();

import { spawn } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { copyFile, mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { configSchema } from "../../src/core/config/schema.js";
import { resolveConfig } from "../../src/core/config/resolve.js";
import { SlipwayError } from "../../src/core/errors.js";
import type { Project } from "../../src/core/project/types.js";
import { signerKind } from "../../src/core/signer.js";
import { loginOf, publishTarget } from "../../src/stages/publish.js";
import { readPredicate } from "../../src/stages/sign.js";
import { pathToFileURL } from "node:url";
import { ofForm } from "../forms.js";
import { BIN, finished, slipway, type Finished } from "./command.js";
import { checksAnswer, fakeSession, type FakeSession } from "./fake-session.js";

const test = suite("exit codes");
const folder = await mkdtemp(join(tmpdir(), "slipway-cli-"));
await writeFile(join(folder, "pyproject.toml"), '[project]\nname = "fine"\nversion = "1"\n');
test.after(() => rm(folder, { recursive: true }));

type Answer = Parameters<typeof fakeSession>[0];

/** Runs the command against a session that answers so. */
async function run(
  args: readonly string[],
  answer: Answer,
  env: Readonly<Record<string, string>> = {},
): Promise<Finished & { queries: FakeSession["queries"] }> {
  const session = await fakeSession(answer);
  try {
    const result = await slipway(args, { cwd: folder, env: { ...session.env, ...env } });
    return { ...result, queries: session.queries };
  } finally {
    session.close();
  }
}

const never: Answer = (query) => {
  throw new Error(`nothing was to be asked: ${query}`);
};
const failing =
  (message: string): Answer =>
  () => ({
    errors: [{ message, path: ["slipway", "x"] }],
  });

for (const [state, code] of [
  ["PASSED", 0],
  ["FAILED", 1],
  ["SKIPPED", 1],
  ["ERRORED", 3],
] as const) {
  test(`exits_with_${code}_when_the_checks_end_${state}`, async () => {
    const result = await run(["check", "-o", ""], () => checksAnswer(state));
    assert.is(result.code, code, result.stderr);
    assert.is(result.stdout, `${state}: the table\n`);
  });
}

test("prints_the_report_itself_as_json", async () => {
  const { stdout } = await run(["check", "-o", "", "--output", "json"], () =>
    checksAnswer("PASSED"),
  );
  assert.equal(JSON.parse(stdout), { schemaVersion: "1.0", state: "PASSED" });
});

test("runs_only_the_checks_that_are_named", async () => {
  const { queries } = await run(["check", "lint", "pip-audit", "-o", ""], () =>
    checksAnswer("PASSED"),
  );
  assert.match(queries.at(-1) ?? "", `checks(only: ["lint", "pipAudit"])`);
});

test("writes_reports_to_the_folder_that_is_named", async () => {
  const { queries } = await run(["check", "-o", "out"], () => checksAnswer("PASSED"));
  assert.match(queries.at(-1) ?? "", `reports { export(path: "${join(folder, "out")}") }`);
});

test("gives_the_module_the_callers_folder_and_environment_but_no_secrets", async () => {
  const { queries } = await run(
    ["call", "version"],
    () => ({ data: { slipway: { version: "1" } } }),
    {
      MODEL_STAGE: "staging",
      SLIPWAY_TEST_WORKERS: "4",
      MODEL_API_TOKEN: "hush",
      SLIPWAY_CACHE: folder,
    },
  );
  assert.match(queries[1] ?? "", `host { directory(path: "${folder}", exclude: ["**/.git"])`);
  const last = queries.at(-1) ?? "";
  assert.match(last, `environment: ["MODEL_STAGE=staging", "SLIPWAY_TEST_WORKERS=4"]`);
  assert.not.match(last, "hush");
});

test("exits_with_1_when_a_function_that_asserts_throws", async () => {
  const result = await run(["call", "lint"], failing("lint found E501"));
  assert.is(result.code, 1);
  assert.match(result.stderr, "lint found E501");
});

test("says_an_error_without_the_place_in_the_engines_traces", async () => {
  const origin = `[traceparent:${"8a".repeat(16)}-${"ef".repeat(8)}]`;
  const { stderr } = await run(["call", "version"], failing(`not today ${origin}`));
  assert.match(stderr, /: not today$/m);
});

test("exits_with_3_when_a_checks_tool_did_not_work", async () => {
  assert.is((await run(["call", "lint"], failing("table\nERRORED: 1 check errored"))).code, 3);
});

test("exits_with_3_when_a_function_that_gives_something_throws", async () => {
  assert.is((await run(["call", "version"], failing("broken"))).code, 3);
});

for (const exitCode of [1, 2, 3, 4]) {
  test(`ends_a_delivery_by_call_with_its_own_number_${exitCode}`, async () => {
    const message = `exit code: ${exitCode}`;
    const cmd = ["sh", "-c", `cat /run/report.txt >&2; exit ${exitCode}`];
    const extensions = { _type: "EXEC_ERROR", cmd, exitCode, stdout: "", stderr: "the report\n" };
    const result = await run(["call", "version"], () => ({
      errors: [{ message, path: ["slipway", "version"], extensions }],
    }));
    assert.is(result.code, exitCode);
    assert.match(result.stderr, "the report");
  });
}

test("exits_with_2_when_the_configuration_is_at_fault", async () => {
  const result = await run(["call", "lint", "--set", "lint.enabled=perhaps"], failing("1 mistake"));
  assert.is(result.code, 2);
});

/** Told by a function that asserts as well as by one that gives something. */
const MISTAKES: Readonly<Record<string, () => unknown>> = {
  "workers that are none": () =>
    resolveConfig({ pyproject: undefined, set: ["test.workers=x", "test.shard=5/4"] }),
  "a publication without a registry": () =>
    publishTarget(
      { config: configSchema.parse({}), project: { name: "fine" } as Project },
      { overwrite: false },
    ),
  "half of the credentials": () => loginOf("ann", undefined),
  "nobody to sign": () =>
    signerKind({
      ...{ key: false, reference: undefined, credentials: false },
      ...{ token: false, requestUrl: undefined, requestToken: false },
    }),
  "an attestation of nothing": () => readPredicate("nothing", "{}"),
};

for (const [what, make] of Object.entries(MISTAKES)) {
  test(`exits_with_2_for_${what.replaceAll(" ", "_")}`, async () => {
    let said = "";
    try {
      make();
    } catch (error) {
      if (!(error instanceof SlipwayError)) throw error;
      said = error.message;
    }
    for (const name of ["lint", "version"])
      assert.is((await run(["call", name], failing(said))).code, 2, said);
  });
}

for (const said of [
  "The signing key (COSIGN_PRIVATE_KEY) cannot be used: it is empty. Nothing was run.",
  "The password (COSIGN_PASSWORD) does not open the signing key: no. Nothing was signed.",
  "There is no key to verify with: pass --public-key.",
  "The kubeconfig (KUBE_CONFIG_DATA) cannot be used: it is no YAML. Nothing was changed in the cluster.",
]) {
  test(`exits_with_2_when_told_that_${said.slice(0, 30).replace(/\W+/g, "_")}`, async () => {
    assert.is((await run(["call", "version"], failing(said))).code, 2);
  });
}

for (const source of ["https://github.com/x/y", pathToFileURL(folder).href])
  test(`blames_no_project_at_${source.slice(0, 5)}_that_it_did_not_find_at_fault`, async () => {
    assert.is((await run(["call", "version", "--source", source], failing("broken"))).code, 3);
  });

test("tells_a_gate_that_stopped_a_release_from_one_that_could_not_judge", async () => {
  const codeOf = async (why: string): Promise<number | null> =>
    (await run(["call", "version"], failing(`The release was stopped by ${why}`))).code;
  const scan = "the scan; no tag was moved.\n";
  assert.is(await codeOf(`${scan}FAILED: CVE-1 in database-client 1.0`), 1);
  assert.is(await codeOf(`${scan}ERRORED: the vulnerability database has no trivy.db`), 3);
  const checks = "the checks; no tag was moved.\n2 of 7 checks did not pass:\n";
  assert.is(await codeOf(`${checks}  test (pytest) FAILED: the job says ERRORED`), 1);
  assert.is(await codeOf(`${checks}  pipAudit (pip-audit) ERRORED: no network`), 3);
});

test("tells_of_a_step_summary_that_cannot_be_written_and_goes_on", async () => {
  const delivered = { state: "live", table: "live\n", json: "{}", markdown: "x" };
  const result = await run(
    ["deploy", "--kube-config", "env://K"],
    () => ({ data: { slipway: { deploy: delivered } } }),
    { GITHUB_STEP_SUMMARY: folder, K: "x" },
  );
  assert.is(result.code, 0, result.stderr);
  assert.match(result.stderr, "the step summary could not be written");
});

test("exits_with_2_for_an_unknown_function_and_names_the_nearest", async () => {
  const result = await run(["call", "pip-adit"], never);
  assert.is(result.code, 2);
  assert.match(result.stderr, 'Did you mean "pip-audit"?');
});

test("exits_with_2_for_an_unknown_flag_and_names_the_nearest", async () => {
  const result = await run(["call", "--sorce", ".", "lint"], never);
  assert.is(result.code, 2);
  assert.match(result.stderr, 'Did you mean "--source"?');
});

test("exits_with_2_for_an_unknown_check_and_keeps_the_reports_of_before", async () => {
  const reports = join(folder, ".slipway", "reports");
  await mkdir(reports, { recursive: true });
  await writeFile(join(reports, "report.json"), "{}");
  const result = await run(["check", "lnt"], never);
  assert.is(result.code, 2);
  assert.match(result.stderr, 'there is no check "lnt". Did you mean "lint"?');
  assert.equal(await readdir(reports), ["report.json"]);
});

test("leaves_the_folder_as_it_was_when_the_checks_cannot_run", async () => {
  const reports = join(folder, ".slipway", "reports");
  await rm(join(folder, ".slipway"), { recursive: true, force: true });
  // Another module's checks have other names: that alone can say which it has not.
  const refused = failing('There is no check "lnt"');
  assert.is((await run(["check"], refused)).code, 3);
  assert.not.ok((await readdir(folder)).includes(".slipway"));
  await mkdir(reports, { recursive: true });
  await writeFile(join(reports, "report.json"), "{}");
  await run(["check"], refused);
  assert.equal(await readdir(join(folder, ".slipway", "reports")), ["report.json"]);
});

test("puts_new_reports_in_the_place_of_the_old_ones", async () => {
  const reports = join(folder, ".slipway", "reports");
  await mkdir(reports, { recursive: true });
  await writeFile(join(reports, "old.json"), "{}");
  const result = await run(["check"], (query) => {
    const path = JSON.parse(/export\(path: ("[^"]*")\)/.exec(query)?.[1] ?? '""') as string;
    mkdirSync(path);
    writeFileSync(join(path, "report.json"), "{}");
    return checksAnswer("PASSED");
  });
  assert.is(result.code, 0, result.stderr);
  assert.equal(await readdir(reports), ["report.json"]);
});

test("keeps_two_runs_in_one_folder_apart", async () => {
  const reports = join(folder, ".slipway", "reports");
  await rm(join(folder, ".slipway"), { recursive: true, force: true });
  let second: Promise<Finished> | undefined;
  const write = (query: string): void => {
    const path = JSON.parse(/export\(path: ("[^"]*")\)/.exec(query)?.[1] ?? '""') as string;
    mkdirSync(path);
    writeFileSync(join(path, "report.json"), "{}");
  };
  // The second run begins and fails while the first one has its reports, but not in their place.
  const first = await run(["check"], async (query) => {
    write(query);
    second ??= run(["check"], (inner) => {
      write(inner);
      return { errors: [{ message: "broken", path: ["slipway", "checks"] }] };
    });
    await second;
    return checksAnswer("PASSED");
  });
  assert.equal([first.code, (await second)?.code], [0, 3], first.stderr);
  assert.equal(await readdir(reports), ["report.json"]);
  assert.equal((await readdir(join(folder, ".slipway"))).sort(), [".gitignore", "reports"]);
});

test("exits_with_2_for_an_unknown_command_and_names_the_nearest", async () => {
  const result = await slipway(["chekc"]);
  assert.is(result.code, 2);
  assert.match(result.stderr, 'Did you mean "check"?');
});

for (const command of ["check", "scan", "release", "validate", "deploy", "status"]) {
  test(`refuses_an_unknown_form_of_output_before_${command}_does_anything`, async () => {
    const cluster = command === "deploy" ? ["--kube-config", "env://K"] : [];
    const result = await run([command, ...cluster, "--output", "xml"], never, { K: "x" });
    assert.is(result.code, 2, result.stderr);
    assert.match(result.stderr, '--output: expected one of text, json, got "xml"');
    assert.not.ok(result.queries.some((query) => query.includes(`slipway { ${command}`)));
  });
}

test("tells_its_commands_and_its_version_to_whoever_asks", async () => {
  for (const words of [["-h"], ["--help"], ["help"], ["help", "report"], ["keys", "-h"]]) {
    const { code, stdout, stderr } = await slipway(words);
    assert.is(code, 0, stderr);
    assert.match(stdout, /^slipway /, words.join(" "));
  }
  const { code, stdout } = await slipway(["--version"]);
  assert.is(code, 0);
  assert.match(stdout, /^\d+\.\d+\.\d+\n$/);
});

test("exits_with_2_for_an_unknown_engine", async () => {
  assert.is((await slipway(["functions", "--engine", "docker"])).code, 2);
});

test("exits_with_3_and_says_what_to_do_in_a_clone_without_packages", async () => {
  const clone = await mkdtemp(join(tmpdir(), "slipway-clone-"));
  for (const part of ["ci/compile", "ci/cli", "ci/engine", "src"])
    await mkdir(join(clone, part), { recursive: true });
  for (const file of ["ci/compile/start.mjs", "ci/cli/slipway.mjs", "package-lock.json"])
    await copyFile(join(BIN, "../../..", file), join(clone, file));
  const child = spawn(process.execPath, [join(clone, "ci/cli/slipway.mjs"), "doctor"]);
  const { code, stdout, stderr } = await finished(child);
  await rm(clone, { recursive: true });
  assert.is(stderr, `slipway: packages are missing: run \`npm ci\` in ${clone}/\n`);
  assert.is(code, 3);
  assert.is(stdout, "");
});

test("exits_with_3_when_daggers_engine_is_asked_for_and_not_there", async () => {
  const result = await slipway(["functions", "--engine", "dagger"], { env: { PATH: folder } });
  assert.is(result.code, 3);
  assert.match(result.stderr, "--engine embedded");
});

test("exits_with_3_when_nobody_answers_at_the_sessions_port", async () => {
  const env = { DAGGER_SESSION_PORT: "1", DAGGER_SESSION_TOKEN: "x" };
  const result = await slipway(["functions"], { env });
  assert.is(result.code, 3);
  assert.match(result.stderr, "port 1");
});

test("rejects_a_folder_for_a_verdict_that_writes_none", async () => {
  const result = await run(["scan", "-o", "out"], never);
  assert.is(result.code, 2);
  assert.match(result.stderr, "no flag --o");
});

test("makes_no_half_of_a_pair_of_keys", async () => {
  const keys = join(folder, "keys");
  await mkdir(keys);
  await writeFile(join(keys, "cosign.pub"), "mine");
  const env = { COSIGN_PASSWORD: "x" };
  const result = await slipway(["keys", "generate", "--folder", keys], { env });
  assert.is(result.code, 2);
  assert.match(result.stderr, "cosign.pub is there already");
  assert.equal(await readdir(keys), ["cosign.pub"]);
});

test("shows_the_modules_functions_and_flags_in_help", async () => {
  const { stdout, code } = await run(["call", "checks", "--help"], never);
  assert.is(code, 0);
  assert.match(stdout, /--only +strings +About only/);
  assert.match(stdout, /--source +Directory +About source \(required\)/);
});

test("names_in_help_who_signs_and_the_exit_codes_of_the_command_itself", async () => {
  const help = async (name: string): Promise<string> => (await run([name, "--help"], never)).stdout;
  for (const [name, signs, codes] of [
    ["check", false, "1 a check failed"],
    ["scan", false, "1 something does"],
    ["verify", false, "1 one does not"],
    ["release", true, "1 stopped by the checks"],
    ["validate", true, "2 something does"],
    ["deploy", false, "1 failed and taken back"],
    ["status", false, "1 it does not"],
  ] as const) {
    const text = await help(name);
    assert.match(text, `Exit codes: 0`, name);
    assert.match(text, codes);
    assert.is(text.includes("COSIGN_PRIVATE_KEY"), signs, name);
  }
  assert.match(await help("sign"), "COSIGN_PRIVATE_KEY");
  assert.not.match(await help("test"), "COSIGN_PRIVATE_KEY");
  assert.not.match(await help("status"), "taken back");
});

test("lists_the_functions_as_json", async () => {
  const { stdout } = await run(["functions", "--output", "json"], never);
  const names = (ofForm("functions", stdout) as { name: string }[]).map(({ name }) => name);
  assert.equal(names.slice(0, 5), ["lint", "test", "pipAudit", "version", "checks"]);
});

test("writes_no_colour_where_nobody_looks", async () => {
  const { stdout, stderr } = await run(["check", "-o", ""], () => checksAnswer("FAILED"), {
    NO_COLOR: "1",
  });
  assert.not.match(stdout + stderr, "\u001b");
});

test.run();

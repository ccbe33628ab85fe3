import { suite } from "uvu";
import * as assert from "uvu/assert";
import { environmentNames, leaves } from "../../../src/core/config/leaves.js";
import { resolveConfig, type ConfigInput } from "../../../src/core/config/resolve.js";
import { SlipwayError } from "../../../src/core/errors.js";
import { generator } from "../random.js";

const test = suite("resolveConfig");

function fail(input: Partial<ConfigInput>): SlipwayError {
  try {
    resolveConfig({ pyproject: undefined, ...input });
  } catch (error) {
    if (error instanceof SlipwayError) return error;
    throw error;
  }
  throw new Error("the configuration was accepted");
}

const section = (text: string): string => `[project]\nname = "x"\n[tool.slipway]\n${text}\n`;

test("works_without_pyproject_and_without_any_key", () => {
  for (const pyproject of [undefined, "", "[tool.ruff]\n"]) {
    const { config, origins } = resolveConfig({ pyproject });
    assert.is(config.test.workers, "auto");
    assert.is(config.model.name, "iris-random-forest");
    assert.is(config.model.stage, "production");
    assert.is(config.build.healthcheck, "/healthz");
    assert.is(config.test.shard, undefined);
    assert.is(Object.keys(origins).length, leaves.length);
    assert.ok(Object.values(origins).every((origin) => origin.layer === "default"));
  }
});

test("prefers_flag_over_environment_over_file_over_default", () => {
  const pyproject = section("test = { workers = 1, distribution = 'loadfile', timeout = 7 }");
  const env = { SLIPWAY_TEST_WORKERS: "2", SLIPWAY_TEST_DISTRIBUTION: "loadscope" };
  const { config, origins } = resolveConfig({ pyproject, env, set: ["test.workers=3"] });
  assert.is(config.test.workers, 3);
  assert.is(config.test.distribution, "loadscope");
  assert.is(config.test.timeout, 7);
  assert.equal(origins["test.workers"], { layer: "flag", name: "--set test.workers" });
  assert.equal(origins["test.distribution"], {
    layer: "environment",
    name: "SLIPWAY_TEST_DISTRIBUTION",
  });
  assert.equal(origins["test.timeout"], { layer: "file", name: "pyproject.toml:4" });
  assert.equal(origins["test.markers"], { layer: "default", name: "default" });
});

test("takes_the_model_from_the_registry_variables", () => {
  const digest = `sha256:${"0a".repeat(32)}`;
  const env = {
    MODEL_REGISTRY_NAME: "wine",
    MODEL_STAGE: "staging",
    MODEL_VERSION: "7",
    MODEL_RUN_ID: "4f1c",
    MODEL_DIGEST: digest,
  };
  assert.equal(resolveConfig({ pyproject: undefined, env }).config.model, {
    enabled: true,
    name: "wine",
    stage: "staging",
    version: "7",
    run: "4f1c",
    digest,
    gates: [],
  });
  const both = resolveConfig({ pyproject: undefined, env: { ...env, SLIPWAY_MODEL_NAME: "rose" } });
  assert.is(both.config.model.name, "rose");
});

test("counts_an_empty_variable_as_unset", () => {
  assert.is(
    resolveConfig({ pyproject: undefined, env: { MODEL_STAGE: "" } }).config.model.stage,
    "production",
  );
});

test("reads_text_as_what_the_key_takes", () => {
  const { config } = resolveConfig({
    pyproject: undefined,
    set: [
      "test.args=-x, --durations=5",
      "test.coverage.minimum=87.5",
      "lint.enabled=no",
      "bandit.skips=B101",
      "python.version=3.12",
      "model.version=12",
      "build.healthcheck=false",
      "build.labels=team=ml,tier=1",
      'audit.ignore=[{"id":"A-1","reason":"r","expires":"2999-01-01"}]',
    ],
  });
  assert.equal(config.test.args, ["-x", "--durations=5"]);
  assert.is(config.test.coverage.minimum, 87.5);
  assert.is(config.lint.enabled, false);
  assert.equal(config.bandit.skips, ["B101"]);
  assert.is(config.python.version, "3.12");
  assert.is(config.model.version, "12");
  assert.is(config.build.healthcheck, false);
  assert.equal(config.build.labels, { team: "ml", tier: "1" });
  assert.is(config.audit.ignore[0]?.id, "A-1");
});

test("sets_one_label_and_keeps_those_of_the_file", () => {
  const pyproject = section('build = { labels = { team = "ml" } }');
  const { config } = resolveConfig({ pyproject, set: ["build.labels.io.acme.tier=gold"] });
  assert.equal(config.build.labels, { team: "ml", "io.acme.tier": "gold" });
});

test("reports_all_mistakes_at_once_with_key_line_expectation_and_nearest_name", () => {
  const pyproject = section(
    'test = { worker = 2 }\nlnt = {}\n[tool.slipway.bandit]\nseverity = "hihg"\npaths = "src"',
  );
  const error = fail({ pyproject, set: ["test.timeot=3"], env: { SLIPWAY_MODEL_NAM: "x" } });
  assert.is(error.code, "CONFIG");
  assert.is(error.problems.length, 6);
  assert.match(
    error.message,
    'pyproject.toml:4:10 test.worker: unknown key; did you mean "workers"?',
  );
  assert.match(error.message, 'pyproject.toml:5:1 lnt: unknown key; did you mean "lint"?');
  assert.match(
    error.message,
    'pyproject.toml:7:1 bandit.severity: expected one of low, medium, high, got "hihg"; did you mean "high"?',
  );
  assert.match(error.message, 'pyproject.toml:8:1 bandit.paths: expected an array, got "src"');
  assert.match(error.message, 'flag test.timeot: unknown key; did you mean "test.timeout"?');
  assert.match(
    error.message,
    'environment SLIPWAY_MODEL_NAM: unknown variable; did you mean "SLIPWAY_MODEL_NAME"?',
  );
});

test("points_at_the_right_section_for_a_key_in_the_wrong_one", () => {
  assert.match(
    fail({ pyproject: section("minimum = 80") }).message,
    'did you mean "test.coverage.minimum"?',
  );
});

test("explains_an_unquoted_python_version", () => {
  const error = fail({ pyproject: section("python = { version = 3.10 }") });
  assert.match(
    error.message,
    'python.version: expected a string such as "3.12" (quoted: TOML reads 3.10 as 3.1), got 3.1',
  );
});

test("names_the_variable_or_flag_that_holds_a_wrong_value", () => {
  const error = fail({ env: { SLIPWAY_TEST_TIMEOUT: "soon" }, set: ["build.port=0"] });
  assert.match(
    error.message,
    'environment SLIPWAY_TEST_TIMEOUT: expected a whole number of seconds, got "soon"',
  );
  assert.match(error.message, "flag build.port: expected at least 1, got 0");
});

test("reports_what_an_ignored_advisory_lacks", () => {
  const error = fail({
    pyproject: '[[tool.slipway.audit.ignore]]\nid = "GHSA-1"\nreson = "x"\nexpires = 2027-01-31\n',
  });
  assert.match(
    error.message,
    'pyproject.toml:3:1 audit.ignore[0].reson: unknown key; did you mean "reason"?',
  );
  assert.match(error.message, "audit.ignore[0].reason: expected a string, but it is missing");
});

test("names_the_nearest_key_of_tables_in_lists", () => {
  for (const [table, wrong, meant] of [
    ["deploy.steps", "pauze", "pause"],
    ["deploy.smoke.requests", "stats", "status"],
    ["model.gates", "tolerence", "tolerance"],
    ["analysis.queries", "querry", "query"],
    ["scan.ignore", "reson", "reason"],
  ] as const)
    assert.match(
      fail({ pyproject: `[[tool.slipway.${table}]]\n${wrong} = 1\n` }).message,
      `${table}[0].${wrong}: unknown key; did you mean "${meant}"?`,
    );
});

test("says_what_a_health_check_and_a_last_day_look_like", () => {
  const expected = "build.healthcheck: expected a path such as /healthz, or false, got";
  for (const given of ['"healthz"', "true", "3"])
    assert.match(fail({ pyproject: section(`build.healthcheck = ${given}`) }).message, expected);
  const entry = '[[tool.slipway.scan.ignore]]\nid = "A"\nreason = "r"\n';
  for (const given of ["expires = 20270131", 'expires = "soon"', ""])
    assert.match(
      fail({ pyproject: `${entry}${given}\n` }).message,
      "scan.ignore[0].expires: expected a date such as 2027-01-31",
    );
});

test("reports_expired_ignored_advisories_and_keeps_those_of_today", () => {
  const entry = (id: string, expires: string): string =>
    `[[tool.slipway.audit.ignore]]\nid = "${id}"\nreason = "r"\nexpires = ${expires}\n`;
  const pyproject =
    entry("OLD", "2026-11-22") + entry("TODAY", "2026-11-23") + entry("NEW", '"2026-12-01"');
  const { expired, notices } = resolveConfig({ pyproject, today: "2026-11-23" });
  assert.equal(
    expired.map((one) => one.id),
    ["OLD"],
  );
  assert.match(notices.join(), "OLD expired on 2026-11-22");
});

test("names_the_place_in_broken_toml", () => {
  const error = fail({ pyproject: '[project]\nname = "x\n' });
  assert.match(error.message, /pyproject\.toml is not valid TOML/);
  assert.is(error.problems[0]?.line, 2);
  assert.match(
    fail({ pyproject: "[a]\nb = 1\nb = 2\n" }).message,
    /pyproject\.toml:3:\d+: .*multiple times/,
  );
});

test("refuses_a_value_in_place_of_a_table", () => {
  assert.match(
    fail({ pyproject: "[tool]\nslipway = 3\n" }).message,
    "pyproject.toml:2:1 tool.slipway: expected a table",
  );
  const error = fail({ pyproject: section("test = 5"), env: { SLIPWAY_TEST_WORKERS: "2" } });
  assert.match(error.message, "pyproject.toml:4:1 test: expected a table, got 5");
});

test("refuses_paths_out_of_the_project_root_user_and_credentials_in_addresses", () => {
  const error = fail({
    pyproject: section(
      'build = { user = 0, dockerfile = "../Dockerfile" }\nlint = { paths = ["/etc"] }\nindex = { url = "https://bob:hunter2@idx.example/simple" }',
    ),
  });
  assert.is(error.problems.length, 4);
  assert.match(error.message, "other than root");
  assert.match(error.message, "lint.paths[0]: expected a path inside the project");
  assert.match(error.message, "without user and password");
  assert.not.match(error.message, "hunter2");
});

test("leaves_the_variables_of_others_alone", () => {
  resolveConfig({
    pyproject: undefined,
    env: { SLIPWAY_CACHE: "x", SLIPWAY_ENGINE: "y", PATH: "/bin" },
  });
});

test("asks_for_key_and_value_in_a_flag", () => {
  assert.match(fail({ set: ["verbose"] }).message, "flag verbose: expected key=value");
});

test("takes_a_shard_within_its_number_of_parts_only", () => {
  assert.is(
    resolveConfig({ pyproject: undefined, set: ["test.shard=4/4"] }).config.test.shard,
    "4/4",
  );
  for (const shard of ["5/4", "0/4", "1/0", "1", "1/2/3", "-1/2", "1/1001"])
    assert.match(
      fail({ set: [`test.shard=${shard}`] }).message,
      "flag test.shard: expected i/n such as 1/4",
    );
});

test("has_one_variable_for_each_key", () => {
  const own = [...environmentNames.keys()].filter((name) => name.startsWith("SLIPWAY_"));
  assert.is(own.length, leaves.length);
});

test("finds_every_misspelt_key_of_random_files", () => {
  const random = generator(7);
  for (let round = 0; round < 200; round++) {
    const leaf = random.pick(leaves);
    const name = leaf.path.at(-1) ?? "";
    const at = random.int(name.length);
    const wrong = `${name.slice(0, at)}q${name.slice(at)}`;
    const padding = "# padding\n".repeat(random.int(5));
    const table = ["tool", "slipway", ...leaf.path.slice(0, -1)].join(".");
    const error = fail({ pyproject: `${padding}[${table}]\n${wrong} = 1\n` });
    assert.is(error.problems.length, 1, wrong);
    assert.is(error.problems[0]?.line, padding.length / 10 + 2);
    assert.match(error.message, /did you mean/);
  }
});

test.run();

import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";

import { ReturnType } from "@dagger.io/dagger";

import { topic } from "../case.js";

export const secrets = topic("secrets", {
  give_their_name_and_plaintext: async (dag, t) => {
    const value = t.unique("value");
    const secret = dag.setSecret("the-name", value);
    assert.equal(await secret.name(), "the-name");
    assert.equal(await secret.plaintext(), value);
  },
  are_there_as_variables: async (dag, t) => {
    const value = t.unique("value");
    const ran = t
      .base()
      .withSecretVariable("S", dag.setSecret(t.unique(), value))
      .withExec(["sh", "-c", 'printf %s "$S" | tr a-z A-Z']);
    assert.equal(await ran.stdout(), value.toUpperCase());
  },
  are_no_variables_of_the_container: async (dag, t) => {
    const container = t.base().withSecretVariable("S", dag.setSecret(t.unique(), t.unique()));
    assert.equal(await container.envVariable("S"), null);
    const names = await Promise.all((await container.envVariables()).map((v) => v.name()));
    assert.ok(!names.includes("S"));
  },
  go_away_as_variables_when_removed: async (dag, t) => {
    const ran = t
      .base()
      .withSecretVariable("S", dag.setSecret(t.unique(), t.unique()))
      .withoutSecretVariable("S")
      .withExec(["sh", "-c", 'echo "${S-unset}"']);
    assert.equal(await ran.stdout(), "unset\n");
  },
  replace_an_earlier_secret_of_the_same_variable: async (dag, t) => {
    const ran = t
      .base()
      .withSecretVariable("S", dag.setSecret(t.unique(), "AA"))
      .withSecretVariable("S", dag.setSecret(t.unique(), "BBBBBBBBB"))
      .withExec(["sh", "-c", 'printf %d "${#S}"']);
    assert.equal(await ran.stdout(), "9");
  },
  are_there_as_files_readable_by_their_owner_only: async (dag, t) => {
    const value = t.unique("value");
    const ran = t
      .base()
      .withMountedSecret("/run/s", dag.setSecret(t.unique(), value))
      .withExec(["sh", "-c", "stat -c %a:%u:%g /run/s; tr a-z A-Z < /run/s"]);
    assert.equal(await ran.stdout(), `400:0:0\n${value.toUpperCase()}`);
  },
  take_mode_and_owner_as_files: async (dag, t) => {
    const ran = t
      .base()
      .withMountedSecret("/s", dag.setSecret(t.unique(), t.unique()), {
        mode: 0o440,
        owner: "1234:5678",
      })
      .withExec(["stat", "-c", "%a:%u:%g", "/s"]);
    assert.equal(await ran.stdout(), "440:1234:5678\n");
  },
  leave_no_content_in_the_file_system: async (dag, t) => {
    const value = t.unique("value");
    const ran = t
      .base()
      .withMountedSecret("/keep/s", dag.setSecret(t.unique(), value))
      .withExec(["true"]);
    await t.expectError(() => ran.file("/keep/s").contents(), /no such file or directory/);
    const later = ran.withoutMount("/keep/s").withExec(["sh", "-c", "cat /keep/s 2>&1 || true"]);
    assert.doesNotMatch(await later.stdout(), new RegExp(value));
  },
  can_be_the_input_of_a_command: async (dag, t) => {
    const ran = t
      .base()
      .withMountedSecret("/s", dag.setSecret(t.unique(), "secret stdin"))
      .withExec(["tr", "a-z", "A-Z"], { redirectStdin: "/s" });
    assert.equal(await ran.stdout(), "SECRET STDIN");
  },
  are_scrubbed_from_every_stream: async (dag, t) => {
    const ran = t
      .base()
      .withSecretVariable("S", dag.setSecret(t.unique(), t.unique("value")))
      .withExec(["sh", "-c", 'echo "a $S b"; echo "c $S d" >&2']);
    assert.equal(await ran.stdout(), "a *** b\n");
    assert.equal(await ran.stderr(), "c *** d\n");
    assert.deepEqual((await ran.combinedOutput()).trim().split("\n").sort(), [
      "a *** b",
      "c *** d",
    ]);
  },
  are_scrubbed_when_they_span_lines_and_writes: async (dag, t) => {
    const ran = t
      .base()
      .withMountedSecret("/s", dag.setSecret(t.unique(), "first line\nsecond line\nthird line"))
      .withExec(["sh", "-c", "head -c 14 /s; sleep 0.3; tail -c +15 /s"]);
    assert.equal(await ran.stdout(), "***");
  },
  are_scrubbed_from_errors: async (dag, t) => {
    const value = t.unique("value");
    const failing = t
      .base()
      .withSecretVariable("S", dag.setSecret(t.unique(), value))
      .withExec(["sh", "-c", 'echo "$S"; echo "$S" >&2; exit 3']);
    const error = await t.expectExecError(() => failing.sync(), 3);
    assert.equal(error.stdout.trim(), "***");
    assert.equal(error.stderr.trim(), "***");
    assert.doesNotMatch(error.message, new RegExp(value));
  },
  are_not_scrubbed_where_they_were_not_used: async (dag, t) => {
    const value = t.unique("value");
    await t
      .base()
      .withSecretVariable("S", dag.setSecret(t.unique(), value))
      .withExec(["true"])
      .sync();
    assert.equal(await t.base().withExec(["echo", value]).stdout(), `${value}\n`);
  },
  come_from_the_environment: async (dag) => {
    assert.equal(await dag.secret("env://HOME").plaintext(), process.env.HOME);
  },
  come_from_a_file: async (dag, t) => {
    const value = `${t.unique("value")}\n`;
    const path = join(t.dir, "secret");
    await writeFile(path, value);
    assert.equal(await dag.secret(`file://${path}`).plaintext(), value);
  },
  come_from_a_command: async (dag, t) => {
    const value = t.unique("value");
    assert.equal(
      await dag.secret(`cmd://printf ${value} | tr a-z A-Z`).plaintext(),
      value.toUpperCase(),
    );
  },
  fail_when_their_source_is_not_there: async (dag, t) => {
    const name = t.unique("NOT").toUpperCase().replaceAll("-", "_");
    await t.expectError(() => dag.secret(`env://${name}`).plaintext(), /secret env var not found/);
    const path = join(t.dir, "none");
    await t.expectError(
      () => dag.secret(`file://${path}`).plaintext(),
      /no such file or directory/,
    );
    await t.expectError(
      () => dag.secret("cmd://exit 1").plaintext(),
      /failed to run secret command/,
    );
  },
  fail_with_a_provider_that_does_not_exist: async (dag, t) => {
    await t.expectError(
      () => dag.secret("wtf://x").plaintext(),
      /unsupported secret provider: "wtf"/,
    );
  },
  do_not_expand_into_paths: async (dag, t) => {
    const container = t
      .base()
      .withSecretVariable("S", dag.setSecret(t.unique(), "x"))
      .withNewFile("/${S}", "", { expand: true });
    await t.expectError(
      () => container.sync(),
      /expand cannot be used with secret env variable "S"/,
    );
  },
  work_with_an_expected_failure: async (dag, t) => {
    const ran = t
      .base()
      .withSecretVariable("S", dag.setSecret(t.unique(), t.unique("value")))
      .withExec(["sh", "-c", 'echo "$S"; exit 1'], { expect: ReturnType.Any });
    assert.equal(await ran.stdout(), "***\n");
  },
});

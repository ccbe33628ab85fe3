// What the runbooks and the setup say is held to the module, the command, the workflows and this machine.
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { suite } from "uvu";
import * as assert from "uvu/assert";

import { kebab } from "../../ci/cli/names.js";
import { BIN } from "../cli/command.js";
import { register } from "../module/registration.js";
import { blocksOf, missing } from "./blocks.js";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const RUNBOOKS = ["ci/runbooks/deploy-runbook.md", "ci/runbooks/rollback-runbook.md"];
const SETUP = ".github/DEPLOYMENT_SETUP.md";
const DOCUMENTS = [...RUNBOOKS, SETUP, "docs/models.md"];

const texts = Object.fromEntries(
  await Promise.all(
    DOCUMENTS.map(async (path) => [path, await readFile(join(ROOT, path), "utf8")] as const),
  ),
) as Readonly<Record<string, string>>;
const registered = await register();
const workflows = await Promise.all(
  ["delivery", "rollback"].map((name) =>
    readFile(join(ROOT, ".github", "workflows", `${name}.yml`), "utf8"),
  ),
);

const test = suite("runbooks and setup");

function text(path: string): string {
  return texts[path] ?? "";
}

test("name_only_functions_and_flags_that_there_are", () => {
  const root = registered.filter(({ owner }) => owner === "Slipway");
  const own = new Set(["--json"]);
  let count = 0;
  for (const [path, document] of Object.entries(texts)) {
    const words = document.matchAll(/\bslipway ([a-z][a-z-]*)((?: +[^\n`|;]*)?)/g);
    for (const [whole, command = "", rest = ""] of words) {
      if (command === "keys") continue;
      const found = root.find(({ name }) => kebab(name) === command);
      assert.ok(found, `${path}: ${whole}`);
      const flags = new Set(found.args.map(({ name }) => `--${kebab(name)}`));
      for (const [flag] of rest.matchAll(/--[a-z-]+/g))
        assert.ok(flags.has(flag) || own.has(flag), `${path}: ${command} ${flag}`);
      count++;
    }
  }
  assert.ok(count > 20);
});

test("say_of_each_step_what_it_prints_and_what_to_do_if_not", () => {
  for (const path of RUNBOOKS) {
    const steps = text(path)
      .split(/^## \d+\. /m)
      .slice(1);
    assert.ok(steps.length >= 5, path);
    for (const step of steps) {
      const [title = ""] = step.split("\n");
      if (title === "Afterwards") continue;
      const runs = blocksOf(step).filter(({ isRun }) => isRun);
      assert.ok(runs.length > 0, `${path}: ${title} has no command that is run`);
      for (const { prints = "" } of runs) assert.ok(prints.trim(), `${path}: ${title}`);
      assert.match(step, /\*\*If not\*?\*?/, `${path}: ${title}`);
    }
  }
});

test("promote_by_the_digest_that_was_looked_at_and_not_by_a_tag", () => {
  const blocks = blocksOf(text("ci/runbooks/deploy-runbook.md")).map(({ script }) => script);
  const at = (part: string): number => blocks.findIndex((script) => script.includes(part));
  assert.match(blocks[at("export DIGEST=")] ?? "", "slipway status --json | jq");
  assert.is(blocks[at("slipway promote")], 'slipway promote --digest "$DIGEST"\n');
  assert.ok(at("export DIGEST=") < at("slipway promote"));
});

test("link_only_to_what_is_there", () => {
  for (const [path, document] of Object.entries(texts))
    for (const [, target = ""] of document.matchAll(/\]\((?!https?:)([^)#]+)/g))
      assert.ok(existsSync(resolve(ROOT, dirname(path), target)), `${path}: ${target}`);
});

test("list_every_variable_and_secret_of_the_workflows_and_no_others", () => {
  const used = (context: string): string[] => {
    const pattern = new RegExp(`\\b${context}\\.([A-Z_]+)`, "g");
    return [
      ...new Set(workflows.flatMap((each) => [...each.matchAll(pattern)].map(([, n]) => n ?? ""))),
    ].sort();
  };
  const listed = (title: string): string[] => {
    const [, section = ""] = text(SETUP).split(`\n## ${title}\n`);
    const [own = ""] = section.split("\n## ");
    return [...own.matchAll(/^\| ([A-Z_]+) +\|/gm)].map(([, name]) => name ?? "").sort();
  };
  assert.equal(listed("3. Variables"), used("vars"));
  assert.equal(listed("4. Secrets"), used("secrets"));
});

test("show_the_jobs_that_there_are_with_their_environments", () => {
  const jobs = ["deploy-canary", "promote-to-production", "abort", "rollback"];
  for (const job of jobs) {
    const yaml = workflows.join("\n");
    const [, body = ""] = yaml.split(`\n  ${job}:\n`);
    const environment = /^ {4}environment: (\w+)$/m.exec(body)?.[1];
    assert.match(text(SETUP), new RegExp(`^\\| \`${job}\` .*\\| \`${environment ?? "?"}\` `, "m"));
  }
});

test("print_what_the_setup_says", async () => {
  const folder = await mkdtemp(join(tmpdir(), "slipway-setup-"));
  try {
    const bin = join(folder, "bin");
    await mkdir(bin);
    await writeFile(join(bin, "slipway"), `#!/bin/sh\nexec '${process.execPath}' '${BIN}' "$@"\n`);
    await chmod(join(bin, "slipway"), 0o755);
    await writeFile(join(folder, "kubeconfig"), "apiVersion: v1\nkind: Config\n");
    const blocks = blocksOf(text(SETUP)).filter(({ isRun }) => isRun);
    assert.ok(blocks.length >= 2);
    for (const { line, script, prints = "" } of blocks) {
      const { stdout } = await promisify(execFile)("bash", ["-euo", "pipefail", "-c", script], {
        cwd: folder,
        env: { PATH: `${bin}:${process.env.PATH ?? ""}`, HOME: folder },
      });
      assert.equal(missing(prints, stdout), [], `${SETUP}:${line} prints\n${stdout}`);
    }
    assert.ok(existsSync(join(folder, "cosign.key")));
  } finally {
    await rm(folder, { recursive: true });
  }
});

test("know_a_line_that_is_not_printed", () => {
  assert.equal(
    missing("release … is live\n…\n  pods: … ok\n", "release 3 is live\nx\npods:  2 ok"),
    [],
  );
  assert.equal(missing("release … is live", "release 3 is waiting"), ["release … is live"]);
  assert.equal(missing("b\na", "a\nb"), ["a"], "in that order");
  assert.equal(missing("a.c", "abc"), ["a.c"]);
});

test("find_the_commands_of_a_document", () => {
  const document =
    "a\n```sh run\none\n```\n\n```text\nOne\n```\n```sh\ntwo\n```\n```toml\nx\n```\n";
  assert.equal(blocksOf(document), [
    { line: 2, script: "one\n", isRun: true, prints: "One\n" },
    { line: 9, script: "two\n", isRun: false, prints: undefined },
  ]);
});

test.run();

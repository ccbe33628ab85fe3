import assert from "node:assert/strict";

import type { Container } from "@dagger.io/dagger";

import { BUSYBOX, topic } from "../case.js";

async function variables(container: Container): Promise<Record<string, string>> {
  const list = await container.envVariables();
  const pairs = list.map(async (v) => [await v.name(), await v.value()] as const);
  return Object.fromEntries(await Promise.all(pairs));
}

async function labels(container: Container): Promise<Record<string, string>> {
  const pairs = (await container.labels()).map(
    async (label) => [await label.name(), await label.value()] as const,
  );
  return Object.fromEntries(await Promise.all(pairs));
}

export const config = topic("config", {
  comes_from_the_image: async (_dag, t) => {
    const base = t.base();
    assert.deepEqual(await base.defaultArgs(), ["sh"]);
    assert.deepEqual(await base.entrypoint(), []);
    assert.match((await variables(base)).PATH ?? "", /(^|:)\/bin(:|$)/);
    assert.match(
      await base.imageRef(),
      /^docker\.io\/library\/busybox:stable@sha256:[0-9a-f]{64}$/,
    );
  },
  sets_replaces_and_removes_variables: async (_dag, t) => {
    const one = t
      .base()
      .withEnvVariable("A", "1")
      .withEnvVariable("B", "2")
      .withEnvVariable("A", "3");
    const { A, B } = await variables(one);
    assert.deepEqual([A, B], ["3", "2"]);
    assert.equal(await one.withExec(["sh", "-c", "echo $A$B"]).stdout(), "32\n");
    const without = one.withoutEnvVariable("A");
    assert.equal(await without.envVariable("A"), null);
    assert.equal(await without.withExec(["sh", "-c", "echo ${A-none}"]).stdout(), "none\n");
  },
  expands_variables_only_when_asked: async (_dag, t) => {
    const base = t.base().withEnvVariable("A", "/opt");
    assert.equal(await base.withEnvVariable("B", "${A}/b").envVariable("B"), "${A}/b");
    const expanded = base.withEnvVariable("B", "${A}/b:$MISSING:$A", { expand: true });
    assert.equal(await expanded.envVariable("B"), "/opt/b::/opt");
  },
  keeps_empty_values_and_signs: async (_dag, t) => {
    const base = t.base().withEnvVariable("E", "").withEnvVariable("X", "a=b c\nd");
    assert.equal(await base.envVariable("E"), "");
    assert.equal(
      await base.withExec(["sh", "-c", 'printf "%s" "${E-unset}$X"']).stdout(),
      "a=b c\nd",
    );
  },
  sets_the_workdir_and_makes_it: async (_dag, t) => {
    const base = t.base().withWorkdir("/deep/down");
    assert.equal(await base.workdir(), "/deep/down");
    assert.equal(await base.withExec(["pwd"]).stdout(), "/deep/down\n");
  },
  takes_a_relative_workdir_from_the_one_before: async (_dag, t) => {
    const base = t.base().withWorkdir("/a").withWorkdir("b/../c");
    assert.equal(await base.workdir(), "/a/c");
  },
  runs_in_the_root_without_a_workdir: async (_dag, t) => {
    const base = t.base().withWorkdir("/a").withoutWorkdir();
    assert.equal(await base.withExec(["pwd"]).stdout(), "/\n");
  },
  puts_relative_paths_under_the_workdir: async (dag, t) => {
    const base = t
      .base()
      .withWorkdir("/w")
      .withNewFile("a", "1")
      .withFile("b", dag.file("x", "2"))
      .withDirectory("c", dag.directory().withNewFile("d", "3"));
    assert.equal(await base.withExec(["cat", "/w/a", "/w/b", "/w/c/d"]).stdout(), "123");
    assert.equal(await base.file("a").contents(), "1");
    assert.deepEqual(await base.directory(".").entries(), ["a", "b", "c/"]);
  },
  runs_as_a_named_user_with_its_group: async (_dag, t) => {
    const ran = t.base().withUser("nobody").withExec(["sh", "-c", "id -u; id -g"]);
    assert.equal(await ran.stdout(), "65534\n65534\n");
  },
  runs_as_a_numeric_user_and_group: async (_dag, t) => {
    const base = t.base().withUser("1234:5678");
    assert.equal(await base.user(), "1234:5678");
    assert.equal(await base.withExec(["sh", "-c", "id -u; id -g"]).stdout(), "1234\n5678\n");
  },
  runs_as_root_without_a_user: async (_dag, t) => {
    const ran = t.base().withUser("nobody").withoutUser().withExec(["id", "-u"]);
    assert.equal(await ran.stdout(), "0\n");
  },
  fails_with_a_user_that_does_not_exist: async (_dag, t) => {
    await t.expectError(() => t.base().withUser("martian").withExec(["true"]).sync(), /martian/);
  },
  clears_default_args_with_a_new_entrypoint: async (_dag, t) => {
    const base = t.base().withDefaultArgs(["x"]);
    assert.deepEqual(await base.withEntrypoint(["echo"]).defaultArgs(), []);
    const kept = base.withEntrypoint(["echo"], { keepDefaultArgs: true });
    assert.deepEqual(await kept.defaultArgs(), ["x"]);
    assert.equal(await kept.withExec([], { useEntrypoint: true }).stdout(), "x\n");
  },
  removes_entrypoint_and_default_args: async (_dag, t) => {
    const base = t.base().withEntrypoint(["e"]).withDefaultArgs(["d"]);
    assert.deepEqual(await base.withoutDefaultArgs().defaultArgs(), []);
    assert.deepEqual(await base.withoutEntrypoint().entrypoint(), []);
    assert.deepEqual(await base.withoutEntrypoint().defaultArgs(), []);
    const kept = base.withoutEntrypoint({ keepDefaultArgs: true });
    assert.deepEqual(await kept.defaultArgs(), ["d"]);
  },
  sets_replaces_and_removes_labels: async (dag) => {
    const base = dag.container().withLabel("a", "1").withLabel("b", "2").withLabel("a", "3");
    assert.equal(await base.label("a"), "3");
    assert.deepEqual(await labels(base), { a: "3", b: "2" });
    assert.deepEqual(await labels(base.withoutLabel("a")), { b: "2" });
    assert.equal(await base.label("none"), null);
  },
  lists_exposed_ports: async (_dag, t) => {
    const base = t
      .base()
      .withExposedPort(8080, { description: "web" })
      .withExposedPort(9090)
      .withExposedPort(1234)
      .withoutExposedPort(1234);
    const ports = await Promise.all(
      (await base.exposedPorts()).map(async (p) => [await p.port(), await p.protocol()]),
    );
    assert.deepEqual(ports.sort(), [
      [8080, "TCP"],
      [9090, "TCP"],
    ]);
  },
  keeps_a_health_check: async (_dag, t) => {
    const check = t
      .base()
      .withDockerHealthcheck(["wget", "-q", "http://localhost"], { interval: "30s", retries: 4 })
      .dockerHealthcheck();
    assert.deepEqual(await check.args(), ["wget", "-q", "http://localhost"]);
    assert.equal(await check.retries(), 4);
    assert.equal(await check.interval(), "30s");
  },
  tells_the_platform: async (dag, t) => {
    const platform = await dag.defaultPlatform();
    assert.match(platform, /^linux\/(amd64|arm64)/);
    assert.equal(await t.base().platform(), platform);
  },
  has_no_image_reference_after_a_change: async (_dag, t) => {
    await t.expectError(() => t.base().withWorkdir("/x").imageRef(), /Image reference/);
  },
  survives_an_exec: async (_dag, t) => {
    const ran = t
      .base()
      .withWorkdir("/w")
      .withUser("nobody")
      .withEnvVariable("A", "1")
      .withLabel("l", "2")
      .withEntrypoint(["e"])
      .withExec(["true"]);
    assert.deepEqual(
      [await ran.workdir(), await ran.user(), await ran.envVariable("A"), await ran.label("l")],
      ["/w", "nobody", "1", "2"],
    );
    assert.deepEqual(await ran.entrypoint(), ["e"]);
  },
  collects_variables_labels_and_ports_from_before_an_image: async (dag, t) => {
    const one = dag
      .container()
      .withEnvVariable("BEFORE", "1")
      .withEnvVariable("PATH", "/nowhere")
      .withLabel("before", "1")
      .withExposedPort(81, { description: "before" })
      .withUser("1234")
      .withWorkdir("/before")
      .withEntrypoint(["before"])
      .from(BUSYBOX);
    assert.equal(await one.envVariable("BEFORE"), "1");
    assert.equal(await one.envVariable("PATH"), await t.base().envVariable("PATH"));
    assert.equal(await one.label("before"), "1");
    const ports = await one.exposedPorts();
    assert.deepEqual(await Promise.all(ports.map((port) => port.description())), ["before"]);
    assert.deepEqual(
      [await one.user(), await one.workdir(), await one.entrypoint(), await one.defaultArgs()],
      ["", await t.base().workdir(), [], ["sh"]],
    );
  },
  keeps_an_absolute_workdir_as_it_was_given: async (_dag, t) => {
    const one = t.base().withWorkdir("/app/");
    assert.equal(await one.workdir(), "/app/");
    assert.equal(await one.withWorkdir("sub/").workdir(), "/app/sub");
    assert.equal(await one.withExec(["pwd"]).stdout(), "/app\n");
  },
  forgets_the_ports_of_an_image_with_the_first_that_is_removed: async (dag, t) => {
    const image = t.base().withExposedPort(80).withExposedPort(81).asTarball();
    const imported = dag.container().import_(image);
    const ports = async (container: Container): Promise<number[]> =>
      (await Promise.all((await container.exposedPorts()).map((port) => port.port()))).sort();
    assert.deepEqual(await ports(imported), [80, 81]);
    assert.deepEqual(await ports(imported.withExposedPort(82)), [80, 81, 82]);
    assert.deepEqual(await ports(imported.withExposedPort(82).withoutExposedPort(80)), [82]);
  },
});

import assert from "node:assert/strict";

import { ReturnType } from "@dagger.io/dagger";

import { BUSYBOX, topic } from "../case.js";

export const dockerBuild = topic("docker-build", {
  runs_copies_and_configures: async (dag) => {
    const built = dag
      .directory()
      .withNewFile("src/app.txt", "app")
      .withNewFile(
        "Dockerfile",
        [
          `FROM ${BUSYBOX}`,
          "WORKDIR /app",
          "COPY src/ ./",
          "ENV GREETING=hello",
          'RUN echo "$GREETING $(cat app.txt)" > out.txt',
          'LABEL org.example.kind="test"',
          "EXPOSE 8080",
          "USER nobody",
          'ENTRYPOINT ["cat"]',
          'CMD ["out.txt"]',
        ].join("\n"),
      )
      .dockerBuild();
    assert.equal(await built.file("/app/out.txt").contents(), "hello app\n");
    assert.equal(await built.workdir(), "/app");
    assert.equal(await built.user(), "nobody");
    assert.equal(await built.label("org.example.kind"), "test");
    assert.deepEqual(await built.entrypoint(), ["cat"]);
    assert.deepEqual(await built.defaultArgs(), ["out.txt"]);
    assert.equal(await built.withExec([], { useEntrypoint: true }).stdout(), "hello app\n");
    const ports = await built.exposedPorts();
    assert.deepEqual(await Promise.all(ports.map((port) => port.port())), [8080]);
  },
  takes_arguments_and_their_defaults: async (dag) => {
    const source = dag
      .directory()
      .withNewFile(
        "Dockerfile",
        `ARG BASE=${BUSYBOX}\nFROM \${BASE}\nARG WHO=nobody\nARG MORE=none\nRUN echo "$WHO $MORE" > /who\n`,
      );
    const plain = source.dockerBuild();
    assert.equal(await plain.file("/who").contents(), "nobody none\n");
    const given = source.dockerBuild({ buildArgs: [{ name: "WHO", value: "me" }] });
    assert.equal(await given.file("/who").contents(), "me none\n");
  },
  copies_from_an_earlier_stage_and_stops_at_a_target: async (dag) => {
    const source = dag
      .directory()
      .withNewFile(
        "Dockerfile",
        [
          `FROM ${BUSYBOX} AS build`,
          "RUN echo built > /artifact",
          `FROM ${BUSYBOX} AS middle`,
          "COPY --from=build /artifact /middle",
          "FROM middle",
          "RUN mv /middle /final",
        ].join("\n"),
      );
    assert.equal(await source.dockerBuild().file("/final").contents(), "built\n");
    const middle = source.dockerBuild({ target: "middle" });
    assert.equal(await middle.file("/middle").contents(), "built\n");
    assert.equal(await middle.exists("/final"), false);
  },
  uses_another_dockerfile: async (dag) => {
    const built = dag
      .directory()
      .withNewFile("docker/Other", `FROM ${BUSYBOX}\nRUN echo other > /which\n`)
      .withNewFile("Dockerfile", "FROM no-such-image-at-all\n")
      .dockerBuild({ dockerfile: "docker/Other" });
    assert.equal(await built.file("/which").contents(), "other\n");
  },
  leaves_out_what_dockerignore_names: async (dag) => {
    const built = dag
      .directory()
      .withNewFile(".dockerignore", "*.log\n!keep.log\n")
      .withNewFile("a.log", "")
      .withNewFile("keep.log", "")
      .withNewFile("b.txt", "")
      .withNewFile("Dockerfile", `FROM ${BUSYBOX}\nCOPY . /ctx/\n`)
      .dockerBuild();
    const entries = await built.directory("/ctx").entries();
    assert.ok(entries.includes("keep.log") && entries.includes("b.txt"), entries.join());
    assert.ok(!entries.includes("a.log"), entries.join());
  },
  reads_a_slash_in_dockerignore_as_the_context: async (dag) => {
    const built = dag
      .directory()
      .withNewFile(".dockerignore", "/a.log\n/x/*\n! /x/keep.log\n/\n")
      .withNewFile("a.log", "")
      .withNewFile("x/keep.log", "")
      .withNewFile("x/other.log", "")
      .withNewFile("y/a.log", "")
      .withNewFile("Dockerfile", `FROM ${BUSYBOX}\nCOPY . /ctx/\n`)
      .dockerBuild();
    const kept = await built.directory("/ctx").glob("**/*.log");
    assert.deepEqual(kept.sort(), ["x/keep.log", "y/a.log"]);
  },
  copies_with_owner_and_mode: async (dag) => {
    const built = dag
      .directory()
      .withNewFile("f", "")
      .withNewFile("Dockerfile", `FROM ${BUSYBOX}\nCOPY --chown=12:34 --chmod=640 f /f\n`)
      .dockerBuild();
    assert.equal(await built.withExec(["stat", "-c", "%u:%g %a", "/f"]).stdout(), "12:34 640\n");
  },
  mounts_a_secret_for_one_instruction: async (dag, t) => {
    const value = t.unique("value");
    const built = dag
      .directory()
      .withNewFile(
        "Dockerfile",
        `FROM ${BUSYBOX}\nENV RUN=${t.unique()}\nRUN --mount=type=secret,id=token tr a-z A-Z < /run/secrets/token > /seen\n`,
      )
      .dockerBuild({ secrets: [dag.setSecret("token", value)] });
    assert.equal(await built.file("/seen").contents(), value.toUpperCase());
    const later = built.withExec(["cat", "/run/secrets/token"], { expect: ReturnType.Any });
    assert.doesNotMatch(await later.stdout(), new RegExp(value));
  },
  fails_with_the_exit_code_of_an_instruction: async (dag, t) => {
    const built = dag
      .directory()
      .withNewFile("Dockerfile", `FROM ${BUSYBOX}\nRUN echo said >&2; exit 7\n`)
      .dockerBuild();
    const error = await t.expectExecError(() => built.sync(), 7);
    assert.match(error.stderr, /said/);
  },
  fails_without_a_dockerfile: async (dag, t) => {
    const built = dag.directory().withNewFile("a", "").dockerBuild();
    await t.expectError(() => built.sync(), /Dockerfile/);
  },
  fails_with_an_unknown_instruction_by_name: async (dag, t) => {
    const built = dag
      .directory()
      .withNewFile("Dockerfile", `FROM ${BUSYBOX}\nFROBNICATE now\n`)
      .dockerBuild();
    await t.expectError(() => built.sync(), /unknown instruction.*FROBNICATE/i);
  },
});

import assert from "node:assert/strict";
import { join } from "node:path";

import { BUSYBOX, topic } from "../case.js";
import { built, dockerfile } from "../dockerfiles.js";
import { blob, json, layout, manifestsOf, type ImageConfig, type Manifest } from "../oci-layout.js";

export const dockerfileStages = topic("dockerfile-stages", {
  finds_a_target_whatever_its_case: async (dag) => {
    const source = dockerfile(
      dag,
      `FROM ${BUSYBOX} AS Builder`,
      "RUN echo built > /made",
      `FROM ${BUSYBOX}`,
      "COPY --from=BUILDER /made /copied",
    );
    assert.equal(
      await source.dockerBuild({ target: "Builder" }).file("/made").contents(),
      "built\n",
    );
    assert.equal(
      await source.dockerBuild({ target: "builder" }).file("/made").contents(),
      "built\n",
    );
    assert.equal(await source.dockerBuild().file("/copied").contents(), "built\n");
  },
  fails_without_the_target: async (dag, t) => {
    const source = dockerfile(dag, `FROM ${BUSYBOX} AS builder`);
    const missing = source.dockerBuild({ target: "other" });
    await t.expectError(() => missing.sync(), /target stage "other" could not be found/);
    const byNumber = source.dockerBuild({ target: "0" });
    await t.expectError(() => byNumber.sync(), /target stage "0" could not be found/);
  },
  fails_with_a_syntax_that_is_not_built_in: async (dag, t) => {
    const other = dockerfile(dag, "# syntax=example.com/custom/dockerfile:1", `FROM ${BUSYBOX}`);
    await t.expectError(
      () => other.dockerBuild().sync(),
      /syntax frontend "example\.com\/custom\/dockerfile:1" is unsupported/,
    );
    const usual = dockerfile(dag, "# syntax = docker/dockerfile:1.7", `FROM ${BUSYBOX}`);
    await usual.dockerBuild().sync();
  },
  does_without_stages_that_nothing_needs: async (dag) => {
    const ran = dockerfile(
      dag,
      "FROM no-such-image-at-all AS unused",
      "RUN exit 1",
      `FROM ${BUSYBOX}`,
      "RUN echo fine > /seen",
    ).dockerBuild();
    assert.equal(await ran.file("/seen").contents(), "fine\n");
  },
  tells_the_platform: async (dag) => {
    const platform = await dag.defaultPlatform();
    const [os = "", architecture = ""] = platform.split("/");
    const ran = built(
      dag,
      "ARG TARGETPLATFORM TARGETOS",
      "ARG TARGETARCH",
      "ARG TARGETVARIANT",
      "ARG BUILDPLATFORM BUILDOS BUILDARCH",
      'RUN echo "$TARGETPLATFORM $TARGETOS $TARGETARCH [${TARGETVARIANT-unset}] $BUILDPLATFORM $BUILDOS $BUILDARCH" > /seen',
      "ENV ARCH=$TARGETARCH",
    );
    assert.equal(
      await ran.file("/seen").contents(),
      `${platform} ${os} ${architecture} [] ${platform} ${os} ${architecture}\n`,
    );
    assert.equal(await ran.envVariable("ARCH"), architecture);
  },
  tells_the_platform_to_those_who_declare_it: async (dag) => {
    const ran = built(dag, 'RUN echo "[$TARGETARCH]" > /seen');
    assert.equal(await ran.file("/seen").contents(), "[]\n");
  },
  takes_the_platform_before_the_first_stage: async (dag) => {
    const ran = dockerfile(
      dag,
      "ARG NAME=busybox-$TARGETOS",
      `FROM --platform=$BUILDPLATFORM ${BUSYBOX}`,
      "ARG NAME",
      "RUN echo $NAME > /seen",
    ).dockerBuild({ buildArgs: [{ name: "TARGETOS", value: "mine" }] });
    assert.equal(await ran.file("/seen").contents(), "busybox-mine\n");
  },
  inherits_arguments_of_the_base_stage: async (dag) => {
    const ran = dockerfile(
      dag,
      `FROM ${BUSYBOX} AS base`,
      "ARG WHO=me",
      "FROM base",
      "RUN echo $WHO > /seen",
      "ENV KEPT=$WHO",
    ).dockerBuild();
    assert.equal(await ran.file("/seen").contents(), "me\n");
    assert.equal(await ran.envVariable("KEPT"), "me");
  },
  replaces_variables_in_arguments: async (dag) => {
    const ran = built(dag, "ENV A=1", "ARG B=$A C=${B}3", "RUN echo $B $C > /seen");
    assert.equal(await ran.file("/seen").contents(), "1 13\n");
  },
  lets_the_last_of_variable_and_argument_count: async (dag) => {
    const ran = built(
      dag,
      "ENV A=variable",
      "ARG A=argument",
      "RUN echo $A > /one",
      "ENV A=again",
      "RUN echo $A > /two",
    );
    assert.equal(await ran.file("/one").contents(), "argument\n");
    assert.equal(await ran.file("/two").contents(), "again\n");
    const kept = built(dag, "ENV A=variable", "ARG A=argument", "RUN true");
    assert.equal(await kept.envVariable("A"), "variable");
  },
  keeps_arguments_that_a_command_saw: async (dag) => {
    const ran = built(dag, "ARG SEEN=1", "RUN true", "ARG UNSEEN=1");
    assert.equal(await ran.envVariable("SEEN"), "1");
    assert.equal(await ran.envVariable("UNSEEN"), null);
  },
  replaces_variables_as_a_shell_does: async (dag) => {
    const ran = built(
      dag,
      "ENV A=one.two.three EMPTY=",
      "ENV B=${A%.*} C=${A##*.} D=${A/two/2} E=${NONE-none} F=${EMPTY-none} G=${EMPTY:-none} H=${A:+set}",
      `ENV I="a\\nb" J='$A' K=\\$A L="\\$A"`,
      "ENV OLD the rest  of it",
    );
    const expected = {
      B: "one.two",
      C: "three",
      D: "one.2.three",
      E: "none",
      F: "",
      G: "none",
      H: "set",
      I: "a\\nb",
      J: "$A",
      K: "$A",
      L: "$A",
      OLD: "the rest  of it",
    };
    for (const [name, value] of Object.entries(expected)) {
      assert.equal(await ran.envVariable(name), value, name);
    }
  },
  fails_when_a_variable_is_demanded: async (dag, t) => {
    const ran = built(dag, "ENV A=${NONE:?missing}");
    await t.expectError(() => ran.sync(), /NONE: missing/);
  },
  makes_a_working_directory_as_the_user: async (dag) => {
    const stat = (...paths: string[]) => ["stat", "-c", "%u:%g %a %n", ...paths];
    const ran = built(
      dag,
      "RUN echo app:x:1234:4321::/:/bin/sh >> /etc/passwd && echo appgrp:x:4321: >> /etc/group",
      "USER app",
      "WORKDIR /made/by-name",
      "USER app:appgrp",
      "WORKDIR /made/by-both",
      "USER 55:66",
      "WORKDIR by-number",
      "USER 0",
    );
    const paths = ["/made", "/made/by-name", "/made/by-both", "/made/by-both/by-number"];
    assert.equal(
      await ran.withExec(stat(...paths)).stdout(),
      [
        "0:0 755 /made",
        "1234:1234 755 /made/by-name",
        "1234:4321 755 /made/by-both",
        "55:66 755 /made/by-both/by-number",
        "",
      ].join("\n"),
    );
    assert.equal(await ran.workdir(), "/made/by-both/by-number");
  },
  leaves_a_working_directory_that_is_there: async (dag) => {
    const ran = built(dag, "RUN mkdir -m 1777 /there && chown 12:34 /there", "WORKDIR /there");
    assert.equal(await ran.withExec(["stat", "-c", "%u:%g %a", "/there"]).stdout(), "12:34 1777\n");
  },
  gives_a_working_directory_that_is_there_to_a_user: async (dag) => {
    const make = "RUN mkdir -m 700 /there && touch /there/f";
    const stat = ["stat", "-c", "%u:%g %a %n", "/there", "/there/f"];
    const byName = built(
      dag,
      `${make} && echo app:x:1234:4321::/:/bin/sh >> /etc/passwd`,
      "USER app",
      "WORKDIR /there",
      "USER 0",
    );
    assert.equal(await byName.withExec(stat).stdout(), "1234:1234 755 /there\n0:0 644 /there/f\n");
    const byNumber = built(dag, make, "USER 55:66", "WORKDIR /there", "USER 0");
    assert.equal(await byNumber.withExec(stat).stdout(), "55:66 700 /there\n55:66 644 /there/f\n");
  },
  exposes_ranges_of_ports: async (dag) => {
    const ran = built(dag, "ENV FIRST=8000", "EXPOSE $FIRST-8002 53/udp");
    const ports = await ran.exposedPorts();
    const shown = await Promise.all(
      ports.map(async (port) => `${await port.port()}/${await port.protocol()}`),
    );
    assert.deepEqual(shown.sort(), ["53/UDP", "8000/TCP", "8001/TCP", "8002/TCP"]);
  },
  fails_with_a_port_that_is_none: async (dag, t) => {
    const word = built(dag, "EXPOSE http");
    await t.expectError(() => word.sync(), /invalid containerPort: http/);
    const protocol = built(dag, "EXPOSE 80/frobnicate");
    await t.expectError(() => protocol.sync(), /invalid proto: frobnicate/);
  },
  says_in_the_image_what_no_field_does: async (dag, t) => {
    const image = built(
      dag,
      'SHELL ["/bin/ash", "-e", "-c"]',
      'VOLUME ["/cache", "/data"]',
      "VOLUME /more",
      "STOPSIGNAL SIGQUIT",
      "ONBUILD RUN echo child",
      "HEALTHCHECK NONE",
      "CMD echo $0",
    );
    assert.deepEqual(await image.defaultArgs(), ["/bin/ash", "-e", "-c", "echo $0"]);
    const path = join(t.dir, "image.tar");
    await image.export(path);
    const files = await layout(path);
    const [only] = manifestsOf(json(files, "index.json"));
    assert.ok(only);
    const { config } = blob(files, (blob(files, only) as Manifest).config) as ImageConfig;
    assert.deepEqual(config.Shell, ["/bin/ash", "-e", "-c"]);
    assert.deepEqual(config.Volumes, { "/cache": {}, "/data": {}, "/more": {} });
    assert.equal(config.StopSignal, "SIGQUIT");
    assert.deepEqual(config.OnBuild, ["RUN echo child"]);
    assert.deepEqual((config.Healthcheck as { Test: string[] }).Test, ["NONE"]);
  },
  fails_with_a_signal_that_is_none: async (dag, t) => {
    const ran = built(dag, "STOPSIGNAL frobnicate");
    await t.expectError(() => ran.sync(), /invalid signal: frobnicate/);
  },
  does_what_a_base_stage_asks_for: async (dag) => {
    const ran = dockerfile(
      dag,
      `FROM ${BUSYBOX} AS base`,
      "ONBUILD RUN echo asked > /asked",
      "FROM base",
      "RUN cp /asked /seen",
    ).dockerBuild();
    assert.equal(await ran.file("/seen").contents(), "asked\n");
  },
  starts_from_nothing_with_a_path: async (dag) => {
    const ran = dockerfile(dag, "FROM scratch", "COPY Dockerfile /f").dockerBuild();
    assert.deepEqual(await ran.rootfs().entries(), ["f"]);
    assert.equal(await ran.workdir(), "/");
    assert.equal(
      await ran.envVariable("PATH"),
      "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    );
  },
});

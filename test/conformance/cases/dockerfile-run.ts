import assert from "node:assert/strict";

import { BUSYBOX, topic } from "../case.js";
import { built, dockerfile } from "../dockerfiles.js";

export const dockerfileRun = topic("dockerfile-run", {
  mounts_a_file_of_the_context: async (dag) => {
    const ran = built(
      dag,
      "WORKDIR /app",
      "RUN --mount=type=bind,source=package.json,target=package.json cp package.json /seen; (echo x > package.json) 2> /dev/null || echo refused > /written",
    );
    assert.equal(await ran.file("/seen").contents(), "{}");
    assert.equal(await ran.file("/written").contents(), "refused\n");
    assert.equal(await ran.exists("/app/package.json"), false);
  },
  mounts_a_file_of_an_earlier_stage: async (dag) => {
    const ran = dockerfile(
      dag,
      `FROM ${BUSYBOX} AS tools`,
      "RUN echo tool > /tool",
      `FROM ${BUSYBOX}`,
      "RUN --mount=from=tools,source=/tool,target=/mnt/tool cat /mnt/tool > /seen",
    ).dockerBuild();
    assert.equal(await ran.file("/seen").contents(), "tool\n");
  },
  goes_on_without_a_secret_that_was_not_given: async (dag) => {
    const ran = built(
      dag,
      "RUN --mount=type=secret,id=absent test ! -e /run/secrets/absent && echo none > /seen",
    );
    assert.equal(await ran.file("/seen").contents(), "none\n");
  },
  fails_without_a_secret_that_is_required: async (dag, t) => {
    const ran = built(dag, "RUN --mount=type=secret,id=absent,required=true true");
    await t.expectError(() => ran.sync(), /secret "absent" is required but/);
    const bare = built(dag, "RUN --mount=type=secret,id=absent,required true");
    await t.expectError(() => bare.sync(), /secret "absent" is required but/);
  },
  gives_a_secret_as_a_variable: async (dag, t) => {
    const [name, value] = [t.unique("name"), t.unique("value")];
    const ran = dockerfile(
      dag,
      `FROM ${BUSYBOX}`,
      `ENV RUN=${t.unique()}`,
      `RUN --mount=type=secret,id=${name},env=TOKEN test ! -e /run/secrets/${name} && echo $TOKEN | tr a-z A-Z > /seen`,
    ).dockerBuild({ secrets: [dag.setSecret(name, value)] });
    assert.equal(await ran.file("/seen").contents(), `${value.toUpperCase()}\n`);
  },
  mounts_a_secret_with_owner_and_mode: async (dag, t) => {
    const name = t.unique("name");
    const ran = dockerfile(
      dag,
      `FROM ${BUSYBOX}`,
      `ENV RUN=${t.unique()}`,
      `RUN --mount=type=secret,id=${name},target=/s,uid=12,gid=34,mode=0444 stat -c '%u:%g %a' /s > /seen`,
    ).dockerBuild({ secrets: [dag.setSecret(name, t.unique("value"))] });
    assert.equal(await ran.file("/seen").contents(), "12:34 444\n");
  },
  keeps_secrets_for_later_commands: async (dag, t) => {
    const [used, unused, value] = [t.unique("used"), t.unique("unused"), t.unique("value")];
    const ran = dockerfile(
      dag,
      `FROM ${BUSYBOX}`,
      `RUN --mount=type=secret,id=${used} wc -c < /run/secrets/${used} > /first`,
      `RUN --mount=type=secret,id=${used} wc -c < /run/secrets/${used} > /second`,
    ).dockerBuild({ secrets: [dag.setSecret(used, value), dag.setSecret(unused, value)] });
    const counted = ran.withExec([
      "sh",
      "-ec",
      `cat /first /second; wc -c < /run/secrets/${used}; wc -c < /run/secrets/${unused}`,
    ]);
    assert.equal(await counted.stdout(), `${value.length}\n`.repeat(4));
  },
  refuses_owner_and_mode_of_a_cache: async (dag, t) => {
    for (const option of ["uid=12", "gid=34", "mode=0750"]) {
      const ran = built(dag, `RUN --mount=type=cache,target=/c,${option} true`);
      await t.expectError(() => ran.sync(), /unsupported/);
    }
  },
  fills_a_cache_from_a_stage: async (dag, t) => {
    const ran = dockerfile(
      dag,
      `FROM ${BUSYBOX} AS seeds`,
      "RUN mkdir /seeds && echo planted > /seeds/seed",
      `FROM ${BUSYBOX}`,
      `RUN --mount=type=cache,id=${t.unique()},target=/c,from=seeds,source=/seeds cp /c/seed /seen`,
    ).dockerBuild();
    assert.equal(await ran.file("/seen").contents(), "planted\n");
  },
  shares_a_cache_between_instructions: async (dag, t) => {
    const id = t.unique();
    const ran = built(
      dag,
      `RUN --mount=type=cache,id=${id},target=/c echo kept > /c/file`,
      `RUN --mount=type=cache,id=${id},target=/other cp /other/file /seen`,
    );
    assert.equal(await ran.file("/seen").contents(), "kept\n");
  },
  limits_a_tmpfs: async (dag) => {
    const ran = built(
      dag,
      "RUN --mount=type=tmpfs,target=/t,size=64k df -k /t | tail -n 1 | awk '{print $2}' > /seen",
    );
    assert.equal(await ran.file("/seen").contents(), "64\n");
  },
  replaces_variables_in_mounts: async (dag) => {
    const ran = built(
      dag,
      "ARG NAME=package.json",
      "RUN --mount=source=$NAME,target=/mnt/${NAME} cat /mnt/package.json > /seen",
    );
    assert.equal(await ran.file("/seen").contents(), "{}");
  },
  refuses_a_mount_of_a_type_it_does_not_know: async (dag, t) => {
    const ran = built(dag, "RUN --mount=type=frobnicate,target=/x true");
    await t.expectError(() => ran.sync(), /unsupported mount type "frobnicate"/);
  },
  runs_a_document_in_the_shell: async (dag) => {
    const ran = built(dag, "RUN <<EOF", "echo one > /seen", "echo two >> /seen", "EOF");
    assert.equal(await ran.file("/seen").contents(), "one\ntwo\n");
  },
  runs_a_document_with_the_program_it_names: async (dag) => {
    const ran = built(dag, "RUN <<EOF", "#!/bin/cat", "text", "EOF");
    await ran.sync();
    const told = built(dag, "RUN <<PROGRAM", "#!/bin/sh -e", 'echo "$0" > /seen', "PROGRAM");
    assert.equal(await told.file("/seen").contents(), "/dev/pipes/PROGRAM\n");
  },
  fails_when_a_document_does_not_end: async (dag, t) => {
    const ran = built(dag, "RUN cat <<EOF", "text");
    await t.expectError(() => ran.sync(), /unterminated heredoc/);
  },
  takes_tabs_off_a_document: async (dag) => {
    const ran = built(dag, "RUN <<-EOF", "\techo one > /seen", "\tEOF");
    assert.equal(await ran.file("/seen").contents(), "one\n");
  },
  gives_a_document_to_a_command: async (dag) => {
    const ran = built(
      dag,
      "RUN --mount=type=tmpfs,target=/t cat <<EOF > /seen && echo more >> /seen",
      "text",
      "EOF",
    );
    assert.equal(await ran.file("/seen").contents(), "text\nmore\n");
  },
});

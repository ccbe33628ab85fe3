import assert from "node:assert/strict";

import { BUSYBOX, topic } from "../case.js";
import { dockerfile } from "../dockerfiles.js";

/** A directory with `inner/hello.txt` in archives of several kinds, and a text that is none. */
const PACK = `mkdir -p /ctx/inner && cd /ctx && echo hello > inner/hello.txt &&
  chown 12:34 inner/hello.txt && chmod 640 inner/hello.txt &&
  tar -cf plain.bin inner && tar -czf zipped.tgz inner && echo text > text.tar.gz && rm -r inner`;

export const dockerfileCopy = topic("dockerfile-copy", {
  copies_nothing_where_a_wildcard_matches_nothing: async (dag) => {
    const built = dag
      .directory()
      .withNewFile("package.json", "{}")
      .withNewFile(
        "Dockerfile",
        [
          `FROM ${BUSYBOX}`,
          "WORKDIR /app",
          "COPY package.json yarn.lock* ./",
          "COPY optional-* /out/",
        ].join("\n"),
      )
      .dockerBuild();
    assert.deepEqual(await built.directory("/app").entries(), ["package.json"]);
    assert.equal(await built.exists("/out"), false);
  },
  fails_when_a_source_without_a_wildcard_is_missing: async (dag, t) => {
    const built = dag
      .directory()
      .withNewFile("Dockerfile", `FROM ${BUSYBOX}\nCOPY missing.txt /\n`)
      .dockerBuild();
    await t.expectError(() => built.sync(), /missing\.txt/);
  },
  fails_when_the_directory_before_a_wildcard_is_missing: async (dag, t) => {
    const built = dag
      .directory()
      .withNewFile("Dockerfile", `FROM ${BUSYBOX}\nCOPY missing/*.txt /out/\n`)
      .dockerBuild();
    await t.expectError(() => built.sync(), /missing/);
  },
  keeps_the_owner_of_what_is_copied_from_a_stage: async (dag) => {
    const built = dockerfile(
      dag,
      `FROM ${BUSYBOX} AS made`,
      "RUN echo x > /f && chown 12:34 /f && chmod 640 /f",
      `FROM ${BUSYBOX}`,
      "COPY --from=made /f /f",
    ).dockerBuild();
    assert.equal(await built.withExec(["stat", "-c", "%u:%g %a", "/f"]).stdout(), "12:34 640\n");
  },
  gives_the_owner_to_the_directory_that_is_copied_into: async (dag) => {
    const built = dag
      .directory()
      .withNewFile("f", "")
      .withNewFile(
        "Dockerfile",
        [
          `FROM ${BUSYBOX}`,
          "RUN mkdir -m 700 /there",
          "COPY --chown=12:34 f /there/",
          "COPY --chown=12:34 f /a/new/",
        ].join("\n"),
      )
      .dockerBuild();
    const stat = ["stat", "-c", "%u:%g %a %n", "/there", "/there/f", "/a", "/a/new"];
    assert.equal(
      await built.withExec(stat).stdout(),
      "12:34 700 /there\n12:34 644 /there/f\n0:0 755 /a\n12:34 755 /a/new\n",
    );
  },
  leaves_out_of_a_directory_what_exclude_names: async (dag) => {
    const built = dag
      .directory()
      .withNewFile("src/a.txt", "")
      .withNewFile("src/b.md", "")
      .withNewFile("src/deep/c.md", "")
      .withNewFile("Dockerfile", `FROM ${BUSYBOX}\nCOPY --exclude=*.md --exclude=deep src /out/\n`)
      .dockerBuild();
    assert.deepEqual(await built.directory("/out").entries(), ["a.txt"]);
  },
  copies_a_file_by_its_name_whatever_exclude_says: async (dag) => {
    const built = dag
      .directory()
      .withNewFile("b.md", "b")
      .withNewFile("Dockerfile", `FROM ${BUSYBOX}\nCOPY --exclude=*.md b.md /out/\n`)
      .dockerBuild();
    assert.equal(await built.file("/out/b.md").contents(), "b");
  },
  keeps_directories_with_parents: async (dag) => {
    const built = dag
      .directory()
      .withNewFile("x/y/a.txt", "a")
      .withNewFile("x/y/b.md", "b")
      .withNewFile("x/z/c.txt", "c")
      .withNewFile(
        "Dockerfile",
        [
          `FROM ${BUSYBOX}`,
          "COPY --parents x/y/a.txt /plain/",
          "COPY --parents x/./*/*.txt /pivot/",
        ].join("\n"),
      )
      .dockerBuild();
    const list = built.withExec(["sh", "-c", "cd / && find plain pivot -type f | sort"]);
    assert.equal(await list.stdout(), "pivot/y/a.txt\npivot/z/c.txt\nplain/x/y/a.txt\n");
  },
  refuses_a_flag_it_does_not_know_by_name: async (dag, t) => {
    const built = dag
      .directory()
      .withNewFile("f", "")
      .withNewFile("Dockerfile", `FROM ${BUSYBOX}\nCOPY --frobnicate=1 f /f\n`)
      .dockerBuild();
    await t.expectError(() => built.sync(), /unknown flag: frobnicate/);
  },
  unpacks_archives_that_are_added: async (_dag, t) => {
    const built = t
      .sh(PACK)
      .directory("/ctx")
      .withNewFile(
        "Dockerfile",
        [
          `FROM ${BUSYBOX}`,
          "ADD plain.bin /plain/",
          "ADD zipped.tgz /zipped",
          "ADD text.tar.gz /text/",
          "COPY zipped.tgz /copied/",
        ].join("\n"),
      )
      .dockerBuild();
    for (const at of ["/plain", "/zipped"]) {
      assert.deepEqual(await built.directory(at).entries(), ["inner/"]);
      const stat = built.withExec(["stat", "-c", "%u:%g %a", `${at}/inner/hello.txt`]);
      assert.equal(await stat.stdout(), "12:34 640\n");
    }
    assert.equal(await built.file("/text/text.tar.gz").contents(), "text\n");
    assert.deepEqual(await built.directory("/copied").entries(), ["zipped.tgz"]);
  },
  adds_an_archive_as_it_is_without_unpack: async (_dag, t) => {
    const built = t
      .sh(PACK)
      .directory("/ctx")
      .withNewFile("Dockerfile", `FROM ${BUSYBOX}\nADD --unpack=false zipped.tgz /out/\n`)
      .dockerBuild();
    assert.deepEqual(await built.directory("/out").entries(), ["zipped.tgz"]);
  },
});

import assert from "node:assert/strict";

import { CacheSharingMode, type Directory } from "@dagger.io/dagger";

import { topic } from "../case.js";

export const volumes = topic("volumes", {
  keep_what_was_written_for_the_next_exec: async (dag, t) => {
    const volume = dag.cacheVolume(t.unique("v"));
    await t
      .fresh()
      .withMountedCache("/v", volume)
      .withExec(["sh", "-c", "echo kept > /v/f"])
      .sync();
    const out = t.fresh().withMountedCache("/elsewhere", volume).withExec(["cat", "/elsewhere/f"]);
    assert.equal(await out.stdout(), "kept\n");
  },
  are_the_same_under_the_same_key: async (dag, t) => {
    const key = t.unique("v");
    const write = t.fresh().withMountedCache("/v", dag.cacheVolume(key));
    await write.withExec(["touch", "/v/f"]).sync();
    const read = t.fresh().withMountedCache("/v", dag.cacheVolume(key)).withExec(["ls", "/v"]);
    assert.equal(await read.stdout(), "f\n");
  },
  differ_under_different_keys: async (dag, t) => {
    const write = t.fresh().withMountedCache("/v", dag.cacheVolume(t.unique("v")));
    await write.withExec(["touch", "/v/f"]).sync();
    const read = t.fresh().withMountedCache("/v", dag.cacheVolume(t.unique("v")));
    assert.equal(await read.withExec(["ls", "/v"]).stdout(), "");
  },
  are_not_in_the_file_system_of_the_result: async (dag, t) => {
    const ran = t
      .fresh()
      .withMountedCache("/v", dag.cacheVolume(t.unique("v")))
      .withExec(["touch", "/v/f"]);
    assert.equal(await ran.rootfs().exists("v/f"), false);
    await t.expectError(() => ran.file("/v/f").contents(), /cannot retrieve path from cache/);
  },
  do_not_make_equal_work_run_again: async (dag, t) => {
    const volume = dag.cacheVolume(t.unique("v"));
    const mark = t.unique();
    const count = (): Promise<string> =>
      t
        .base()
        .withEnvVariable("MARK", mark)
        .withMountedCache("/v", volume)
        .withExec(["sh", "-c", "echo x >> /v/f; wc -l < /v/f"])
        .stdout();
    assert.equal((await count()).trim(), "1");
    assert.equal((await count()).trim(), "1");
  },
  begin_with_mode_and_owner_of_their_source: async (dag, t) => {
    const source = dag
      .directory()
      .withNewDirectory("d", { permissions: 0o700 })
      .chown("d", "12:34")
      .directory("d");
    const stat = await t
      .fresh()
      .withMountedCache("/v", dag.cacheVolume(t.unique("v")), { source })
      .withExec(["stat", "-c", "%u:%g %a", "/v"])
      .stdout();
    assert.equal(stat, "12:34 700\n");
  },
  begin_with_the_content_of_their_source: async (dag, t) => {
    const source = dag.directory().withNewFile("seed", "planted");
    const ran = t
      .fresh()
      .withMountedCache("/v", dag.cacheVolume(t.unique("v")), { source })
      .withExec(["cat", "/v/seed"]);
    assert.equal(await ran.stdout(), "planted");
  },
  belong_to_the_owner_they_were_given: async (dag, t) => {
    const ran = t
      .fresh()
      .withMountedCache("/v", dag.cacheVolume(t.unique("v")), { owner: "1234:5678" })
      .withExec(["stat", "-c", "%u:%g", "/v"]);
    assert.equal(await ran.stdout(), "1234:5678\n");
  },
  are_used_by_one_at_a_time_when_locked: async (dag, t) => {
    const volume = dag.cacheVolume(t.unique("v"));
    const use = (script: string): Promise<string> =>
      t
        .fresh()
        .withMountedCache("/v", volume, { sharing: CacheSharingMode.Locked })
        .withExec(["sh", "-ec", script])
        .stdout();
    const alone = "mkdir /v/in-use; sleep 0.4; rmdir /v/in-use; echo x >> /v/done";
    await Promise.all([use(alone), use(alone), use(alone)]);
    assert.equal(await use("cat /v/done"), "x\nx\nx\n");
  },
  are_used_by_one_at_a_time_when_private: async (dag, t) => {
    const volume = dag.cacheVolume(t.unique("v"), { sharing: CacheSharingMode.Private });
    const use = (name: string): Promise<string> =>
      t
        .fresh()
        .withMountedCache("/v", volume)
        .withExec(["sh", "-ec", `touch /v/${name}; sleep 0.5; ls /v | wc -l`])
        .stdout();
    assert.deepEqual((await Promise.all([use("a"), use("b")])).sort(), ["1\n", "2\n"]);
  },
  are_others_when_they_are_shared_in_another_way: async (dag, t) => {
    const { Locked, Private, Shared } = CacheSharingMode;
    const volume = dag.cacheVolume(t.unique("v"));
    const count = async (sharing?: CacheSharingMode): Promise<string> => {
      const mounted = t.fresh().withMountedCache("/v", volume, { ...(sharing && { sharing }) });
      return (
        await mounted.withExec(["sh", "-ec", "echo x >> /v/x; wc -l < /v/x"]).stdout()
      ).trim();
    };
    for (const sharing of [undefined, Shared, Private, Locked])
      assert.equal(await count(sharing), "1", sharing);
    for (const sharing of [undefined, Shared, Private, Locked])
      assert.equal(await count(sharing), "2", sharing);
  },
  are_others_with_another_owner_or_source: async (dag, t) => {
    const volume = dag.cacheVolume(t.unique("v"));
    const source = (name: string): Directory => dag.directory().withNewFile(name, "");
    const seen = (options: object): Promise<string> =>
      t
        .fresh()
        .withMountedCache("/v", volume, options)
        .withExec(["sh", "-ec", "stat -c %u:%g /v; ls /v; touch /v/x"])
        .stdout();
    assert.equal(await seen({}), "0:0\n");
    assert.equal(await seen({ owner: "1000:1001" }), "1000:1001\n");
    assert.equal(await seen({ source: source("f") }), "0:0\nf\n");
    assert.equal(await seen({ source: source("g") }), "0:0\ng\n");
    assert.equal(await seen({}), "0:0\nx\n");
    const sharing = CacheSharingMode.Shared;
    assert.equal(await seen({ owner: "1000:1001", sharing }), "1000:1001\nx\n");
    assert.equal(await seen({ source: source("f") }), "0:0\nf\nx\n");
  },
  are_shared_as_they_were_given_unless_their_mount_says_otherwise: async (dag, t) => {
    const volume = dag.cacheVolume(t.unique("v"), {
      owner: "12:34",
      sharing: CacheSharingMode.Locked,
    });
    const own = t.fresh().withMountedCache("/v", volume);
    assert.equal(await own.withExec(["stat", "-c", "%u:%g", "/v"]).stdout(), "12:34\n");
    const other = t.fresh().withMountedCache("/v", volume, { owner: "56:78" });
    assert.equal(await other.withExec(["stat", "-c", "%u:%g", "/v"]).stdout(), "56:78\n");
  },
  can_be_locked_and_mounted_twice: async (dag, t) => {
    const volume = dag.cacheVolume(t.unique("v"), { sharing: CacheSharingMode.Locked });
    const ran = t
      .fresh()
      .withMountedCache("/v", volume)
      .withMountedCache("/w", volume)
      .withExec(["sh", "-ec", "touch /v/x; ls /w"]);
    assert.equal(await ran.stdout(), "x\n");
  },
  let_other_mounts_be_put_inside: async (dag, t) => {
    const container = t
      .fresh()
      .withMountedCache("/v", dag.cacheVolume(t.unique("v")))
      .withMountedDirectory("/v/sub", dag.directory().withNewFile("f", "inside"));
    assert.equal(await container.withExec(["cat", "/v/sub/f"]).stdout(), "inside");
    assert.equal(await container.file("/v/sub/f").contents(), "inside");
  },
});

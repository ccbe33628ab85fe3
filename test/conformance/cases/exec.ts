import assert from "node:assert/strict";

import { topic } from "../case.js";

export const exec = topic("exec", {
  gives_stdout_and_stderr_apart: async (_dag, t) => {
    const ran = t.sh("echo out; echo err >&2");
    assert.equal(await ran.stdout(), "out\n");
    assert.equal(await ran.stderr(), "err\n");
  },
  gives_both_streams_as_combined_output: async (_dag, t) => {
    const lines = (await t.sh("echo out; echo err >&2").combinedOutput()).split("\n");
    assert.deepEqual(lines.sort(), ["", "err", "out"]);
  },
  gives_exit_code_zero_after_success: async (_dag, t) => {
    assert.equal(await t.base().withExec(["true"]).exitCode(), 0);
  },
  gives_the_output_of_the_last_exec_only: async (_dag, t) => {
    const ran = t.base().withExec(["echo", "first"]).withExec(["echo", "second"]);
    assert.equal(await ran.stdout(), "second\n");
  },
  keeps_the_output_when_later_steps_run_nothing: async (_dag, t) => {
    const ran = t.base().withExec(["echo", "kept"]).withEnvVariable("A", "1").withNewFile("/f", "");
    assert.equal(await ran.stdout(), "kept\n");
  },
  passes_arguments_as_they_are_without_a_shell: async (_dag, t) => {
    const args = ["$HOME", "*", "a b", "", 'q"q', "back\\slash", "new\nline", "ünïcödé"];
    const out = await t
      .base()
      .withExec(["printf", "[%s]", ...args])
      .stdout();
    assert.equal(out, args.map((arg) => `[${arg}]`).join(""));
  },
  feeds_stdin_and_ends_it: async (_dag, t) => {
    const ran = t.base().withExec(["wc", "-c"], { stdin: "12345\n" });
    assert.equal((await ran.stdout()).trim(), "6");
  },
  gives_an_empty_stdin_by_default: async (_dag, t) => {
    assert.equal(await t.base().withExec(["cat"]).stdout(), "");
  },
  runs_the_default_args_when_none_are_given: async (_dag, t) => {
    const ran = t.base().withDefaultArgs(["echo", "by default"]).withExec([]);
    assert.equal(await ran.stdout(), "by default\n");
  },
  leaves_the_entrypoint_out_unless_asked: async (_dag, t) => {
    const container = t.base().withEntrypoint(["echo", "entry"]);
    assert.equal(await container.withExec(["echo", "x"]).stdout(), "x\n");
    assert.equal(await container.withExec(["x"], { useEntrypoint: true }).stdout(), "entry x\n");
  },
  expands_variables_in_arguments_only_when_asked: async (_dag, t) => {
    const container = t.base().withEnvVariable("WHO", "world");
    assert.equal(await container.withExec(["echo", "${WHO}"]).stdout(), "${WHO}\n");
    const expanded = container.withExec(["echo", "${WHO}"], { expand: true });
    assert.equal(await expanded.stdout(), "world\n");
  },
  fails_to_give_output_before_any_exec: async (_dag, t) => {
    await t.expectError(() => t.base().stdout(), /no command has been set/);
    await t.expectError(() => t.base().stderr(), /no command has been set/);
    await t.expectError(() => t.base().exitCode(), /no command has been set/);
  },
  fails_without_arguments_and_default_args: async (_dag, t) => {
    const empty = t.base().withoutDefaultArgs().withExec([]);
    await t.expectError(() => empty.sync(), /no command has been set/);
  },
  runs_a_static_program_from_scratch: async (dag, t) => {
    const program = t.base().file("/bin/busybox");
    const out = dag
      .container()
      .withFile("/busybox", program)
      .withExec(["/busybox", "echo", "from scratch"]);
    assert.equal(await out.stdout(), "from scratch\n");
    assert.deepEqual((await out.rootfs().entries()).includes("busybox"), true);
  },
  gives_a_process_its_own_process_table: async (_dag, t) => {
    const count = await t.sh("ls -d /proc/[0-9]* | wc -l").stdout();
    assert.ok(Number(count) <= 6, `${count.trim()} processes are visible`);
  },
  gives_none_of_the_hosts_environment: async (_dag, t) => {
    const names = (await t.base().withExec(["env"]).stdout())
      .split("\n")
      .map((line) => line.split("=")[0] ?? "");
    for (const name of ["DAGGER_SESSION_TOKEN", "PWD_OF_HOST", "LOGNAME", "NODE_PATH"]) {
      assert.ok(!names.includes(name), `${name} is visible inside`);
    }
    assert.ok(names.includes("PATH"));
  },
  sets_home_to_the_users_home: async (_dag, t) => {
    assert.equal(await t.sh('echo "$HOME"').stdout(), "/root\n");
  },
  mounts_proc_dev_and_a_writable_tmp: async (_dag, t) => {
    const out = await t
      .sh(
        "test -r /proc/self/status; echo x > /dev/null; head -c4 /dev/urandom | wc -c; echo y > /tmp/f; cat /tmp/f",
      )
      .stdout();
    assert.equal(out.replaceAll(" ", ""), "4\ny\n");
  },
  resolves_localhost_to_the_loopback_interface: async (_dag, t) => {
    const out = await t
      .sh("(echo hi | nc -l -p 9876 &) ; sleep 1; nc localhost 9876 </dev/null")
      .stdout();
    assert.equal(out, "hi\n");
  },
  keeps_a_megabyte_of_output_whole: async (_dag, t) => {
    const out = await t.sh("yes 0123456789abcde | head -n 65536").stdout();
    assert.equal(out.length, 1 << 20);
    assert.ok(out.endsWith("0123456789abcde\n"));
  },
  keeps_output_without_a_newline_and_non_ascii: async (_dag, t) => {
    assert.equal(await t.base().withExec(["printf", "é✓"]).stdout(), "é✓");
  },
  runs_side_by_side_what_waits_for_each_other: async (dag, t) => {
    const volume = dag.cacheVolume(t.unique("meet"));
    const wait = "touch /v/$0; until [ $(ls /v | wc -l) = 4 ]; do sleep 0.1; done; echo met";
    const meet = (name: string): Promise<string> =>
      t.fresh().withMountedCache("/v", volume).withExec(["sh", "-c", wait, name]).stdout();
    const met = await Promise.all(["a", "b", "c", "d"].map(meet));
    assert.deepEqual(met, ["met\n", "met\n", "met\n", "met\n"]);
  },
  gives_more_capabilities_only_when_asked: async (_dag, t) => {
    const command = ["sh", "-c", "grep CapEff /proc/self/status | cut -f2"];
    const plain = BigInt(`0x${(await t.base().withExec(command).stdout()).trim()}`);
    const elevated = t.base().withExec(command, { insecureRootCapabilities: true });
    const all = BigInt(`0x${(await elevated.stdout()).trim()}`);
    const sysAdmin = 1n << 21n;
    assert.equal(plain & sysAdmin, 0n);
    assert.notEqual(all & sysAdmin, 0n);
  },
  gives_devices_and_groups_of_processes_with_all_capabilities: async (_dag, t) => {
    const script = `
for name in kmsg fuse loop0 net/tun; do [ -e /dev/$name ] || echo no $name; done
groups=/sys/fs/cgroup
[ ! -d $groups/pids ] || groups=$groups/pids
mkdir $groups/slipway-$$ 2>/dev/null && rmdir $groups/slipway-$$ && echo written || echo refused`;
    const command = ["sh", "-c", script];
    const plain = await t.base().withExec(command).stdout();
    assert.equal(plain, "no kmsg\nno fuse\nno loop0\nno net/tun\nrefused\n");
    const elevated = t.base().withExec(command, { insecureRootCapabilities: true });
    assert.equal(await elevated.stdout(), "written\n");
  },
  reaps_orphans_with_an_init_unless_told_not_to: async (_dag, t) => {
    const command = ["sh", "-c", "echo $$; true"];
    const withInit = await t.base().withExec(command).stdout();
    assert.equal(await t.base().withExec(command, { noInit: true }).stdout(), "1\n");
    assert.notEqual(withInit, "1\n");
  },
});

import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { chmod, mkdir, readdir, readFile, rename, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { Snapshot } from "../../../ci/engine/store/types.js";
import { Machine } from "./machine.js";

const test = suite("executions");
let machine: Machine;
let source: Snapshot;

test.before(async () => {
  machine = await Machine.start({ HTTPS_PROXY: "http://proxy.example:3128", SECRET: "host" });
  source = await machine.store.layer("source", async (folder) => {
    await mkdir(join(folder, "sub"));
    await chmod(folder, 0o777);
    await writeFile(join(folder, "sub/file"), "content\n");
  });
});
test.after(() => machine.stop());

const upperOf = (folder: string): string[] =>
  execFileSync("find", [folder, "-mindepth", "1", "-printf", "%P\n"], { encoding: "utf8" })
    .trim()
    .split("\n")
    .filter((line) => line !== "")
    .sort();

test("separates both streams and keeps them together too", async () => {
  const { exitCode, stdout, stderr, combined } = await machine.sh(
    "echo one; sleep 0.2; echo two >&2; sleep 0.2; echo three; exit 7",
  );
  assert.is(exitCode, 7);
  assert.is(stdout, "one\nthree\n");
  assert.is(stderr, "two\n");
  assert.is(combined, "one\ntwo\nthree\n");
});

test("death by a signal is 128 and its number", async () => {
  assert.is((await machine.sh("kill -9 $$")).exitCode, 137);
  assert.is((await machine.sh("kill -TERM $$")).exitCode, 143);
});

test("a command that cannot be started fails as in Dagger", async () => {
  const cases: [string[], string][] = [
    [["nope"], 'exec: "nope": executable file not found in $PATH\n'],
    [["/nope"], "fork/exec /nope: no such file or directory\n"],
    [["/etc/passwd"], "fork/exec /etc/passwd: permission denied\n"],
    [["/etc"], "fork/exec /etc: permission denied\n"],
    [["/bin/no-interpreter"], "fork/exec /bin/no-interpreter: no such file or directory\n"],
    [["no-interpreter"], "fork/exec /bin/no-interpreter: no such file or directory\n"],
    [["/bin/garbage"], "fork/exec /bin/garbage: exec format error\n"],
  ];
  for (const [args, message] of cases) {
    const { exitCode, stdout, stderr, combined } = await machine.run(args);
    assert.equal([exitCode, stdout, stderr, combined], [1, "", message, message]);
  }
});

test("fails_when_the_container_cannot_be_made", async () => {
  const mounts = [{ kind: "cache", target: "/v", volumePath: "/does/not/exist" } as const];
  const error = await machine.sh("true", { mounts }).then(
    () => undefined,
    (reason: unknown) => reason as Error,
  );
  assert.match(error?.message ?? "", /^the container could not be started: .*\/does\/not\/exist/);
});

test("a launch that fails while its files are on the way fails alone", async () => {
  const bundle = join(machine.folder, "run/bundle");
  await rename(bundle, `${bundle}.away`);
  // It is a matter of the moment how far they come.
  for (let times = 0; times < 60; times++) {
    const error = await machine.run(["cat"], { stdin: Buffer.alloc(8 << 20) }).then(
      () => undefined,
      (reason: unknown) => reason as Error,
    );
    assert.match(error?.message ?? "", /^the container could not be started: .*bundle/);
  }
  await rename(`${bundle}.away`, bundle);
  assert.is((await machine.sh("true")).exitCode, 0);
});

test("output that looks like the runtime's own words is kept", async () => {
  const { stderr } = await machine.sh("echo 'open executable: not really' >&2");
  assert.is(stderr, "open executable: not really\n");
});

test("nothing of the host's environment is inside, except for the proxy", async () => {
  const { stdout } = await machine.run(["env"], { env: { A: "b c\nd" } });
  assert.equal(stdout.trim().split("\n").sort(), [
    "A=b c",
    "HOME=/root",
    "HTTPS_PROXY=http://proxy.example:3128",
    "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "d",
    "https_proxy=http://proxy.example:3128",
  ]);
});

test("nothing of the host's files and processes is inside", async () => {
  const { stdout } = await machine.sh(
    "cut -d' ' -f2 /proc/mounts; ps -o pid | wc -l; ls /proc/1/root/",
  );
  assert.not.match(stdout, machine.folder);
  assert.match(stdout, /^[2-9]$/m);
  assert.not.match(stdout, /^home$/m);
});

test("devices work, and none can be made", async () => {
  const { stdout, exitCode } = await machine.sh(
    "echo x > /dev/null; head -c 4 /dev/zero | wc -c; mknod /tmp/d c 1 3 2>/dev/null || echo refused",
  );
  assert.equal([stdout, exitCode], ["4\nrefused\n", 0]);
});

test("the standard streams can be opened by name, also by a user", async () => {
  const more = { user: "app", stdin: "in\n" };
  const { stdout, stderr } = await machine.sh(
    "cat /dev/stdin > /dev/stdout; echo e > /dev/stderr",
    more,
  );
  assert.equal([stdout, stderr], ["in\n", "e\n"]);
});

test("standard input comes from text, bytes or a blob, and is empty by default", async () => {
  assert.is((await machine.run(["cat"], { stdin: "text" })).stdout, "text");
  assert.is((await machine.run(["cat"], { stdin: Buffer.from("bytes") })).stdout, "bytes");
  const blob = await machine.store.blobs.put(Buffer.from("blob"));
  assert.is((await machine.run(["cat"], { stdin: { blob: blob.digest } })).stdout, "blob");
  assert.is((await machine.run(["cat"])).stdout, "");
});

test("a user gets its groups, its home, and a working directory made for it", async () => {
  const more = { user: "app", cwd: "/home/app/new/er" };
  const { stdout, rootfs } = await machine.sh(
    "id -u; id -G; echo $HOME; pwd; stat -c %u . ..",
    more,
  );
  assert.equal(stdout.trim().split("\n"), [
    "1000",
    "1000 2000",
    "/home/app",
    "/home/app/new/er",
    "1000",
    "1000",
  ]);
  assert.ok(upperOf(rootfs.upper).includes("home/app/new/er"));
});

test("rejects_users_that_are_not_there", async () => {
  const error = await machine.sh("true", { user: "ghost" }).then(
    () => undefined,
    (reason: unknown) => reason as Error,
  );
  assert.is(error?.message, "unable to find user ghost: no matching entries in passwd file");
});

test("keeps what changed, and only that", async () => {
  const { rootfs } = await machine.sh("echo x > /made; rm /etc/group");
  assert.equal(upperOf(rootfs.upper), ["etc", "etc/group", "made"]);
  assert.ok((await stat(join(rootfs.upper, "etc/group"))).isCharacterDevice());
});

test("mount points that were not there leave no trace", async () => {
  const { rootfs } = await machine.sh("true", {
    mounts: [
      { kind: "temp", target: "/new/tmp" },
      {
        kind: "secret",
        target: "/etc/secret/key",
        content: Buffer.from("k"),
        uid: 0,
        gid: 0,
        mode: 0o400,
      },
    ],
  });
  assert.equal(upperOf(rootfs.upper), []);
  const changed = async (folder: string): Promise<number> =>
    Math.round((await stat(folder)).mtimeMs);
  assert.is(await changed(rootfs.upper), await changed(join(machine.folder, "layers/base")));
});

test("what a mounted folder and file get stays in their own layers", async () => {
  const { stdout, rootfs, mounts } = await machine.sh(
    "cat sub/file /f; echo new > made; echo more >> /f",
    {
      cwd: "/src",
      mounts: [
        { kind: "directory", target: "/src", source, path: "/" },
        { kind: "file", target: "/f", source, path: "/sub/file" },
      ],
    },
  );
  assert.is(stdout, "content\ncontent\n");
  assert.equal(upperOf(rootfs.upper), []);
  assert.equal(upperOf(mounts.get("/src")?.upper ?? ""), ["made"]);
  const file = join(mounts.get("/f")?.upper ?? "", "sub/file");
  assert.is(await readFile(file, "utf8"), "content\nmore\n");
});

test("fails_when_what_to_mount_is_not_there", async () => {
  const mounts = [{ kind: "directory", target: "/src", source, path: "/nope" } as const];
  const error = await machine.sh("true", { mounts }).then(
    () => undefined,
    (reason: unknown) => reason as Error,
  );
  assert.is(error?.message, "cannot mount /nope at /src: no such directory");
});

test("a read-only mount refuses writers", async () => {
  const mounts = [
    { kind: "directory", target: "/src", source, path: "/", readOnly: true } as const,
  ];
  const { exitCode, stderr } = await machine.sh("echo x > /src/made", { mounts });
  assert.is(exitCode, 1);
  assert.match(stderr, "Read-only file system");
});

test("a working directory inside of a mount is made there, for the user", async () => {
  const mounts = [{ kind: "directory", target: "/src", source, path: "/" } as const];
  const { stdout, mounts: drafts } = await machine.sh("stat -c %u .", {
    user: "app",
    cwd: "/src/w",
    mounts,
  });
  assert.is(stdout, "1000\n");
  assert.equal(upperOf(drafts.get("/src")?.upper ?? ""), ["w"]);
});

test("a volume keeps what is written, a tmpfs has its size", async () => {
  const volumePath = join(machine.folder, "volume");
  await mkdir(volumePath);
  const { stdout } = await machine.sh(
    "echo kept > /v/file; df -P /t | tail -1 | awk '{print $2}'",
    {
      mounts: [
        { kind: "cache", target: "/v", volumePath },
        { kind: "temp", target: "/t", size: 8 * 1024 * 1024 },
      ],
    },
  );
  assert.is(stdout, "8192\n");
  assert.is(await readFile(join(volumePath, "file"), "utf8"), "kept\n");
});

test("a secret has its owner and mode, is hidden in all output, and touches no disk", async () => {
  const content = Buffer.from("correct-horse-battery\n");
  const chunks: string[] = [];
  const { stdout, combined } = await machine.sh(
    "stat -c '%u %g %a' /run/key; cat /run/key; echo -n correct-horse; sleep 0.2; echo -battery-$TOKEN >&2",
    {
      env: { TOKEN: "t0ken-in-env" },
      user: "app",
      mounts: [{ kind: "secret", target: "/run/key", content, uid: 1000, gid: 5, mode: 0o400 }],
    },
    {
      secrets: [content, Buffer.from("t0ken-in-env")],
      onOutput: (_stream, chunk) => chunks.push(chunk.toString()),
    },
  );
  assert.match(stdout, /^1000 5 400\n\*\*\*/);
  assert.not.match(combined + chunks.join(""), /correct-horse-battery|t0ken/);
  for (const word of ["correct-horse-battery", "t0ken-in-env"]) {
    // grep ends with 1 when it finds nothing.
    assert.throws(() => execFileSync("grep", ["-rqs", word, machine.folder]), /Command failed/);
  }
});

test("aliases are names of addresses", async () => {
  const { stdout } = await machine.run(["cat", "/etc/hosts"], { aliases: { db: "10.9.8.7" } });
  assert.match(stdout, /^10\.9\.8\.7\tdb$/m);
});

test("orphans are reaped, except without init", async () => {
  const script = "(sh -c 'sleep 0.1 & true') ; sleep 0.5; ps -o stat | grep -c Z";
  assert.is((await machine.sh(script)).stdout, "0\n");
  assert.is((await machine.sh("echo $$", { noInit: true })).stdout, "1\n");
  assert.is.not((await machine.sh("echo $$")).stdout, "1\n");
});

test("what a command leaves in the background ends with it", async () => {
  const { exitCode, stdout } = await machine.sh(
    "sleep 86423 & (setsid sleep 86423 &); echo done; exit 4",
  );
  assert.equal([exitCode, stdout], [4, "done\n"]);
  assert.throws(() => execFileSync("pgrep", ["-f", "sleep 86423"]), /Command failed/);
});

test("all capabilities when asked, few otherwise", async () => {
  const script = "mount -t tmpfs none /tmp && echo mounted";
  assert.is((await machine.sh(script, { insecureRootCapabilities: true })).stdout, "mounted\n");
  assert.is((await machine.sh(script)).stdout, "");
});

test("output of 100 MB streams to the store and does not stay in memory", async () => {
  global.gc?.();
  const before = process.memoryUsage.rss();
  let most = 0;
  const result = await machine.runner.run(
    machine.spec(["sh", "-c", "yes 0123456789 | head -c 104857600"]),
    {
      onOutput: () => (most = Math.max(most, process.memoryUsage.rss())),
    },
  );
  assert.is(result.stdout.size, 104857600);
  const hash = createHash("sha256");
  for await (const chunk of machine.store.stream(result.stdout)) hash.update(chunk as Buffer);
  assert.is(result.stdout.digest, `sha256:${hash.digest("hex")}`);
  assert.ok(most - before < 90 * 1024 * 1024, `grew by ${most - before} bytes`);
});

test("aborting kills the whole tree at once and leaves no draft", async () => {
  const controller = new AbortController();
  const before = await readdir(join(machine.folder, "drafts"));
  const error = await machine
    .sh(
      "(sleep 86421 &) ; echo up; sleep 86421",
      {},
      {
        signal: controller.signal,
        onOutput: () => {
          controller.abort(new Error("enough"));
        },
      },
    )
    .then(
      () => undefined,
      (reason: unknown) => reason as Error,
    );
  assert.is(error?.message, "enough");
  assert.throws(() => execFileSync("pgrep", ["-f", "sleep 86421"]), /Command failed/);
  assert.equal(await readdir(join(machine.folder, "drafts")), before);
});

test("a store that fails to take the output fails the execution", async () => {
  const put = machine.store.blobs.put;
  machine.store.blobs.put = () => Promise.reject(new Error("no space left on device"));
  try {
    const error = await machine.sh("yes | head -c 50000000").then(
      () => undefined,
      (reason: unknown) => reason as Error,
    );
    assert.is(error?.message, "no space left on device");
  } finally {
    machine.store.blobs.put = put;
  }
});

test("many at once do not get in each other's way", async () => {
  const runs = Array.from({ length: 12 }, (_, n) => machine.sh(`echo ${n}; hostname -i || true`));
  const outputs = await Promise.all(runs);
  assert.equal(
    outputs.map(({ stdout }) => Number.parseInt(stdout)),
    runs.map((_, n) => n),
  );
});

test.run();

import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { suite } from "uvu";
import * as assert from "uvu/assert";

import { layerId, SCRATCH } from "../../../ci/engine/store/snapshot.js";
import type { Snapshot } from "../../../ci/engine/store/types.js";
import { close, open, refusal, script, sh, type Scratch } from "./support/scratch.js";

const test = suite<Scratch & { host: string }>("store/host");
test.before.each(async (context) => {
  await open(context);
  context.host = join(context.root, "host");
  await mkdir(context.host);
});
test.after.each(close);

const show = ({ store }: Scratch, snapshot: Snapshot, command: string): Promise<string> =>
  store.view(snapshot, (at) => Promise.resolve(sh(at, command)));

test("imports a folder as root's, with links as they are and every kind of name", async (context) => {
  const { store, host } = context;
  sh(
    host,
    `echo a > a; chown 5:6 a; chmod 640 a; ln a hard; ln -s /etc/passwd link; mkdir -m 711 d; : > d/empty
     echo > "$(printf 'x\\377y')"; echo > 'q "uo'"'"'te'; setfattr -n user.k -v v d; touch -d @77 a`,
  );
  const { length } = (await readdir(host)).toString();
  assert.ok(length > 0);
  const snapshot = await store.importHost(host);
  const details = "find . -mindepth 1 -printf '%m %U %G %n %l %p\\n' | sort";
  const expected = sh(host, details).replaceAll(" 5 6 ", " 0 0 ");
  assert.is(await show(context, snapshot, details), expected);
  assert.is(
    await show(context, snapshot, "getfattr -n user.k --only-values d; stat -c ' %Y' a"),
    "v 77\n",
  );
});

test("gives the same snapshot for the same content, wherever it lies", async ({
  store,
  host,
  root,
}) => {
  sh(host, "mkdir d; echo a > d/a; setfattr -n user.k -v v d/a");
  const first = await store.importHost(host);
  sh(root, "cp -r --preserve=mode,xattr host other; touch -d @3 other/d/a");
  assert.equal(await store.importHost(join(root, "other")), first);
  const seen = new Set([JSON.stringify(first)]);
  for (const change of [
    "setfattr -n user.k -v w d/a",
    "chmod 600 d/a",
    "echo b > d/a",
    "mv d/a d/b",
    "ln -s a d/l",
  ]) {
    sh(host, change);
    seen.add(JSON.stringify(await store.importHost(host)));
  }
  assert.is(seen.size, 6);
});

test("sees each change, also of the same length and at the same second", async (context) => {
  const { store, host } = context;
  for (let n = 10; n < 30; n++) {
    await writeFile(join(host, "f"), String(n));
    const snapshot = await store.importHost(host);
    assert.is(await show(context, snapshot, "cat f"), String(n));
  }
});

test("shares unchanged files with the import before", async (context) => {
  const { store, host } = context;
  sh(host, "mkdir d; echo same > d/same; echo 1 > d/changes; touch -d @9 d/same d");
  // Files that changed this moment are read again the next time.
  await new Promise((resolve) => setTimeout(resolve, 150));
  const first = await store.importHost(host);
  sh(host, "echo 2 > d/changes; touch -d @9 d");
  const second = await store.importHost(host);
  const inode = (snapshot: Snapshot): Promise<string> =>
    show(context, snapshot, "stat -c %i d/same");
  assert.is(await inode(second), await inode(first));
  assert.is(await show(context, second, "cat d/*; stat -c %Y d"), "2\nsame\n9\n");
  assert.is(await show(context, first, "cat d/changes"), "1\n");
});

test("filters what it imports, and takes a single file under its name", async (context) => {
  const { store, host } = context;
  sh(
    host,
    "mkdir -p src .git; echo 1 > src/a.py; echo > src/b.txt; echo > .git/HEAD; printf '*.txt' > .gitignore",
  );
  const options = { exclude: [".git"], gitignore: true };
  const tree = await store.importHost(host, options);
  assert.is(await show(context, tree, "find . -type f | sort"), "./.gitignore\n./src/a.py\n");
  const file = await store.importHost(join(host, "src/a.py"));
  assert.is(await show(context, file, "cat ./*"), "1\n");
  assert.equal(await store.importHost(join(host, ".git"), { include: ["none"] }), SCRATCH);
  assert.match(await refusal(store.importHost(join(host, "nope"))), /nope does not exist/);
});

test("says that a folder is being changed while it is read", async ({ store, host }) => {
  let stop = false;
  await writeFile(join(host, "big"), Buffer.alloc(8 << 20));
  const scribble = async (): Promise<void> => {
    for (let n = 0; !stop; n++) await writeFile(join(host, "big"), Buffer.alloc((8 << 20) + n));
  };
  const scribbling = scribble();
  const imported = refusal(store.importHost(host));
  const said = await imported.finally(() => (stop = true));
  await scribbling;
  assert.match(said, /is being changed while it is read/);
});

test("exports a file at once, and a folder into what is there", async ({ store, root }) => {
  const build =
    "mkdir -p d/e; echo new > d/f; echo x > d/e/x; ln -s f d/l; chmod 600 d/f; chown 7:8 d/f; ln d/f d/hard";
  const snapshot = await store.mutate(SCRATCH, layerId("e"), script(build));
  const out = join(root, "out");
  sh(root, "mkdir -p out/other out/l; echo old > out/f; echo kept > out/kept; ln -s other out/e");
  await store.exportTo(snapshot, "d", out);
  assert.is(
    sh(out, "ls -A; cat f kept; readlink l; stat -c '%a %u %h' f; ls other e"),
    "e\nf\nhard\nkept\nl\nother\nnew\nkept\nf\n600 0 2\ne:\nx\n\nother:\n",
  );
  await store.exportTo(snapshot, "d", out, { wipe: true });
  assert.is(sh(out, "ls -A"), "e\nf\nhard\nl\n");
  await store.exportTo(snapshot, "d/f", join(root, "made/too/f"), { permissions: 0o644 });
  assert.is(sh(root, "cat made/too/f; stat -c %a made/too/f; ls -A made/too"), "new\n644\nf\n");
  await store.exportTo(snapshot, "d", join(root, "made/fresh"));
  assert.is(sh(root, "ls made/fresh; ls -A made"), "e\nf\nhard\nl\nfresh\ntoo\n");
  assert.match(
    await refusal(store.exportTo(snapshot, "d/f", out)),
    /a file to .*, which is a directory/,
  );
  assert.match(
    await refusal(store.exportTo(snapshot, "nope", out)),
    /^\/?nope: no such file or directory/,
  );
  assert.is(sh(out, "ls -A"), "e\nf\nhard\nl\n");
});

test("exports a file into a device or a pipe, and behind a link, and takes the place of neither", async ({
  store,
  root,
}) => {
  const snapshot = await store.mutate(SCRATCH, layerId("s"), script("echo new > f"));
  sh(root, "mknod null c 1 3; mkfifo pipe; echo old > file; ln -s file link");
  await store.exportTo(snapshot, "f", join(root, "null"));
  const [read] = await Promise.all([
    readFile(join(root, "pipe"), "utf8"),
    store.exportTo(snapshot, "f", join(root, "pipe")),
  ]);
  assert.is(read, "new\n");
  await store.exportTo(snapshot, "f", join(root, "link"));
  assert.is(
    sh(root, "stat -c %F null pipe; readlink link; cat file"),
    "character special file\nfifo\nfile\nnew\n",
  );
});

test.run();

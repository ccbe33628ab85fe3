import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { suite } from "uvu";
import * as assert from "uvu/assert";

import { copyTree, digestTree, resolveIn } from "../../../ci/engine/store/tree.js";
import { refusal, sh } from "./support/scratch.js";

interface Context {
  root: string;
  from: string;
  to: string;
}

const test = suite<Context>("store/tree");
test.before.each(async (context) => {
  context.root = await mkdtemp(join(tmpdir(), "slipway-tree-"));
  context.from = join(context.root, "from");
  context.to = join(context.root, "to");
  await Promise.all([mkdir(context.from), mkdir(context.to)]);
});
test.after.each(({ root }) => rm(root, { recursive: true, force: true }));

const names = (at: string): string[] =>
  sh(at, "find . -mindepth 1 | LC_ALL=C sort")
    .trim()
    .split("\n")
    .map((name) => name.slice(2));

test("resolves links inside of the root, also absolute ones and those that climb", async ({
  to,
}) => {
  sh(
    to,
    "mkdir -p usr/lib/x; ln -s usr/lib lib; ln -s /lib/x abs; ln -s ../../../../usr up; ln -s abs chain",
  );
  assert.is(await resolveIn(to, "/lib/x"), join(to, "usr/lib/x"));
  assert.is(await resolveIn(to, "chain"), join(to, "usr/lib/x"));
  assert.is(await resolveIn(to, "up/lib/../../../.."), to);
  assert.is(await resolveIn(to, "/chain", { follow: false }), join(to, "chain"));
  assert.is(await resolveIn(to, "up/new/file", { missing: "allow" }), join(to, "usr/new/file"));
  await resolveIn(to, "up/made/deep", {
    missing: "create",
    owner: { uid: 5, gid: 6 },
    mode: 0o750,
  });
  assert.is(sh(to, "stat -c '%a %u %g' usr/made/deep"), "750 5 6\n");
});

test("names the container's path when it cannot be resolved", async ({ to }) => {
  sh(to, "echo > file; ln -s loop loop; ln -s gone dangling");
  assert.is(await refusal(resolveIn(to, "/no/such")), "/no/such: no such file or directory");
  assert.match(await refusal(resolveIn(to, "file/x")), /^\/file\/x .*\/file is not a directory/);
  assert.match(await refusal(resolveIn(to, "loop")), /\/loop goes through too many links/);
  assert.is(await refusal(resolveIn(to, "dangling")), "/dangling: no such file or directory");
});

test("copies a folder's content with all that belongs to its files", async ({ from, to }) => {
  sh(
    from,
    `mkdir -m 1777 d; echo a > d/a; ln d/a b; chmod 4711 b; chown 3:4 b; ln -s /nowhere d/l; mkfifo d/p
     setfattr -n user.k -v v d/a; touch -d @12.5 d/a; mknod d/c c 1 3; touch -h -d @7 d/l; touch -d @9 d
     echo o > "$(printf 'od\\377d\\nname')"`,
  );
  await copyTree(from, "/", to, "/deep/er");
  const show =
    "find . -mindepth 1 -printf '%y %m %U %G %n %T@ %l %p\\n' | sort; getfattr -n user.k -d d/a b";
  assert.is(sh(join(to, "deep/er"), show), sh(from, show));
});

test("copies one file over a file or a link, and follows links only on the way", async ({
  from,
  to,
  root,
}) => {
  await writeFile(join(from, "f"), "new");
  sh(to, `mkdir real; ln -s real way; ln -s '${join(root, "outside")}' real/target`);
  await copyTree(from, "f", to, "/way/target", { owner: { uid: 1, gid: 2 }, permissions: 0o640 });
  assert.is(
    sh(to, "cat real/target; stat -c ' %a %u %g %F' real/target"),
    "new 640 1 2 regular file\n",
  );
  assert.not.ok(existsSync(join(root, "outside")));
  assert.match(await refusal(copyTree(from, "f", to, "/real")), /over \/real: it is a directory/);
});

test("merges into what is there, keeps existing folders, refuses another type", async ({
  from,
  to,
  root,
}) => {
  sh(from, "mkdir -p d/e; echo new > d/f; echo x > d/e/x");
  sh(to, "mkdir -m 700 d; echo old > d/f; echo stays > d/g");
  await copyTree(from, "/", to, "/");
  assert.is(sh(to, "cat d/f d/g d/e/x; stat -c %a d"), "new\nstays\nx\n700\n");
  sh(to, `rm -r d/e; mkdir '${join(root, "outside")}'; ln -s '${join(root, "outside")}' d/e`);
  assert.match(await refusal(copyTree(from, "/", to, "/")), /d\/e: it is not a directory/);
  assert.equal(await readdir(join(root, "outside")), []);
  await copyTree(from, "/", to, "/", { conflict: "replace" });
  assert.is(await readFile(join(to, "d/e/x"), "utf8"), "x\n");
  assert.equal(await readdir(join(root, "outside")), []);
});

test("follows_links_to_folders_inside_of_the_root_and_gives_them_the_attributes_of_the_source", async ({
  from,
  to,
}) => {
  sh(
    from,
    "mkdir -m 711 bin; mkdir -m 750 d; echo x > bin/x; echo y > y; mkdir -p abs/deep; touch abs/deep/z",
  );
  sh(to, "mkdir -p usr/bin d; ln -s usr/bin bin; ln -s /usr abs");
  await copyTree(from, "/", to, "/", { conflict: "replace" });
  assert.is(
    sh(to, "readlink bin abs; cat usr/bin/x y; ls usr/deep; stat -c %a usr/bin d"),
    "usr/bin\n/usr\nx\ny\nz\n711\n750\n",
  );
});

test("gives owner and mode to what it copies and the folders it makes", async ({ from, to }) => {
  sh(from, "mkdir d; echo > d/f");
  await copyTree(from, "/", to, "/a/b", { owner: { uid: 1000, gid: 1001 } });
  assert.is(sh(to, "find . -mindepth 1 -printf '%U %G\\n' | sort -u"), "1000 1001\n");
});

const FILES = [
  "a.py",
  "b.txt",
  "src/c.py",
  "src/deep/d.py",
  "src/deep/e.txt",
  "Upper/F.PY",
  "empty/",
];
const FILTERS: [string, Parameters<typeof copyTree>[4], string[]][] = [
  ["by name", { include: ["a.py"] }, ["a.py"]],
  [
    "a folder and all in it",
    { include: ["src/deep"] },
    ["src", "src/deep", "src/deep/d.py", "src/deep/e.txt"],
  ],
  [
    "by pattern at any depth",
    { include: ["**/*.py"] },
    ["a.py", "src", "src/c.py", "src/deep", "src/deep/d.py"],
  ],
  ["by pattern in one folder", { include: ["src/*.py"] }, ["src", "src/c.py"]],
  ["nothing with a leading slash", { include: ["/src/c.py"] }, [""]],
  [
    "without what is excluded",
    { exclude: ["src", "**/*.PY", "empty"] },
    ["Upper", "a.py", "b.txt"],
  ],
  [
    "excluded but for exceptions",
    { exclude: ["**", "!src/deep/*.txt"] },
    ["src", "src/deep", "src/deep/e.txt"],
  ],
  ["included and not excluded", { include: ["src"], exclude: ["**/deep"] }, ["src", "src/c.py"]],
  ["nothing when nothing matches", { include: ["nope/**"] }, [""]],
];
for (const [what, options, expected] of FILTERS) {
  test(`filters ${what}`, async ({ from, to }) => {
    for (const name of FILES) {
      sh(
        from,
        name.endsWith("/") ? `mkdir -p ${name}` : `mkdir -p "$(dirname ${name})"; echo > ${name}`,
      );
    }
    await copyTree(from, "/", to, "/", options);
    assert.equal(names(to), expected);
  });
}

test("obeys .gitignore files in each folder", async ({ from, to }) => {
  sh(
    from,
    `mkdir -p keep/build build sub/node_modules; echo > build/x; echo > keep/build/y; echo > sub/node_modules/m
     echo > sub/a.log; echo > sub/b.log; echo > c.log; printf '/build/\\n*.log\\nnode_modules\\n' > .gitignore
     printf '!b.log\\n' > sub/.gitignore`,
  );
  await copyTree(from, "/", to, "/", { gitignore: true });
  assert.equal(names(to), [
    ".gitignore",
    "keep",
    "keep/build",
    "keep/build/y",
    "sub",
    "sub/.gitignore",
    "sub/b.log",
  ]);
});

test("digests names, types, modes, owners, targets and contents, and not times", async ({
  from,
  to,
}) => {
  const base = "mkdir d; echo a > d/a; ln -s a d/l; touch -d @5 d/a";
  const digest = async (script: string, metadata = true): Promise<string> => {
    await rm(to, { recursive: true });
    await mkdir(to);
    sh(to, script);
    return digestTree(to, "/", { metadata });
  };
  sh(from, base);
  const same = await digestTree(from, "/");
  assert.is(await digest(`${base}; touch d/a d`), same);
  const seen = new Set([same]);
  for (const change of [
    "mv d/a d/b",
    "echo b > d/a",
    "chmod 600 d/a",
    "chown 1 d",
    "ln -sfn b d/l",
    "mkdir e",
    "rm d/l; echo -n a > d/l",
    "rm d/a; mkdir d/a",
  ]) {
    seen.add(await digest(`${base}; ${change}`));
  }
  assert.is(seen.size, 9);
  const plain = await digest(base, false);
  assert.is(await digest(`${base}; chmod 600 d/a; chown 1 d`, false), plain);
  sh(to, "head -c 3000000 /dev/zero > big; cp big other");
  assert.is(await digestTree(to, "big"), await digestTree(to, "other"));
});

test.run();

import { suite } from "uvu";
import * as assert from "uvu/assert";
import { refuseUnseen, sessionFlags } from "../../ci/cli/session/flags.js";

const test = suite("cli/session flags");

const read = (line: string): Record<string, string> =>
  Object.fromEntries(sessionFlags(line.split(" ")));

test("finds the flags that decide how to begin wherever they stand", () => {
  assert.equal(read("lint -q --engine embedded --progress=plain"), {
    quiet: "true",
    engine: "embedded",
    progress: "plain",
  });
  assert.equal(read("publish --overwrite -q --json --engine=dagger"), {
    quiet: "true",
    engine: "dagger",
  });
  assert.equal(read("greet --name x -m ./other"), { mod: "./other" });
});

test("takes the value of a flag for no flag", () => {
  assert.equal(read("--args -q --args -m --args slow"), {});
  assert.equal(read("--args --quiet"), {});
  assert.equal(read("--output -q"), {});
  assert.equal(read("--args -q -q"), { quiet: "true" });
});

test("goes by a flag's whole name where nobody knows which flags of a module take values", () => {
  assert.equal(read("-m ./other speak --loud --engine embedded"), {
    mod: "./other",
    engine: "embedded",
  });
});

test("refuses a flag that was taken for the value of the one before", () => {
  const words = ["-m", "./other", "speak", "--loud", "-q"];
  const own = new Map([
    ["mod", "./other"],
    ["quiet", "true"],
  ]);
  assert.throws(() => {
    refuseUnseen(words, own);
  }, /--quiet could be the value of the flag before it/);
  refuseUnseen(["-m", "./other", "-q", "speak", "--loud"], own);
});

test.run();

import { suite } from "uvu";
import * as assert from "uvu/assert";

import { heldToDeclared, includedFiles } from "../../../src/core/project/declared-hashes.js";
import { raises } from "../raises.js";

const test = suite("declared hashes");

const [GOOD, OTHER, WHEEL] = ["a", "b", "c"].map((digit) => `sha256:${digit.repeat(64)}`);

/** As uv writes it. */
const RESOLVED = [
  "demo-pkg==1.0 ; python_version >= '3.11' \\",
  `    --hash=${GOOD} \\`,
  `    --hash=${WHEEL}`,
  "free==2.0 \\",
  `    --hash=${OTHER}`,
  "",
].join("\n");

test("keeps_of_a_package_the_hashes_that_are_declared_and_all_of_others", () => {
  const held = heldToDeclared(RESOLVED, [`Demo_Pkg[extra]==1.0 --hash=${GOOD}\n`]);
  assert.is(
    held,
    [
      "demo-pkg==1.0 ; python_version >= '3.11' \\",
      `    --hash=${GOOD}`,
      "free==2.0 \\",
      `    --hash=${OTHER}`,
      "",
    ].join("\n"),
  );
});

test("refuses_a_package_whose_files_are_other_ones_than_declared", () => {
  const pinned = `demo-pkg==1.0 \\\r\n    --hash=${OTHER}\r\n`;
  const said = raises("LOCK", () => heldToDeclared(RESOLVED, ["free\n", pinned]));
  assert.match(said, /other files than the hashes .* of demo-pkg==1\.0\. Nothing was installed/);
});

test("leaves_what_declares_no_hashes_as_it_is", () => {
  assert.is(heldToDeclared(RESOLVED, ["demo-pkg==1.0\nfree>=1\n"]), RESOLVED);
  assert.is(heldToDeclared(RESOLVED, []), RESOLVED);
});

test("asks_nothing_of_another_version_than_the_declared_one", () => {
  assert.is(heldToDeclared(RESOLVED, [`demo-pkg==0.9 --hash=${OTHER}\n`]), RESOLVED);
});

test("finds_the_files_that_a_file_takes_in", () => {
  const text =
    "-r base.txt\n--requirement=more/dev.txt # for tests\n-c limits.txt\nrich==1\n-r https://x.example/r.txt\n";
  assert.equal(includedFiles(text), ["base.txt", "more/dev.txt", "limits.txt"]);
});

test.run();

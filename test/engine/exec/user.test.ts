import { test } from "uvu";
import * as assert from "uvu/assert";
import { resolveUser } from "../../../ci/engine/exec/user.js";

const PASSWD = "root:x:0:0:root:/root:/bin/sh\napp:x:1000:1001::/home/app:/bin/sh\nbroken\n";
const GROUP = "root:x:0:root\nwheel:x:10:root,app\napp:x:1001:\nextra:x:2000:app\n";
const resolve = (user: string): unknown => resolveUser(user, PASSWD, GROUP);

test("nobody named is root with root's groups", () => {
  assert.equal(resolve(""), { uid: 0, gid: 0, groups: [0, 10] });
});

test("a name brings its group and the groups that list it", () => {
  assert.equal(resolve("app"), { uid: 1000, gid: 1001, groups: [1001, 10, 2000] });
});

test("a known number is as good as its name", () => {
  assert.equal(resolve("1000"), resolve("app"));
});

test("an unknown number is a user of group 0", () => {
  assert.equal(resolve("4711"), { uid: 4711, gid: 0, groups: [0] });
});

test("a named group replaces all others", () => {
  assert.equal(resolve("app:extra"), { uid: 1000, gid: 2000, groups: [2000] });
  assert.equal(resolve("app:77"), { uid: 1000, gid: 77, groups: [77] });
});

test("two numbers need no files", () => {
  assert.equal(resolveUser("5:6", "", ""), { uid: 5, gid: 6, groups: [6] });
});

test("rejects_names_that_are_not_there", () => {
  assert.throws(
    () => resolve("ghost"),
    "unable to find user ghost: no matching entries in passwd file",
  );
  assert.throws(
    () => resolve("app:ghosts"),
    "unable to find group ghosts: no matching entries in group file",
  );
});

test.run();

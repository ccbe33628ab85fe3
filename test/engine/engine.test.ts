import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { homedir, tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { Engine } from "../../ci/engine/engine.js";
import { mirrorUrl } from "../../ci/engine/images/client.js";
import { cacheFolder } from "../../ci/engine/options.js";

const test = suite("engine");
const root = await mkdtemp(join(tmpdir(), "slipway-engine-"));
test.after(() => rm(root, { recursive: true }));

test("leaves_the_folder_of_an_engine_that_it_cannot_see_alone", async () => {
  const engine = await Engine.open({ root, mirrors: {} });
  const scratch = await engine.scratchFolder();
  const other = join(root, "other.mts");
  const module = JSON.stringify(resolve("ci/engine/engine.ts"));
  await writeFile(
    other,
    `import { Engine } from ${module};
await (await Engine.open({ root: ${JSON.stringify(root)}, mirrors: {} })).close();
process.exit(0);`,
  );
  const unshare = ["--pid", "--fork", "--mount-proc", process.execPath, "--import", "tsx", other];
  try {
    await promisify(execFile)("unshare", unshare);
    assert.ok((await stat(scratch)).isDirectory());
  } finally {
    await engine.close();
  }
  assert.not.ok(existsSync(scratch), "its folder goes with the engine");
});

test("keeps_its_cache_where_the_variables_say_and_empty_ones_say_nothing", () => {
  assert.is(cacheFolder({ SLIPWAY_CACHE: "cache" }), resolve("cache"));
  const users = join(homedir(), ".cache", "slipway");
  assert.is(cacheFolder({ SLIPWAY_CACHE: "", XDG_CACHE_HOME: "" }), users);
  assert.is(cacheFolder({ SLIPWAY_CACHE: "", XDG_CACHE_HOME: "/x" }), "/x/slipway");
});

test("takes_a_mirror_without_a_scheme_for_what_it_is", () => {
  assert.is(mirrorUrl("127.0.0.1:5417").href, "http://127.0.0.1:5417/");
  assert.is(mirrorUrl("mirror.example/hub").href, "https://mirror.example/hub");
});

test.run();

import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { suite } from "uvu";
import * as assert from "uvu/assert";

interface Types {
  readonly get: (registers: boolean) => Promise<unknown>;
  readonly keep: () => Promise<void>;
}

const PROGRAM = new URL("../../ci/engine/modules/introspection.mjs", import.meta.url).href;
const { typesOf } = (await import(PROGRAM)) as {
  typesOf: (sdk: object, module: object) => Types;
};

class Kind {
  /** The compiler's own, which refers to itself. */
  readonly node: object = this;

  constructor(
    readonly name: string,
    readonly more: unknown,
  ) {}

  order(): string {
    return this.name;
  }
}

/** An SDK that reads `found`, and counts how often it does. */
function sdkOf(found: unknown): { sdk: object; scans: () => number } {
  let scans = 0;
  const scan = (): Promise<unknown> => {
    scans += 1;
    console.warn("a default cannot be read");
    return Promise.resolve(found);
  };
  return { sdk: { scan, load: () => Promise.resolve(), classes: { Kind } }, scans: () => scans };
}

const folder = await mkdtemp(join(tmpdir(), "slipway-types-"));
const test = suite("types that are kept");
test.after(() => rm(folder, { recursive: true }));

let files = 0;
const place = (): object => ({ files: [], name: "m", types: join(folder, String(files++)) });

test("are_read_once_and_come_back_with_their_classes", async () => {
  const types = new Kind("a", { node: ["b", 2, null, true], inner: new Kind("c", undefined) });
  const { sdk, scans } = sdkOf(types);
  const module = place();
  const first = typesOf(sdk, module);
  assert.is(await first.get(false), types);
  assert.is(await first.get(false), types);
  await first.keep();
  const again = (await typesOf(sdk, module).get(false)) as Kind;
  assert.is(scans(), 1);
  assert.instance(again, Kind);
  assert.is(again.order(), "a");
  const { node, inner } = again.more as { node: unknown; inner: Kind };
  assert.equal(
    node,
    ["b", 2, null, true],
    "a name of the module's own is no matter of the compiler",
  );
  assert.is(inner.order(), "c");
});

test("are_read_anew_to_register_the_module", async () => {
  const { sdk, scans } = sdkOf(new Kind("a", 1));
  const module = place();
  await typesOf(sdk, module).keep();
  assert.is((await typesOf(sdk, module).get(true)) instanceof Kind, true);
  assert.is(scans(), 2);
});

test("are_not_kept_when_they_would_come_back_otherwise", async () => {
  for (const more of [Number.NaN, 1n, new Date(0), [undefined]]) {
    const { sdk, scans } = sdkOf(new Kind("a", more));
    const module = place();
    await typesOf(sdk, module).keep();
    await typesOf(sdk, module).get(false);
    assert.is(scans(), 2, String(more));
  }
  assert.is((await readdir(folder)).length, 2, "of the two tests before");
});

test.run();

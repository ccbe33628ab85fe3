import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

import { suite } from "uvu";
import * as assert from "uvu/assert";

import { COMPILED } from "../../ci/compile/compile.js";
import { slipway } from "../cli/command.js";

const CODE = `import { dag, func, object } from "@dagger.io/dagger";
import { place } from "older";

export enum Color {
  /** Like the sky */
  Blue = "blue",
  Red = "red",
}

export type Pair = { left: string; right: number };

const unknown = () => 3;

/** Says things */
@object()
export class Said {
  @func("renamed")
  field = "";

  constructor() {
    this.field = "of another name";
  }

  /** Says a word */
  @func()
  word(word: string = "hello", times = 2, color: Color = Color.Blue): string {
    const said = Array.from({ length: times }, () => word);
    return [...said, color].join(" ");
  }

  @func()
  async several(words: string[], last?: string): Promise<string[]> {
    return await Promise.resolve([...words, last ?? "none"]);
  }

  /** Says what it returns nowhere */
  @func()
  inferred() {
    return new Date(0).toISOString();
  }

  @func()
  places(): string[] {
    return [import.meta.url, place()];
  }

  @func()
  pair(): Pair {
    return { left: "one", right: 2 };
  }

  @func()
  late(times = unknown()): number {
    if (times === 3) throw new Error("too late");
    return times;
  }

  @func()
  file(): string {
    const made = dag.directory();
    return typeof made.file;
  }
}
`;

interface Module {
  readonly folder: string;
  /** `slipway` on the module, with a cache that knows nothing of it. */
  readonly call: (...words: string[]) => ReturnType<typeof slipway>;
  /** The same, with the cache of the call before. */
  readonly again: (...words: string[]) => ReturnType<typeof slipway>;
}

async function withModule(code: string, work: (module: Module) => Promise<void>): Promise<void> {
  const scratch = await mkdtemp(join(tmpdir(), "slipway-compile-"));
  const folder = join(scratch, "said");
  const put = async (name: string, text: string): Promise<void> => {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), text);
  };
  try {
    await put(
      "dagger.json",
      JSON.stringify({ name: "said", engineVersion: "v0.21.8", sdk: { source: "typescript" } }),
    );
    await put("package.json", JSON.stringify({ type: "module" }));
    await put("src/index.ts", code);
    await put("node_modules/older/package.json", JSON.stringify({ name: "older" }));
    await put("node_modules/older/index.js", "exports.place = () => __filename;\n");
    let caches = 0;
    const again: Module["again"] = (...words) =>
      slipway(["--engine", "embedded", "--mod", folder, ...words], {
        env: { SLIPWAY_CACHE: join(scratch, `cache-${caches}`) },
      });
    const call: Module["call"] = (...words) => {
      caches += 1;
      return again(...words);
    };
    await work({ folder, call, again });
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

const test = suite("a module, compiled");

test("has_the_same_functions_for_the_first_process_and_for_the_next", async () => {
  await withModule(CODE, async ({ call }) => {
    const first = await call("functions", "--output", "json");
    const second = await call("functions", "--output", "json");
    assert.is(first.code, 0, first.stderr);
    assert.is(second.stdout, first.stdout);
    for (const name of ["word", "several", "inferred", "places"])
      assert.match(second.stdout, `"${name}"`);
  });
});

test("answers_the_same_in_the_first_process_and_in_the_next", async () => {
  await withModule(CODE, async ({ call }) => {
    const words: [string[], string][] = [
      [["word"], "hello hello blue"],
      [["word", "--word", "a", "--times", "3", "--color", "Red"], "a a a red"],
      [["several", "--words", "a,b", "--output", "json"], '["a","b","none"]'],
      [["inferred"], "1970-01-01T00:00:00.000Z"],
      [["file"], "function"],
      [["renamed"], "of another name"],
      [["pair", "right"], "2"],
      [["late", "--times", "4"], "4"],
    ];
    for (const [args, wanted] of words) {
      const { stdout, stderr } = await call("call", ...args);
      assert.is(stdout.trim().replace(/\s+(?=["\]])/g, ""), wanted, stderr);
    }
  });
});

test("finds_the_types_that_the_process_kept_which_registered_it", async () => {
  await withModule(CODE, async ({ folder, call, again }) => {
    for (const [run, times] of [
      [call, "1"],
      [again, "2"],
    ] as const)
      assert.is((await run("call", "word", "--times", times)).code, 0);
    const compiled = join(COMPILED, "modules");
    const places = await Promise.all(
      (await readdir(compiled)).map(async (name) => ({
        names: await readdir(join(compiled, name)),
        code: await readFile(join(compiled, name, "module.mjs"), "utf8").catch(() => ""),
      })),
    );
    const own = places.filter(({ code }) => code.includes(folder));
    assert.is(own.length, 1);
    assert.is(own[0]?.names.filter((name) => name.startsWith("types-")).length, 1);
  });
});

test("says_in_each_process_what_it_cannot_read_of_the_types", async () => {
  await withModule(CODE, async ({ call }) => {
    for (const nth of ["first", "second"]) {
      const { stderr } = await call("call", "late");
      assert.match(stderr, /default value 'unknown\(\)' at \S+ cannot be resolved/, nth);
    }
  });
});

test("finds_a_mistake_in_the_types_in_each_process", async () => {
  await withModule(
    CODE.replace("late(times = unknown())", "late(times: Date)"),
    async ({ call }) => {
      for (const nth of ["first", "second"]) {
        const { code, stderr } = await call("call", "word");
        assert.is(code, 3, nth);
        assert.match(stderr, "could not resolve type reference for Date", nth);
      }
    },
  );
});

test("tells_a_file_where_its_source_is", async () => {
  await withModule(CODE, async ({ folder, call }) => {
    const { stdout, stderr } = await call("call", "places", "--output", "json");
    assert.equal(
      JSON.parse(stdout),
      [`file://${folder}/src/index.ts`, join(folder, "node_modules/older/index.js")],
      stderr,
    );
  });
});

test("fails_with_the_place_of_a_mistake_in_its_code", async () => {
  await withModule(CODE.replace("const said =", "const const ="), async ({ folder, call }) => {
    const { code, stderr } = await call("call", "word");
    assert.is(code, 3);
    assert.match(stderr, "module said: it cannot be compiled");
    assert.match(stderr, "src/index.ts:27:");
    // And it is not taken for compiled the next time.
    const again = await call("call", "word");
    assert.match(again.stderr, "it cannot be compiled");
    await writeFile(join(folder, "src/index.ts"), CODE);
    const mended = await call("call", "word");
    assert.is(mended.stdout.trim(), "hello hello blue", mended.stderr);
  });
});

test("fails_with_what_a_file_throws_when_it_is_loaded", async () => {
  await withModule(`${CODE}\nthrow new Error("not today");\n`, async ({ call }) => {
    const { code, stderr } = await call("call", "word");
    assert.is(code, 3);
    assert.match(stderr, "not today");
  });
});

test("fails_for_a_package_that_is_not_installed", async () => {
  await withModule(CODE.replace('"older"', '"absent"'), async ({ call }) => {
    const { code, stderr } = await call("call", "word");
    assert.is(code, 3);
    assert.match(stderr, /Could not resolve "absent"/);
  });
});

test("waits_for_what_its_files_await", async () => {
  const code = `${CODE}\nexport const late = await new Promise((done) => setTimeout(() => done(1), 20));\n`;
  await withModule(code, async ({ call }) => {
    const { stdout, stderr } = await call("call", "word");
    assert.is(stdout.trim(), "hello hello blue", stderr);
  });
});

test.run();

import { randomBytes } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";

import { PREDICATE_NAMES } from "../../src/core/attestations/names.js";
import type { Session } from "../cli/session/open.js";
import { ADVISORIES } from "../sandbox/advisories.js";
import { makeDatabase } from "../sandbox/database.js";
import { startRegistry } from "../sandbox/registry.js";
import { handTools } from "./evidence-by-hand.js";
import { machinePython } from "./by-hand.js";
import { slipway } from "./command.js";
import { inSession } from "./embedded.js";
import { check, copyIris, edit } from "./iris.js";
import { atMost, median, ratio, shown, timed, type Section } from "./measure.js";

const PASSWORD = "of the benchmark";

/** A folder with the service and its key, and how Slipway is called in it. */
interface Bench {
  readonly project: string;
  /** Version of Python. */
  readonly python: string;
  readonly env: NodeJS.ProcessEnv;
  readonly database: string;
  /** Flags of the key. */
  readonly signer: readonly string[];
  /** What all commands are told. */
  readonly given: readonly string[];
  /** `host:port/name` that Slipway releases to. */
  readonly repository: string;
}

/** `slipway release` of an image that is built, beside the same commands by hand; then of nothing new. */
export async function evidence(scratch: string, times: number): Promise<Section> {
  const registry = await startRegistry();
  try {
    const bench = await prepare(scratch, registry.address);
    // Once each, so that checks and layers are there on both sides.
    const first = join(scratch, "first");
    await release(bench, "first", { more: ["-o", first] });
    const hand = await handTools({
      scratch: join(scratch, "hand"),
      keys: scratch,
      password: PASSWORD,
      database: bench.database,
      repository: `${registry.address}/hand/iris`,
      statements: join(first, "statements"),
    });
    await hand.run(await build(bench, "first", scratch));
    const whole: number[] = [];
    const inside: number[] = [];
    const tools: number[] = [];
    const verified: number[] = [];
    const nothing: number[] = [];
    for (let index = 0; index < times; index++) {
      const revision = randomBytes(20).toString("hex");
      await edit(bench.project);
      const image = await build(bench, revision, scratch);
      await check(bench.project, bench.python);
      whole.push(await timed(() => release(bench, revision)));
      tools.push(await timed(() => hand.run(image)));
      nothing.push(await timed(() => release(bench, revision)));
      const another = randomBytes(20).toString("hex");
      await edit(bench.project);
      await build(bench, another, scratch);
      inside.push(await evidenceOf(bench, another));
      verified.push(await timed(() => verify(bench)));
    }
    const scans = await countScans(bench);
    return {
      title: "Evidence of the iris image",
      how: `medians of ${times}, taken in turns; an image that is built and checked, of an edited service: nobody has looked at its layer of code, and both sides have looked at those below (trivy's own cache by hand); in a release: from the first step of the scan to the last of the verification, as the engine tells of them; by hand, with the same programs, flags, database and registry, one after the other: ${hand.what}`,
      rows: [
        {
          what: "scan, bill of materials, push, signature, statements and verification, in a release",
          value: shown(median(inside)),
        },
        { what: "the same commands by hand", value: shown(median(tools)) },
        atMost("ratio to them", median(inside) / median(tools), 1, ratio),
        {
          what: "slipway release as typed, with its start, the checks and the build as they are known",
          value: shown(median(whole)),
        },
        {
          what: "ratio of that to the commands by hand",
          value: ratio(median(whole) / median(tools)),
        },
        atMost("scans of the image by trivy, for all forms of the result", scans, 1, String),
        { what: "slipway verify", value: shown(median(verified)) },
        atMost(
          "slipway release, nothing changed; goal: 5 s and what slipway verify takes",
          median(nothing),
          5000 + median(verified),
        ),
      ],
    };
  } finally {
    await registry.stop();
  }
}

async function prepare(scratch: string, address: string): Promise<Bench> {
  const project = await copyIris(join(scratch, "iris"));
  const database = join(scratch, "database");
  await makeDatabase(database);
  const env = { COSIGN_PASSWORD: PASSWORD };
  await slipway(project, ["keys", "generate", "--folder", scratch], { env });
  const password = join(scratch, "password");
  await writeFile(password, PASSWORD);
  const python = await machinePython();
  return {
    ...{ project, python },
    env: { SLIPWAY_VERIFY_PREDICATES: PREDICATE_NAMES.join(",") },
    signer: ["--key", `file:${join(scratch, "cosign.key")}`, "--key-password", `file:${password}`],
    database,
    given: [
      ...["--set", `python.version=${python}`],
      ...["--advisories", ADVISORIES, "--database", database],
    ],
    repository: `${address}/slipway/iris`,
  };
}

/** The commit is a label of the image: another one makes another image of the same layers. */
async function build(bench: Bench, revision: string, scratch: string): Promise<string> {
  const file = join(scratch, "image.tar");
  const words = ["build", ...bench.given, "--revision", revision, "-o", file];
  await slipway(bench.project, words);
  return file;
}

async function release(
  { project, env, given, signer, repository }: Bench,
  revision: string,
  options: { readonly more?: readonly string[]; readonly session?: Session } = {},
): Promise<void> {
  const { more = [], session } = options;
  const target = ["--repository", repository, "--tags", "bench", "--revision", revision];
  const words = ["release", ...given, ...signer, ...target, ...more];
  await slipway(project, words, session ? { env, session } : { env });
}

async function verify({ project, env, given, repository }: Bench): Promise<void> {
  const words = ["--reference", `${repository}:bench`, "--public-key", "../cosign.pub"];
  await slipway(project, ["verify", ...given, ...words], { env });
}

/** Milliseconds of a release from the start of its scan to the end of its verification. */
async function evidenceOf(bench: Bench, revision: string): Promise<number> {
  let [began, ended] = [NaN, NaN];
  await inSession(
    (session) => release(bench, revision, { session }),
    (event) => {
      if (event.event === "started" && LOOK.test(event.name)) began = performance.now();
      // The last of its kind: what signs runs in turn.
      if (event.event === "ended" && VERIFICATION.test(event.name)) ended = performance.now();
    },
  );
  return ended - began;
}

/** Steps of the engine. */
const LOOK = /^exec .*\btrivy image\b.*--scanners=(?!vuln)/s;
const VERIFICATION = /^exec .*requests\.py --at-once /s;

/** How often trivy looks at a new image's files in one release, as the engine tells of its steps. */
async function countScans(bench: Bench): Promise<number> {
  let count = 0;
  await inSession(
    (session) => release(bench, randomBytes(20).toString("hex"), { session }),
    (event) => {
      if (event.event === "started" && LOOK.test(event.name)) count++;
    },
  );
  return count;
}

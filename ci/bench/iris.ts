import { randomUUID } from "node:crypto";
import { cp, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { ADVISORIES, startAdvisories } from "../sandbox/advisories.js";
import { byHand, machinePython } from "./by-hand.js";
import { ROOT, slipway } from "./command.js";
import { ask, field, inSession } from "./embedded.js";
import { atLeast, atMost, median, ratio, shown, timed, type Section } from "./measure.js";

export const IRIS = join(ROOT, "examples", "iris");

/** The service without what tools have left in it. */
export async function copyIris(into: string): Promise<string> {
  const left = /(__pycache__|\.(mypy|ruff|pytest)_cache|\.hypothesis|\.slipway|\.venv)$/;
  await cp(IRIS, into, { recursive: true, filter: (path) => !left.test(path) });
  return into;
}

/** An edit that no run has seen before. */
export async function edit(project: string): Promise<void> {
  const file = join("src", "iris_service", "app.py");
  // As ruff formats it, so that an edit fails no check.
  const text = await readFile(join(IRIS, file), "utf8");
  await writeFile(join(project, file), `${text}\n\n# ${randomUUID()}\n`);
}

/** `slipway check`, all of it. */
export async function check(project: string, python: string): Promise<void> {
  const set = ["--set", `python.version=${python}`];
  await slipway(project, ["check", ...set, "--advisories", ADVISORIES]);
}

const PARALLEL = ["-n", "auto"];

/** `slipway check` beside the same tools by hand, each with one file changed; then with nothing changed. */
export async function checks(scratch: string, times: number): Promise<Section> {
  const mirror = await startAdvisories();
  try {
    const hand = await byHand(IRIS);
    const [one, other] = [
      await copyIris(join(scratch, "slipway")),
      await copyIris(join(scratch, "hand")),
    ];
    // Once each, so that dependencies, byte code and mypy's cache are there on both sides.
    await check(one, hand.python);
    await hand.checks(other, mirror.url, PARALLEL);
    const whole: number[] = [];
    const tools: number[] = [];
    const plain: number[] = [];
    const nothing: number[] = [];
    for (let index = 0; index < times; index++) {
      await Promise.all([edit(one), edit(other)]);
      whole.push(await timed(() => check(one, hand.python)));
      tools.push(await timed(() => hand.checks(other, mirror.url, PARALLEL)));
      await edit(other);
      plain.push(await timed(() => hand.checks(other, mirror.url, [])));
      nothing.push(await timed(() => check(one, hand.python)));
    }
    return {
      title: "`slipway check` on iris",
      how: `medians of ${times}, taken in turns; the whole command from its start to its end, all checks with their reports; by hand: ruff check, ruff format, mypy, pytest with coverage, bandit, pip-audit, one after the other, in a virtual environment with compiled byte code; Python ${hand.python} on both sides`,
      rows: [
        { what: "slipway check, one file changed", value: shown(median(whole)) },
        { what: "the tools by hand, `pytest`", value: shown(median(plain)) },
        { what: "the tools by hand, `pytest -n auto`", value: shown(median(tools)) },
        atMost("ratio to them with `pytest`", median(whole) / median(plain), 0.9, ratio),
        atMost("ratio to them with `pytest -n auto`", median(whole) / median(tools), 0.9, ratio),
        atMost("slipway check, nothing changed", median(nothing), 2000),
      ],
    };
  } finally {
    await mirror.stop();
  }
}

/** The tests with as many workers as there are cores, and with none. */
export async function workers(scratch: string, times: number): Promise<Section> {
  const project = await copyIris(join(scratch, "workers"));
  const python = await machinePython();
  const module = { refString: ROOT };
  return await inSession(async (session) => {
    await ask(session, field("moduleSource", module), "asModule", "serve");
    const test = async (count: string): Promise<number> => {
      await edit(project);
      // A session has one answer for one question: the pattern, which excludes nothing, is new.
      const source = await ask(
        session,
        "host",
        field("directory", { path: project, exclude: [randomUUID()] }),
        "id",
      );
      const set = [`python.version=${python}`, `test.workers=${count}`];
      const report = await ask(
        session,
        field("slipway", { source, set }),
        field("checks", { only: ["test"] }),
        "report",
      );
      const { checks: results } = JSON.parse(report as string) as {
        checks: { state: string; durationMs: number }[];
      };
      const [result] = results;
      if (result?.state !== "PASSED")
        throw new Error(`the tests of iris ended as ${result?.state ?? "nothing"}`);
      return result.durationMs;
    };
    await test("auto");
    const parallel: number[] = [];
    const serial: number[] = [];
    for (let index = 0; index < times; index++) {
      parallel.push(await test("auto"));
      serial.push(await test("0"));
    }
    return {
      title: "Tests of iris in parallel",
      how: `medians of ${times}, taken in turns; pytest's own time inside of the check`,
      rows: [
        { what: "-n auto", value: shown(median(parallel)) },
        { what: "-n 0", value: shown(median(serial)) },
        atLeast("times faster", median(serial) / median(parallel), 1.6, ratio),
      ],
    };
  });
}

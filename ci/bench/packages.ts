import { randomUUID } from "node:crypto";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";

import type { Session } from "../cli/session/open.js";
import { makeDatabase } from "../sandbox/database.js";
import { machinePython } from "./by-hand.js";
import { ROOT } from "./command.js";
import { ask, field, inSession } from "./embedded.js";
import { IRIS } from "./iris.js";
import { atMost, median, ratio, shown, timed, type Row, type Section } from "./measure.js";

const SITE = "/usr/lib/python3/dist-packages";

/** Scan and bill of materials of images that hold ever more packages of Python. */
export async function packages(
  scratch: string,
  counts: readonly number[],
  times: number,
): Promise<Section> {
  const database = join(scratch, "database");
  await makeDatabase(database);
  const costs = await inSession(async (session) => {
    await ask(session, field("moduleSource", { refString: ROOT }), "asModule", "serve");
    const folder = async (path: string): Promise<unknown> =>
      await ask(session, "host", field("directory", { path }), "id");
    const slipway = field("slipway", {
      source: await folder(IRIS),
      database: await folder(database),
      set: [`python.version=${await machinePython()}`],
    });
    const cost = async (count: number): Promise<number> => {
      const tarball = await image(session, await sitePackages(scratch, count), count);
      return await timed(() => describe(session, slipway, tarball, count));
    };
    await cost(counts[0] ?? 1);
    const values = new Map<number, number[]>(counts.map((count) => [count, []]));
    for (let index = 0; index < times; index++)
      for (const count of counts) values.get(count)?.push(await cost(count));
    return [...values].map(([count, all]) => ({ count, time: median(all) }));
  });
  return {
    title: "Scan and bill of materials, by packages",
    how: `medians of ${times}, taken in turns; \`scan\` and then \`sbom\` of an image that nobody has looked at, in a running engine; linear is: ten times the packages take at most ten times the time`,
    rows: rows(costs),
  };
}

function rows(costs: readonly { count: number; time: number }[]): Row[] {
  const plain = costs.map(({ count, time }) => ({ what: `${count} packages`, value: shown(time) }));
  const steps = costs.slice(1).map(({ count, time }, index): Row => {
    const { count: less, time: shorter } = costs[index] ?? { count: NaN, time: NaN };
    return atMost(`${count} packages against ${less}`, time / shorter, count / less, ratio);
  });
  return [...plain, ...steps];
}

/** Installed packages as pip leaves them, as far as their metadata goes; never the same twice. */
async function sitePackages(scratch: string, count: number): Promise<string> {
  const folder = join(scratch, randomUUID());
  for (let index = 0; index < count; index++) {
    const name = `package-${index}`;
    const info = join(folder, `package_${index}-1.0.${index}.dist-info`);
    await mkdir(info, { recursive: true });
    const lines = [`Name: ${name}`, `Version: 1.0.${index}`, "License: MIT", `Summary: ${folder}`];
    await writeFile(join(info, "METADATA"), `Metadata-Version: 2.1\n${lines.join("\n")}\n`);
  }
  return folder;
}

/** An archive that is made before anything is measured. */
async function image(session: Session, folder: string, count: number): Promise<unknown> {
  const site = await ask(session, "host", field("directory", { path: folder }), "id");
  const archive = [
    "container",
    field("from", { address: "docker.io/library/busybox:stable" }),
    field("withDirectory", { path: SITE, source: site }),
    field("withLabel", { name: "packages", value: String(count) }),
    "asTarball",
  ];
  await ask(session, ...archive, "sync");
  return await ask(session, ...archive, "id");
}

async function describe(
  session: Session,
  slipway: string,
  tarball: unknown,
  count: number,
): Promise<void> {
  const given = { tarball };
  const found = await ask(session, slipway, field("scan", given), "json");
  const { packages: seen } = JSON.parse(found as string) as { packages: number };
  if (seen !== count) throw new Error(`trivy saw ${seen} of ${count} packages`);
  await ask(session, slipway, field("sbom", given), "size");
}

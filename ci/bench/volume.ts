import { createWriteStream } from "node:fs";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { randomBytes, randomUUID } from "node:crypto";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";

import { ask, field, inSession } from "./embedded.js";
import { atMost, enginePeak, megabytes, shown, timed, type Row, type Section } from "./measure.js";

/** The memory of an engine may grow by this much, whatever passes through it. */
const GROWTH = 200e6;

/** Much data in and out, and much output: it streams, so that memory does not grow with it. */
export async function volume(scratch: string, scale: number): Promise<Section> {
  const many = join(scratch, "many");
  const large = join(scratch, "large");
  const files = Math.round(20_000 * scale);
  const bytes = Math.round((1 << 30) * scale);
  const lines = Math.round(1_000_000 * scale);
  await Promise.all([makeMany(many, files), makeLarge(large, bytes)]);
  const rows: Row[] = [
    ...(await inAndOut(`a folder of ${files} files`, many, join(scratch, "many-out"))),
    ...(await inAndOut(`a file of ${megabytes(bytes)}`, large, join(scratch, "large-out"))),
    ...(await output(lines)),
  ];
  return {
    title: "Large inputs and outputs",
    how: "an engine of its own for each; memory is the highest that the engine's process ever held, less what it held when it had just started",
    rows,
  };
}

async function makeMany(folder: string, files: number): Promise<void> {
  for (let index = 0; index < files; index++) {
    const parent = join(folder, `${index % 100}`);
    if (index < 100) await mkdir(parent, { recursive: true });
    await writeFile(join(parent, `${index}.txt`), `file ${index}\n`);
  }
}

async function makeLarge(folder: string, bytes: number): Promise<void> {
  await mkdir(folder, { recursive: true });
  const block = randomBytes(1 << 20);
  const blocks = function* (): Generator<Buffer> {
    for (let left = bytes; left > 0; left -= block.length) yield block.subarray(0, left);
  };
  await pipeline(Readable.from(blocks()), createWriteStream(join(folder, "large.bin")));
}

async function inAndOut(what: string, from: string, to: string): Promise<Row[]> {
  const rows = await inSession(async (session) => {
    await ask(session, "version");
    const before = await enginePeak();
    const directory = ["host", field("directory", { path: from, noCache: true })];
    const into = await timed(() => ask(session, ...directory, "digest"));
    const out = await timed(() => ask(session, ...directory, field("export", { path: to })));
    return [
      { what: `${what}, in`, value: shown(into) },
      { what: `${what}, out`, value: shown(out) },
      atMost(`${what}, memory`, (await enginePeak()) - before, GROWTH, megabytes),
    ];
  });
  await rm(to, { recursive: true, force: true });
  return rows;
}

async function output(lines: number): Promise<Row[]> {
  return await inSession(async (session) => {
    const base = [
      "container",
      field("from", { address: "docker.io/library/busybox:stable" }),
      field("withEnvVariable", { name: "ROUND", value: randomUUID() }),
    ];
    await ask(session, ...base, field("withExec", { args: ["true"] }), "sync");
    const before = await enginePeak();
    const print = field("withExec", { args: ["seq", `${lines}`] });
    const time = await timed(() => ask(session, ...base, print, "sync"));
    return [
      { what: `${lines} lines of output`, value: shown(time) },
      atMost(`${lines} lines of output, memory`, (await enginePeak()) - before, GROWTH, megabytes),
    ];
  });
}

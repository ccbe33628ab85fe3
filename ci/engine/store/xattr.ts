import { run } from "./process.js";
import { toBytes, type Raw } from "./raw.js";

const SOME = "^(user\\.|trusted\\.|security\\.capability$)";
const OVERLAY = "trusted.overlay.";
const OPAQUE = `${OVERLAY}opaque`;

export interface Attributes {
  /** Value of each extended attribute, by name; overlayfs's own are left out. */
  readonly values: ReadonlyMap<string, Buffer>;
  /** A folder that hides what lower layers have under its name. */
  readonly opaque: boolean;
}

/** Extended attributes of `paths` (relative to `folder`), for those that have any. */
export async function readXattrs(
  folder: string,
  paths: Iterable<Raw> | AsyncIterable<Raw>,
): Promise<Map<Raw, Attributes>> {
  const output = await run(
    "xargs",
    [
      ...["-0", "-r", "getfattr", "--no-dereference", "--absolute-names", "--encoding=base64"],
      ...[`--match=${SOME}`, "--dump", "--"],
    ],
    { cwd: folder, input: names(paths) },
  );
  const found = new Map<Raw, Attributes>();
  for (const block of output.split("\n\n")) {
    const [head, ...lines] = block.split("\n").filter((line) => line !== "");
    if (!head?.startsWith("# file: ")) continue;
    const values = new Map<string, Buffer>();
    let opaque = false;
    for (const line of lines) {
      const at = line.indexOf("=");
      const name = unescape(line.slice(0, at));
      const value = Buffer.from(line.slice(at + 1).replace(/^0s|^""$/, ""), "base64");
      if (name === OPAQUE) opaque = value.toString() === "y";
      else if (!name.startsWith(OVERLAY)) values.set(name, value);
    }
    found.set(unescape(head.slice("# file: ./".length)), { values, opaque });
  }
  return found;
}

/** Marks folders (relative to `folder`) as hiding what lower layers have under their names. */
export async function makeOpaque(folder: string, paths: Iterable<Raw>): Promise<void> {
  const args = ["-0", "-r", "setfattr", "--no-dereference", `--name=${OPAQUE}`, "--value=y", "--"];
  await run("xargs", args, { cwd: folder, input: names(paths) });
}

async function* names(paths: Iterable<Raw> | AsyncIterable<Raw>): AsyncGenerator<Buffer> {
  let batch = "";
  for await (const path of paths) {
    batch += `./${path}\0`;
    if (batch.length > 60_000) {
      yield toBytes(batch);
      batch = "";
    }
  }
  if (batch) yield toBytes(batch);
}

/** getfattr prints some bytes of names as \ooo. */
function unescape(text: string): Raw {
  return text.replace(/\\([0-7]{3})/g, (_, octal: string) =>
    String.fromCharCode(Number.parseInt(octal, 8)),
  );
}

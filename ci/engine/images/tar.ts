/** What a tar entry says; names and link targets are bytes, one character a byte. */
export interface TarHeader {
  name: string;
  type: "file" | "link" | "symlink" | "char" | "block" | "directory" | "fifo";
  mode: number;
  uid?: number;
  gid?: number;
  size?: number;
  /** Seconds since 1970. */
  mtime?: number;
  target?: string;
  major?: number;
  minor?: number;
  xattrs?: ReadonlyMap<string, Buffer>;
}

const FLAGS = {
  file: "0",
  link: "1",
  symlink: "2",
  char: "3",
  block: "4",
  directory: "5",
  fifo: "6",
};
const BLOCK = 512;
const MAX_NAME = 100;
const MAX_PREFIX = 155;
const MAX_ID = 0o7777777;
const MAX_SIZE = 0o77777777777;

/** Two zero blocks. */
export const TAR_END = Buffer.alloc(2 * BLOCK);

/**
 * Header blocks of one entry: ustar, with a PAX header before it for what ustar cannot say. Equal
 * entries give equal bytes, which no library at hand promises for xattrs and odd names.
 */
export function tarHeader(header: TarHeader): Buffer {
  const name = header.type === "directory" ? `${header.name}/` : header.name;
  const others = paxRecords(header);
  const split = others.length === 0 ? splitName(name) : undefined;
  if (split) return ustar({ ...header, name: split.name }, FLAGS[header.type], split.prefix);
  const path = needsRecord(name) ? record("path", Buffer.from(name, "latin1")) : Buffer.alloc(0);
  const records = Buffer.concat([path, others]);
  const block = ustar({ ...header, name });
  if (records.length === 0) return block;
  const size = records.length;
  const extended = ustar({ name: "PaxHeaders/entry", type: "file", mode: 0o644, size }, "x");
  return Buffer.concat([extended, records, padding(size), block]);
}

/** Zeros from the end of an entry's content to the next block. */
export function padding(size: number): Buffer {
  return Buffer.alloc((BLOCK - (size % BLOCK)) % BLOCK);
}

/** A long name over ustar's two fields, where Go's archive/tar, and so Dagger, would do it. */
function splitName(name: string): { prefix: string; name: string } | undefined {
  if (name.length <= MAX_NAME || !/^[\x00-\x7f]*$/.test(name)) return undefined;
  const most = name.endsWith("/") ? name.length - 1 : name.length;
  const at = name.slice(0, Math.min(most, MAX_PREFIX + 1)).lastIndexOf("/");
  const rest = name.slice(at + 1);
  if (at <= 0 || rest.length > MAX_NAME || rest === "") return undefined;
  return { prefix: name.slice(0, at), name: rest };
}

function paxRecords(header: TarHeader): Buffer {
  const { target = "", uid = 0, gid = 0, size = 0, xattrs = new Map<string, Buffer>() } = header;
  const records: Buffer[] = [];
  const add = (key: string, value: string): void => {
    records.push(record(key, Buffer.from(value, "latin1")));
  };
  if (needsRecord(target)) add("linkpath", target);
  if (uid > MAX_ID) add("uid", String(uid));
  if (gid > MAX_ID) add("gid", String(gid));
  if (size > MAX_SIZE) add("size", String(size));
  for (const key of [...xattrs.keys()].sort()) {
    records.push(record(`SCHILY.xattr.${key}`, xattrs.get(key) ?? Buffer.alloc(0)));
  }
  return Buffer.concat(records);
}

/** ustar promises nothing for other than ASCII; a PAX record is UTF-8. Other bytes go as they are. */
function needsRecord(text: string): boolean {
  if (text.length > MAX_NAME) return true;
  if (/^[\x00-\x7f]*$/.test(text)) return false;
  return !Buffer.from(text, "latin1").toString("utf8").includes("\ufffd");
}

function record(key: string, value: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(` ${key}=`), value, Buffer.from("\n")]);
  // The length counts its own digits.
  let length = body.length;
  while (length !== body.length + String(length).length)
    length = body.length + String(length).length;
  return Buffer.concat([Buffer.from(String(length)), body]);
}

function ustar(header: TarHeader, flag = FLAGS[header.type], prefix = ""): Buffer {
  const block = Buffer.alloc(BLOCK);
  const octal = (value: number, offset: number, width: number, most: number): void => {
    const digits = (value > most ? 0 : value).toString(8).padStart(width - 1, "0");
    block.write(digits, offset, "latin1");
  };
  block.write(header.name.slice(0, MAX_NAME), 0, "latin1");
  octal(header.mode & 0o7777, 100, 8, MAX_ID);
  octal(header.uid ?? 0, 108, 8, MAX_ID);
  octal(header.gid ?? 0, 116, 8, MAX_ID);
  octal(header.size ?? 0, 124, 12, MAX_SIZE);
  octal(header.mtime ?? 0, 136, 12, MAX_SIZE);
  block.fill(" ", 148, 156);
  block.write(flag, 156, "latin1");
  block.write((header.target ?? "").slice(0, MAX_NAME), 157, "latin1");
  block.write("ustar\u000000", 257, "latin1");
  octal(header.major ?? 0, 329, 8, MAX_ID);
  octal(header.minor ?? 0, 337, 8, MAX_ID);
  block.write(prefix, 345, "latin1");
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148, "latin1");
  return block;
}

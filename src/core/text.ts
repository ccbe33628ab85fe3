/** Escape sequences of terminals: colours, cursor movements, titles and links. */
const ANSI =
  /\u001b(?:\[[0-?]*[ -/]*[@-~]|\][^\u0007\u001b]{0,2048}(?:\u0007|\u001b\\)|[ -/]*[0-~])/g;
/** Control characters but tab and newline, and those that reorder text on the screen. */
const CONTROL =
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff\ufffe\uffff]/g;
const LONE_SURROGATE = /[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;

/** Text that is safe to print and to put into XML, JSON and Markdown: no control characters but tab and newline. */
export function clean(text: string): string {
  return text
    .replace(/\r\n?/g, "\n")
    .replace(ANSI, "")
    .replace(CONTROL, "")
    .replace(LONE_SURROGATE, "\ufffd");
}

/** The same on one line, at most `length` characters, an ellipsis where it was cut. */
export function oneLine(text: string, length = 300): string {
  // Only what can be shown is cleaned: a tool may have written 100 MB.
  const flat = clean(text.slice(0, length * 8))
    .replace(/\s+/g, " ")
    .trim();
  const letters = Array.from(flat);
  return letters.length > length ? `${letters.slice(0, length - 1).join("")}…` : flat;
}

/** The last lines that say something, for the reason of a failure. */
export function lastLines(text: string, count = 5): string {
  const lines = clean(text.slice(-20_000))
    .split("\n")
    .map((line) => oneLine(line))
    .filter((line) => line !== "");
  return lines.slice(-count).join("\n");
}

/** Text of at most `bytes` UTF-8 bytes, cut between lines where it can be, with the notice at its end. */
export function cutBytes(text: string, bytes: number, notice: string): string {
  const encoded = Buffer.from(text);
  if (encoded.length <= bytes) return text;
  const room = bytes - Buffer.byteLength(notice);
  if (room <= 0)
    return Buffer.from(notice).subarray(0, Math.max(0, bytes)).toString().replaceAll("\ufffd", "");
  let end = room;
  // A character's following bytes are 10xxxxxx: never cut inside one.
  while (end > 0 && ((encoded[end] ?? 0) & 0xc0) === 0x80) end--;
  const kept = encoded.subarray(0, end).toString();
  const line = kept.lastIndexOf("\n");
  return `${line > kept.length / 2 ? kept.slice(0, line + 1) : kept}${notice}`;
}

/** Columns that text takes in a terminal: wide letters take two, combining marks none. */
export function columns(text: string): number {
  let width = 0;
  for (const letter of text) width += letterColumns(letter.codePointAt(0) ?? 0, letter);
  return width;
}

function letterColumns(code: number, letter: string): number {
  if (code < 0x300) return 1;
  if (/\p{Mark}|\p{Cf}/u.test(letter)) return 0;
  const wide =
    (code >= 0x1100 && code <= 0x115f) ||
    (code >= 0x2e80 && code <= 0xa4cf) ||
    (code >= 0xac00 && code <= 0xd7a3) ||
    (code >= 0xf900 && code <= 0xfaff) ||
    (code >= 0xfe30 && code <= 0xfe6f) ||
    (code >= 0xff00 && code <= 0xff60) ||
    (code >= 0x1f300 && code <= 0x1faff) ||
    (code >= 0x20000 && code <= 0x3fffd);
  return wide ? 2 : 1;
}

/** A block of Markdown that no backticks of the text can end. */
export function fenced(text: string): string {
  const runs = text.match(/`+/g) ?? [];
  const fence = "`".repeat(Math.max(3, ...runs.map(({ length }) => length)) + 1);
  return `${fence}text\n${text.replace(/\n?$/, "\n")}${fence}\n`;
}

/** `850 ms`, `12.3 s`, `4 min 5 s` */
export function duration(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 59_950) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}

/** `1 test`, `3 tests`, `2 advisories` */
export function plural(count: number, noun: string, many = `${noun}s`): string {
  return `${count} ${count === 1 ? noun : many}`;
}

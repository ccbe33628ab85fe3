import { coreTables } from "../../ci/engine/api/tables.js";
import { fieldName } from "../../ci/engine/api/schema.js";
import { daggerFields } from "../../ci/engine/api/unknown.js";
import { configurationTable } from "../../src/core/config/table.js";
import { register } from "../module/registration.js";
import { measuredTable } from "./measured.js";

/** A part of a document that is made from the code: between its two comments. */
interface Block {
  /** Path of the document, from the root of the repository. */
  file: string;
  name: string;
  /** Its Markdown, without a newline at the end. */
  make: () => Promise<string>;
}

/** Every generated part of the documentation. */
export const BLOCKS: readonly Block[] = [
  { file: "README.md", name: "functions", make: functionTable },
  {
    file: "docs/configuration.md",
    name: "keys",
    make: () => Promise.resolve(configurationTable()),
  },
  { file: "docs/engines.md", name: "api", make: apiTable },
  { file: "docs/engines.md", name: "measured", make: measuredTable },
];

/**
 * Puts `content` between `<!-- NAME: generated … -->` and `<!-- /NAME -->`.
 *
 * @throws Error when the document has no such place.
 */
export function withBlock(document: string, name: string, content: string): string {
  const place = new RegExp(`(<!-- ${name}: [^>]*-->\n)[\\s\\S]*?(<!-- /${name} -->)`);
  if (!place.test(document)) throw new Error(`There is no place for "${name}" in the document.`);
  // Tables stay as they are: padding every cell to the widest one would make them unreadable.
  const body = `<!-- prettier-ignore-start -->\n\n${content}\n\n<!-- prettier-ignore-end -->`;
  return document.replace(place, (_, begin: string, end: string) => `${begin}\n${body}\n\n${end}`);
}

/** The module's functions as it registers them, and the functions of what they return. */
async function functionTable(): Promise<string> {
  const registered = (await register()).filter(({ name }) => name !== "");
  const row = (owner: string) => {
    const functions = registered.filter((each) => each.owner === owner);
    return functions.map(({ name, description, check, args }) => {
      const flags = args.map((arg) => `\`${arg.name}\``).join(" ");
      return `| \`${name}\`${check ? " ✓" : ""} | ${sentence(description)} | ${flags} |`;
    });
  };
  const owners = [...new Set(registered.map(({ owner }) => owner))];
  return owners
    .map((owner) =>
      [`| ${owner} | what it does | arguments |`, "| --- | --- | --- |", ...row(owner)].join("\n"),
    )
    .join("\n\n");
}

/** Dagger's API, type by type: what the embedded engine has, and what it refuses by name. */
async function apiTable(): Promise<string> {
  const dagger = await daggerFields();
  const implemented = new Map<string, Set<string>>();
  for (const { name, fields } of coreTables) {
    const names = implemented.get(name) ?? new Set(["id"]);
    for (const signature of Object.keys(fields)) names.add(fieldName(signature));
    implemented.set(name, names);
  }
  const rows: string[] = [];
  const absent: string[] = [];
  let [have, all] = [0, 0];
  for (const [type, fields] of [...dagger].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const ours = implemented.get(type);
    all += fields.length;
    if (ours === undefined) {
      absent.push(`\`${type}\``);
      continue;
    }
    const [yes, no] = [
      fields.filter((each) => ours.has(each)),
      fields.filter((each) => !ours.has(each)),
    ];
    have += yes.length;
    rows.push(`| \`${type}\` | ${yes.length} of ${fields.length} | ${list(yes)} | ${list(no)} |`);
  }
  return [
    `${have} of the ${all} fields of Dagger's API (${rows.length} of ${dagger.size} types), as the SDK's client has them.`,
    [
      "| type | fields | implemented | refused by name |",
      "| --- | --- | --- | --- |",
      ...rows,
    ].join("\n"),
    `Types that are refused as a whole: ${absent.join(", ")}.`,
  ].join("\n\n");
}

function list(names: readonly string[]): string {
  return names.length === 0 ? "-" : names.map((name) => `\`${name}\``).join(" ");
}

/** On one line, with what Markdown's tables need. */
function sentence(text: string): string {
  return text.replaceAll("\n", " ").replaceAll("|", "\\|");
}

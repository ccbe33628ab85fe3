/** `make docs`: writes the generated parts of the documentation anew. */
import { readFile, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";

import { POLICIES } from "./policies.js";
import { SCHEMAS } from "./schemas.js";
import { BLOCKS, withBlock } from "./tables.js";

for (const { file, name, make } of BLOCKS) {
  const path = fileURLToPath(new URL(`../../${file}`, import.meta.url));
  await writeFile(path, withBlock(await readFile(path, "utf8"), name, await make()));
  console.log(`${file}: ${name}`);
}
for (const [file, make] of Object.entries({ ...POLICIES, ...SCHEMAS })) {
  await writeFile(fileURLToPath(new URL(`../../${file}`, import.meta.url)), make());
  console.log(file);
}

// Runs in the process of a module's function: hands the module's sources to the SDK's entrypoint.
// Plain JavaScript, since it starts before anything is compiled.
import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const files = process.argv.slice(2);
// The module's own copy of the SDK: its decorators and this entrypoint share one registry.
const resolve = createRequire(join(process.cwd(), "package.json")).resolve;
const { entrypoint } = await import(pathToFileURL(resolve("@dagger.io/dagger")).href);
await entrypoint(files);

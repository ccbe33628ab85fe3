// The embedded engine as a process: start.mjs main, or start.mjs admin REQUEST.
import { start } from "../compile/start.mjs";

const [program] = process.argv.splice(2, 1);
await start(`engine/${program}`);

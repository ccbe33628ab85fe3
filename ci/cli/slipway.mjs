#!/usr/bin/env node
// The command's start: TypeScript is compiled as it is loaded.
import { register } from "tsx/esm/api";

register();
await import("./main.ts");

#!/usr/bin/env node
import { start } from "../compile/start.mjs";

await start("cli/main");

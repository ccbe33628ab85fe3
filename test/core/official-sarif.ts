import { createHash } from "node:crypto";

import * as draft04 from "ajv-draft-04";
import * as formats from "ajv-formats";

import { goModuleFile } from "../go-module.js";

/** It carries the schema of SARIF 2.1.0 with errata 01 as OASIS published it; go compares its sum. */
const MODULE = {
  module: "github.com/owenrumney/go-sarif/v3@v3.3.1",
  sum: "h1:bKY8YnWcY8zYTiGVObC5wZLlfEvMkCxK9XMGXBbzEtQ=",
};
const FILE = "pkg/report/v210/sarif/schema.go";
const SCHEMA = "c3b4bb2d6093897483348925aaa73af03b3e3f4bd4ca38cef26dcb4212a2682e";

/** What is wrong with the text of a SARIF log; nothing when the official schema accepts it. */
export type Judge = (text: string) => string[];

/** A judge by the official JSON schema, which is downloaded once and kept by go. */
export async function officialSarif(): Promise<Judge> {
  const source = await goModuleFile(MODULE, FILE);
  const text = /^const schema = `([^`]*)`$/m.exec(source)?.[1] ?? "";
  const digest = createHash("sha256").update(text).digest("hex");
  if (digest !== SCHEMA) throw new Error(`the schema in ${MODULE.module} has the digest ${digest}`);
  const ajv = new draft04.default.default({ allErrors: true, strict: false });
  formats.default.default(ajv);
  const validate = ajv.compile(JSON.parse(text) as object);
  return (log) => {
    if (validate(JSON.parse(log))) return [];
    return (validate.errors ?? []).map(
      ({ instancePath, message = "" }) => `${instancePath} ${message}`,
    );
  };
}

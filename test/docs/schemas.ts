import { jsonSchema } from "../../ci/cli/outputs/form.js";
import { OUTPUTS } from "../../ci/cli/outputs/index.js";
import { modelJsonSchema } from "../../src/core/attestations/predicates.js";
import { reportJsonSchema } from "../../src/core/report/report.js";

/** The published JSON schemas by their names in docs/schemas, out of the zod schemas. */
const PUBLISHED: Readonly<Record<string, () => object>> = {
  report: () => ({ $id: "report.schema.json", ...reportJsonSchema() }),
  "model-predicate": () => ({ $id: "model-predicate.schema.json", ...modelJsonSchema() }),
  ...Object.fromEntries(
    Object.entries(OUTPUTS).map(([name, output]) => [name, () => jsonSchema(name, output)]),
  ),
};

/** Each file of docs/schemas, from the root of the repository, and how its text is made. */
export const SCHEMAS: Readonly<Record<string, () => string>> = Object.fromEntries(
  Object.entries(PUBLISHED).map(([name, make]) => [
    `docs/schemas/${name}.schema.json`,
    () => `${JSON.stringify(make(), null, 2)}\n`,
  ]),
);

import * as ajv2020 from "ajv/dist/2020.js";
import * as formats from "ajv-formats";

import { goModuleFile } from "../../go-module.js";

/** cosign itself, whose types are the form of the predicate `vuln`; go compares its sum. */
const COSIGN = {
  module: "github.com/sigstore/cosign/v3@v3.1.3",
  sum: "h1:001JQRI/PJ/5T+g/kJ1KTvKFbb322+fomc+pHDZ/6sg=",
};

/** What is wrong with a predicate; nothing when it is of cosign's form and holds nothing else. */
export type Judge = (predicate: unknown) => string[];

/** A judge of the predicate `https://cosign.sigstore.dev/attestation/vuln/v1` by cosign's own types. */
export async function cosignVulnForm(): Promise<Judge> {
  const source = await goModuleFile(COSIGN, "pkg/cosign/attestation/attestation.go");
  const ajv = new ajv2020.Ajv2020({ allErrors: true });
  formats.default.default(ajv);
  const validate = ajv.compile(schemaOf("CosignVulnPredicate", source));
  return (predicate) => {
    if (validate(predicate)) return [];
    return (validate.errors ?? []).map(
      ({ instancePath, message = "", params }) =>
        `${instancePath} ${message} ${JSON.stringify(params)}`,
    );
  };
}

/** The JSON schema of a type of Go by its tags: every field has to be there, and no other. */
function schemaOf(type: string, source: string): object {
  if (type === "string") return { type: "string" };
  if (type === "interface{}") return {};
  if (type === "time.Time") return { type: "string", format: "date-time" };
  const body = new RegExp(`^type ${type} struct \\{\\n([\\s\\S]*?)^\\}`, "m").exec(source)?.[1];
  if (body === undefined) throw new Error(`cosign has no type ${type}`);
  const fields = [...body.matchAll(/^\t\w+\s+(\S+)\s+`json:"([^",]+)"`$/gm)];
  if (fields.length !== body.trim().split("\n").length)
    throw new Error(`cosign's type ${type} has fields of another form:\n${body}`);
  return {
    type: "object",
    properties: Object.fromEntries(
      fields.map(([, inner = "", name = ""]) => [name, schemaOf(inner, source)]),
    ),
    required: fields.map(([, , name]) => name),
    additionalProperties: false,
  };
}

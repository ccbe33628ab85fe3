import type { Fields } from "../session.js";

type Plain = Readonly<Record<string, unknown>>;

/** Fields that return what the value holds under their name. */
function record(...signatures: string[]): Fields<Plain> {
  return Object.fromEntries(
    signatures.map((signature) => {
      const name = signature.slice(0, signature.indexOf(":"));
      return [signature, (self: Plain) => self[name] ?? null];
    }),
  );
}

/** Types that are only their fields. */
export const plainFields: Readonly<Record<string, Fields<Plain>>> = {
  EnvVariable: record("name: String!", "value: String!"),
  Label: record("name: String!", "value: String!"),
  Port: record(
    "port: Int!",
    "protocol: NetworkProtocol!",
    "description: String",
    "experimentalSkipHealthcheck: Boolean!",
  ),
  HealthcheckConfig: record(
    "args: [String!]!",
    "shell: Boolean!",
    "interval: String!",
    "timeout: String!",
    "startPeriod: String!",
    "startInterval: String!",
    "retries: Int!",
  ),
  Stat: record("name: String!", "size: Int!", "permissions: Int!", "fileType: FileType"),
  ErrorValue: record("name: String!", "value: JSON!"),
  FunctionCallArgValue: record("name: String!", "value: JSON!"),
};

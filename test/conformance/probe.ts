import type { Tools } from "./case.js";

/** Asks the served fixture module, e.g. `greet(name: "x")`, and gives that field's value. */
export async function callProbe<T>(
  t: Tools,
  selection: string,
  variables?: Record<string, unknown>,
): Promise<T> {
  await t.module();
  const head = variables ? "query ($id: ID!) " : "";
  const { probe } = await t.query<{ probe: Record<string, T> }>(
    `${head}{ probe { ${selection} } }`,
    variables,
  );
  return Object.values(probe)[0] as T;
}

import { functionTable } from "../module/help.js";
import { loadModule, OWN_MODULE } from "../module/load.js";
import { typeName } from "../module/types.js";
import { readOptions } from "../options.js";
import { withSession } from "../run.js";

/** `slipway functions`: what the module can do. */
export async function functions(
  given: Readonly<Record<string, unknown>>,
  signal: AbortSignal,
): Promise<void> {
  const options = readOptions(given);
  const types = await withSession({ ...options, quiet: true }, signal, (session) =>
    loadModule(session, options.mod ?? OWN_MODULE),
  );
  if (options.output === "text") {
    process.stdout.write(functionTable(types.main));
    return;
  }
  const list = types.main.functions.map(({ name, description, returns, args }) => ({
    name,
    description,
    returns: typeName(returns),
    args: args.map((arg) => ({
      name: arg.name,
      description: arg.description,
      type: typeName(arg.type),
      required: arg.required,
    })),
  }));
  process.stdout.write(`${JSON.stringify(list, null, 2)}\n`);
}

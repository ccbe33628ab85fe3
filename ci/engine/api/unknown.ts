import type { GraphQLError } from "graphql";
import { isObjectType, type GraphQLSchema } from "graphql";

type ClientClass = new (context?: unknown) => object;

/** Fields of Dagger's API v0.21 by type, as the SDK's client has them. */
export async function daggerFields(): Promise<ReadonlyMap<string, readonly string[]>> {
  const sdk = (await import("@dagger.io/dagger")) as unknown as Record<string, unknown>;
  const types = new Map<string, readonly string[]>();
  for (const [exported, value] of Object.entries(sdk)) {
    if (typeof value !== "function" || !/^[A-Z]/.test(exported) || !isClientClass(value)) continue;
    const instance = new (value as ClientClass)();
    const names = Object.entries(instance)
      .filter(([name, member]) => typeof member === "function" && name !== "with")
      .map(([name]) => name.replace(/_$/, ""));
    types.set(exported === "Client" ? "Query" : exported.replace(/_$/, ""), names.sort());
  }
  return types;
}

function isClientClass(value: object): boolean {
  return (
    Object.getPrototypeOf(value) !== Function.prototype &&
    String(Object.getPrototypeOf(value)).includes("_ctx")
  );
}

/**
 * A field that Dagger has and this engine has not is refused by name, with where it does work.
 * Other mistakes keep GraphQL's own words.
 */
export async function explainUnknownFields(
  schema: GraphQLSchema,
  mistakes: readonly GraphQLError[],
): Promise<readonly unknown[]> {
  const known = mistakes.some(({ message }) =>
    /^(Cannot query field|Unknown argument|Unknown type)/.test(message),
  )
    ? await daggerFields()
    : undefined;
  return mistakes.map((mistake) => {
    const [, field = "", type = ""] =
      /^Cannot query field "(\w+)" on type "(\w+)"/.exec(mistake.message) ?? [];
    const missing = known?.get(type)?.includes(field);
    if (missing) return { message: notImplemented(`${type}.${field}`), path: [field] };
    const [, argument, owner] =
      /^Unknown argument "(\w+)" on field "(\w+\.\w+)"/.exec(mistake.message) ?? [];
    if (argument && owner && isObjectType(schema.getType(owner.split(".")[0] ?? ""))) {
      return {
        message: `${mistake.message} If Dagger has it: ${notImplemented(`${owner}(${argument})`)}`,
      };
    }
    return mistake.toJSON();
  });
}

function notImplemented(name: string): string {
  return `${name} is not implemented by the embedded engine; it works on Dagger's engine`;
}

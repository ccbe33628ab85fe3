import { EngineError } from "../graph/errors.js";
import type { Node } from "../graph/node.js";
import type { Call, Fields } from "../session.js";

/** `loadContainerFromID` and its like: an object by its ID, refused when it is of another type. */
export function loaders(types: readonly { name: string }[], scalar = "ID"): Fields<never> {
  return Object.fromEntries(
    types.map(({ name }) => [
      `load${name}FromID(id: ${scalar === "ID" ? "ID" : `${name}ID`}!): ${name}!`,
      (_self: never, args: { id: Node }, call: Call) => {
        if (args.id.type === name) {
          return call.session.force(args.id, call.client, call.signal);
        }
        throw new EngineError(`expected the ID of a ${name}, got one of a ${args.id.type}`);
      },
    ]),
  );
}

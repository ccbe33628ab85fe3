import * as z from "zod";

/** A type without its readonly, which no JSON can say. */
type Plain<T> = T extends readonly (infer Item)[]
  ? Plain<Item>[]
  : T extends object
    ? { -readonly [Key in keyof T]: Plain<T[Key]> }
    : T;

/** A type with every key that it may have. */
type Whole<T> = T extends readonly (infer Item)[]
  ? Whole<Item>[]
  : T extends object
    ? { -readonly [Key in keyof T]-?: Whole<T[Key]> }
    : T;

type Fits<A, B> = [A] extends [B] ? ([B] extends [A] ? true : false) : false;
type Same<A, B> = Fits<Plain<A>, Plain<B>> extends true ? Fits<Whole<A>, Whole<B>> : false;

/** Takes the schema of exactly this type: with a key too many, too few or of another type it does not compile. */
export function formOf<T>() {
  return <S extends z.ZodType>(schema: Same<z.output<S>, T> extends true ? S : never): S => schema;
}

/** One form that `--output json` prints. */
export interface Output {
  /** The commands that print it, as they are typed. */
  readonly commands: readonly string[];
  readonly schema: z.ZodType;
}

/** The JSON schema of a form, as it is published: what reads it has to bear with keys of later versions. */
export function jsonSchema(name: string, { commands, schema }: Output): Record<string, unknown> {
  const title = commands.map((command) => `slipway ${command}`).join(", ");
  return { $id: `${name}.schema.json`, ...z.toJSONSchema(schema, { io: "input" }), title };
}

/** What a module declares, as plain values, so that it can be kept between sessions. */
interface Declared {
  readonly name: string;
  readonly description: string;
  readonly sourceMap?: SourceMapValue | undefined;
  readonly deprecated?: string | undefined;
}

export interface TypeDefValue extends Declared {
  readonly kind: string;
  readonly optional: boolean;
  /** The name that the module itself uses, where the API has another. */
  readonly originalName?: string | undefined;
  readonly element?: TypeDefValue | undefined;
  readonly fields: readonly FieldValue[];
  readonly functions: readonly FunctionValue[];
  readonly constructorFunction?: FunctionValue | undefined;
  readonly members: readonly EnumMemberValue[];
}

export interface SourceMapValue {
  readonly filename: string;
  readonly line: number;
  readonly column: number;
  readonly module: string;
  readonly url: string;
}

export interface FieldValue extends Declared {
  readonly typeDef: TypeDefValue;
}

export interface EnumMemberValue extends Declared {
  readonly value: string;
}

export interface ArgumentValue extends Declared {
  readonly typeDef: TypeDefValue;
  /** JSON text. */
  readonly defaultValue?: string | undefined;
  readonly defaultPath: string;
  readonly defaultAddress: string;
  readonly ignore: readonly string[];
}

export interface FunctionValue extends Declared {
  readonly returnType: TypeDefValue;
  readonly args: readonly ArgumentValue[];
  readonly cachePolicy: string;
  readonly timeToLive?: string | undefined;
  readonly isCheck: boolean;
}

/** A module: its types, and where its code is. */
export interface ModuleValue {
  readonly name: string;
  readonly description: string;
  readonly objects: readonly TypeDefValue[];
  readonly enums: readonly TypeDefValue[];
  readonly interfaces: readonly TypeDefValue[];
  readonly source?: ModuleSourceValue | undefined;
}

/** Where a module's code is. */
export interface ModuleSourceValue {
  readonly name: string;
  readonly engineVersion: string;
  /** The folder of the module's code: that of dagger.json, unless it names another. */
  readonly folder: string;
  /** The folder of dagger.json: where default paths start. */
  readonly root: string;
  /** The repository's root, or `root` outside of one: where absolute default paths start. */
  readonly contextFolder: string;
  /** Whether results of functions outlive the session where these say nothing else. */
  readonly keepsResults: boolean;
  /** The TypeScript files of the module. */
  readonly files: readonly string[];
  /** Of everything that decides what the module's functions do. */
  readonly digest: string;
}

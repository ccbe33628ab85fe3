/** A call of a module's function, as the function's process sees it. */
export interface FunctionCall {
  readonly moduleName: string;
  /** Empty while the module registers its types. */
  readonly parentName: string;
  readonly name: string;
  readonly parent: string;
  readonly inputArgs: readonly { name: string; value: string }[];
  returned(value: string): void;
  failed(error: Error): void;
}

/** One holder of a token: the person's program, or the process of a function. */
export interface Client {
  readonly token: string;
  /** Relative host paths start here. */
  readonly cwd: string;
  readonly call?: FunctionCall;
}

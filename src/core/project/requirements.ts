/** Exact requirements: a version of each package, with hashes of its files. */
export interface Requirements {
  /** All of them, as a requirements file: `name==version ; marker --hash=sha256:…`. */
  readonly text: string;
  /** The same by where they come from. */
  readonly parts: readonly {
    readonly text: string;
    /** The package index that has to have them; the configured ones when absent. */
    readonly index?: string;
  }[];
}

/** Requirements that the configured indexes have. */
export function fromConfigured(text: string): Requirements {
  return { text, parts: [{ text }] };
}

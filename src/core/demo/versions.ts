import { SlipwayError } from "../errors.js";

/** A text of a file and what takes its place. */
export type Edit = readonly [file: string, before: string, after: string];

/** A version of the iris service: the example with some edits. */
export interface Version {
  readonly version: string;
  readonly edits: readonly Edit[];
}

/** The example as it is. */
export const FIRST: Version = { version: "1.0.0", edits: [] };

/** Nothing but a new version. */
export const GOOD: Version = { version: "1.1.0", edits: numbered("1.1.0") };

/**
 * A mistake that no test finds: it keeps a log beside the program, and in the cluster, unlike where the
 * tests run, nothing can be written there.
 */
export const BROKEN: Version = {
  version: "1.2.0",
  edits: [
    ...numbered("1.2.0"),
    [
      "src/iris_service/app.py",
      "        predictions = model.predict(request.rows())\n",
      '        predictions = model.predict(request.rows())\n        with open("predictions.log", "a", encoding="utf-8") as log:\n            log.write(f"{len(predictions)}\\n")\n',
    ],
  ],
};

function numbered(version: string): Edit[] {
  return [
    ["pyproject.toml", 'version = "1.0.0"', `version = "${version}"`],
    ["src/iris_service/__init__.py", '__version__ = "1.0.0"', `__version__ = "${version}"`],
  ];
}

/**
 * The file with an edit.
 *
 * @throws SlipwayError USAGE when it does not hold the text.
 */
export function edited(text: string, [file, before, after]: Edit): string {
  if (!text.includes(before))
    throw new SlipwayError(
      "USAGE",
      `The demo changes the example as it comes with Slipway, and ${file} of this one does not hold ${JSON.stringify(before)}. Leave --example out, or give a copy of examples/iris.`,
    );
  return text.replace(before, () => after);
}

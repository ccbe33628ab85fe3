import { SlipwayError } from "../errors.js";
import { PREDICATE_TYPES, type PredicateName } from "./names.js";
import { modelSchema, modelText, type Model } from "./predicates.js";
import type { Statement } from "./statement.js";

/** Statements with a good signature, by what they are about; absent where none was found. */
export type Statements = Readonly<Partial<Record<PredicateName, readonly Statement[]>>>;

/** The statements of a kind that are about an image and not about another one. */
export function statementsAbout(
  digest: string,
  name: PredicateName,
  statements: Statements,
): Statement[] {
  const [, hex = ""] = digest.split(":");
  return (statements[name] ?? []).filter(
    ({ predicateType, subject }) =>
      predicateType === PREDICATE_TYPES[name] && subject.some((one) => one.digest.sha256 === hex),
  );
}

/**
 * The version of the model that an image was released with; undefined where none is attested.
 *
 * @throws SlipwayError MODEL when several are: nobody knows which one was meant.
 */
export function attestedModel(digest: string, statements: Statements): Model | undefined {
  const found = statementsAbout(digest, "model", statements).flatMap(({ predicate }) => {
    const { data } = modelSchema.safeParse(predicate);
    return data?.version === undefined ? [] : [data];
  });
  const texts = [...new Set(found.map(modelText))];
  if (texts.length > 1)
    throw new SlipwayError(
      "MODEL",
      `The image is attested with more than one model: ${texts.join("; ")}. Release it again; its labels then say which one, so that it is another image.`,
    );
  return found[0];
}

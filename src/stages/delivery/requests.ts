import {
  defaultRequests,
  readRequests,
  type RecordedRequest,
} from "../../core/analysis/requests.js";
import { SlipwayError } from "../../core/errors.js";
import type { Context } from "../context.js";

/**
 * The requests of an analysis: the project's recorded ones, else one for deploy.readiness.
 *
 * @throws SlipwayError CONFIG when the file is not there, or a line is wrong.
 */
export async function analysisRequests({
  config,
  source,
}: Pick<Context, "config" | "source">): Promise<RecordedRequest[]> {
  const { requests } = config.analysis;
  if (requests === undefined) return defaultRequests(config.deploy.readiness);
  const found = await source.glob(requests);
  if (found.length !== 1)
    throw new SlipwayError(
      "CONFIG",
      `The project has no file ${requests} (analysis.requests): record requests there, or leave the key out.`,
    );
  return readRequests(await source.file(requests).contents(), requests);
}

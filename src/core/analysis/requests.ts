import * as z from "zod";
import { SlipwayError, type Problem } from "../errors.js";
import { httpPath } from "../config/fields.js";

/** More recorded requests than this are refused: one analysis makes far fewer. */
const MOST = 10_000;

const recorded = z.strictObject({
  method: z.enum(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]).default("GET"),
  path: httpPath,
  headers: z
    .record(z.string().regex(/^[\w-]+$/, "expected a header's name"), z.string())
    .default({}),
  /** Text, or a value that is sent as JSON. */
  body: z.unknown().optional(),
  /** The status that is success; without it each below 400 is. */
  status: z.int().min(100).max(599).optional(),
});

/** One request as it is made, of both versions alike. */
export interface RecordedRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly status?: number;
}

/** What is asked for when nothing was recorded. */
export function defaultRequests(readiness: string): RecordedRequest[] {
  return [{ method: "GET", path: readiness, headers: {} }];
}

/**
 * Reads recorded requests: a line of JSON each; empty lines count for nothing.
 *
 * @throws SlipwayError CONFIG with all lines that are wrong, or when there is none.
 */
export function readRequests(text: string, file: string): RecordedRequest[] {
  const problems: Problem[] = [];
  const requests: RecordedRequest[] = [];
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    if (line.trim() === "") continue;
    const read = readLine(line);
    if (typeof read === "string") problems.push({ source: file, line: index + 1, message: read });
    else requests.push(read);
  }
  if (problems.length > 0)
    throw new SlipwayError(
      "CONFIG",
      `Recorded requests have to be a JSON object in each line, with "path" and where needed "method", "headers", "body", "status":`,
      problems.slice(0, 20),
    );
  if (requests.length === 0)
    throw new SlipwayError("CONFIG", `${file} (analysis.requests) holds no request.`);
  if (requests.length > MOST)
    throw new SlipwayError(
      "CONFIG",
      `${file} (analysis.requests) holds ${requests.length} requests; at most ${MOST} are used: record fewer.`,
    );
  return requests;
}

function readLine(line: string): RecordedRequest | string {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return "not JSON";
  }
  const { success, data, error } = recorded.safeParse(value);
  if (!success) {
    const [issue] = error.issues;
    const place = issue?.path.join(".") ?? "";
    return `${place === "" ? "" : `${place}: `}${issue?.message ?? "not a request"}`;
  }
  const { body, status, ...rest } = data;
  const isText = typeof body === "string";
  const named = Object.keys(data.headers).some((name) => name.toLowerCase() === "content-type");
  const typed = body === undefined || isText || named;
  return {
    ...rest,
    ...(typed ? {} : { headers: { ...data.headers, "Content-Type": "application/json" } }),
    ...(body === undefined ? {} : { body: isText ? body : JSON.stringify(body) }),
    ...(status === undefined ? {} : { status }),
  };
}

/** Whether a request asks for this path, whatever its query. */
export function asksFor({ path }: RecordedRequest, wanted: string): boolean {
  return path.split("?")[0] === wanted;
}

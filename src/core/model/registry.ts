import * as z from "zod";
import { oneLine } from "../text.js";
import type { Answer } from "./types.js";

const named = <T extends z.ZodType>(field: string, inner: T) => z.looseObject({ [field]: inner });

const tag = z.looseObject({ key: z.string(), value: z.string().default("") });

const version = z.looseObject({
  version: z.union([z.string(), z.number()]).transform(String),
  current_stage: z.string().optional(),
  status: z.string().optional(),
  status_message: z.string().optional(),
  run_id: z.string().default(""),
  tags: z.array(tag).default([]),
});

/** A version as `model-versions/get` answers it. */
export type Version = z.infer<typeof version>;

const registered = z.looseObject({
  name: z.string(),
  aliases: z
    .array(
      z.looseObject({
        alias: z.string(),
        version: z.union([z.string(), z.number()]).transform(String),
      }),
    )
    .default([]),
  latest_versions: z.array(version).default([]),
});

/** A model as `registered-models/get` answers it. */
export type Registered = z.infer<typeof registered>;

// JSON has no NaN: it comes as text.
const metric = z.looseObject({ key: z.string(), value: z.union([z.number(), z.string()]) });

const run = z.looseObject({
  data: z.looseObject({ metrics: z.array(metric).default([]) }).default({ metrics: [] }),
});

/** What a run measured, by metric; NaN and infinities are among it. */
export type Metrics = Readonly<Record<string, number>>;

/** What an answer says, or why it says nothing; `missing` when the registry has no such thing. */
export type Read<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly missing: boolean; readonly why: string };

export function readRegistered(answer: Answer): Read<Registered> {
  return read(answer, "registered_model", registered);
}

export function readVersion(answer: Answer): Read<Version> {
  return read(answer, "model_version", version);
}

/** The last value of each metric of a run. */
export function readMetrics(answer: Answer): Read<Metrics> {
  const found = read(answer, "run", run);
  if (!found.ok) return found;
  const pairs = found.value.data.metrics.map(({ key, value }) => [key, numeric(value)] as const);
  return { ok: true, value: Object.fromEntries(pairs) };
}

/** NaN and infinities stay what they are: MLflow keeps an infinity as the largest number there is. */
function numeric(value: number | string): number {
  // Number("") is 0, and an empty text is no measurement.
  if (typeof value === "string" && value.trim() === "") return NaN;
  const number = Number(value);
  return Math.abs(number) === Number.MAX_VALUE ? Math.sign(number) * Infinity : number;
}

/** `production` and `Production` are the same legacy stage. */
export function sameStage(one: string | undefined, other: string): boolean {
  return one?.toLowerCase() === other.toLowerCase();
}

function read<T extends z.ZodType>(answer: Answer, field: string, schema: T): Read<z.infer<T>> {
  const refused = refusal(answer);
  if (refused) return { ok: false, ...refused };
  const parsed = named(field, schema).safeParse("body" in answer ? answer.body : undefined);
  if (parsed.success) return { ok: true, value: parsed.data[field] as z.infer<T> };
  const [issue] = parsed.error.issues;
  const place = issue?.path.join(".") ?? "";
  return {
    ok: false,
    missing: false,
    why: `the answer is not one of MLflow's: ${place === "" ? "" : `${place}: `}${issue?.message ?? ""}. Is model.tracking (MLFLOW_TRACKING_URI) the address of an MLflow server?`,
  };
}

const complaint = z.looseObject({ error_code: z.string(), message: z.string().default("") });

/** Why there is no answer, with what to do; undefined when there is one. */
function refusal(answer: Answer): { missing: boolean; why: string } | undefined {
  if (answer.status === 0) {
    const error = "error" in answer ? answer.error : "";
    return {
      missing: false,
      why: `the server does not answer: ${oneLine(error, 200)}. Check model.tracking (MLFLOW_TRACKING_URI), and that it runs and can be reached from here`,
    };
  }
  if (answer.status === 200) return undefined;
  const body = "body" in answer ? answer.body : undefined;
  const { error_code = "", message = typeof body === "string" ? body : "" } =
    complaint.safeParse(body).data ?? {};
  const said = oneLine(message, 200);
  const told = `${answer.status}${error_code === "" ? "" : ` ${error_code}`}${said === "" ? "" : `: ${said}`}`;
  if (answer.status === 404 && error_code === "RESOURCE_DOES_NOT_EXIST")
    return { missing: true, why: told };
  return { missing: false, why: `${told}${advice(answer.status, message)}` };
}

function advice(status: number, message: string): string {
  if (/host header/i.test(message))
    return ". The server refuses this host name: start it with --allowed-hosts, or use the name it knows";
  if (status === 401 || status === 403)
    return ". The credentials do not open it: check the secret modelToken, a token or user:password";
  if (status >= 300 && status < 400)
    return ". Set model.tracking (MLFLOW_TRACKING_URI) to where it leads: credentials are not sent along";
  if (status === 404) return ". Is model.tracking (MLFLOW_TRACKING_URI) right, with its path?";
  if (status >= 500) return ". The server has a fault: look at its log";
  return "";
}

/** The digest that whoever registered the version tagged it with. */
export function taggedDigest({ tags }: Version): string | undefined {
  const value = tags.find(({ key }) => key === "digest")?.value ?? "";
  const hex = /^(?:sha256:)?([0-9a-f]{64})$/.exec(value)?.[1];
  return hex === undefined ? undefined : `sha256:${hex}`;
}

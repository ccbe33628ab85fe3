/** By what a version was found. */
export type How = "version" | "alias" | "stage" | "default" | "configured" | "attested";

/** One version of a registered model, found once and meant from then on, whatever its aliases do. */
export interface PinnedModel {
  /** Registered name. */
  readonly name: string;
  /** `7`; MLflow counts them from 1. */
  readonly version: string;
  /** Id of the run that made it; empty where the registry knows of none. */
  readonly runId: string;
  /** `sha256:…` of the artifact; see docs/models.md for what it is of. */
  readonly digest?: string;
  /** `models:/name/7` */
  readonly uri: string;
  /** The alias it was found by. */
  readonly alias?: string;
  /** The legacy stage it was found by. */
  readonly stage?: string;
  /** The run's last metrics, by name; only finite ones. */
  readonly metrics: Readonly<Record<string, number>>;
  /**
   * `version`: model.version; `alias`: model.alias; `default`: the alias called as model.stage;
   * `stage`: the legacy stage; `configured`: no registry was asked; `attested`: the image was released with it.
   */
  readonly how: How;
  /** The gates, each as it held. */
  readonly gates: readonly GateResult[];
  /** What the reader should know although nothing is wrong. */
  readonly warnings: readonly string[];
}

/** The version that serves now, as its release recorded it. */
export type ServedModel = Pick<PinnedModel, "name" | "version">;

/** Whether the model's metric is as model.gates wants it. */
export interface GateResult {
  readonly metric: string;
  readonly ok: boolean;
  /** Its value; absent when the run has none that can be compared. */
  readonly value?: number;
  /** The champion's value, where it was compared. */
  readonly champion?: number;
  /** One line: what was found, and what was wanted. */
  readonly why: string;
}

/** How the registry answered one question. */
export type Answer =
  | { readonly status: number; readonly body: unknown }
  /** It did not answer: why. */
  | { readonly status: 0; readonly error: string };

/** What was asked of the registry in one go, as `stages/python/model_registry.py` leaves it. */
export interface RegistryFacts {
  /** The registered model, with its aliases and the newest version of each legacy stage. */
  readonly registered: Answer;
  /** Versions by number: those that were asked for, and those that aliases and stages point at. */
  readonly versions: Readonly<Record<string, VersionFacts>>;
  /** The version that serves now, where that is one of another model. */
  readonly champion?: VersionFacts;
}

/** What the registry says of one version. */
export interface VersionFacts {
  readonly version: Answer;
  /** The run that made it; absent where the version names none. */
  readonly run?: Answer;
}

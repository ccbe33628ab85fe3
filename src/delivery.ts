import { func, object } from "@dagger.io/dagger";

import { endedText } from "./core/delivery/report.js";
import { fenced } from "./core/text.js";
import type { Ended } from "./core/delivery/process.js";
import type { Told } from "./stages/delivery/observe.js";

/** A release in the cluster: what became of it, or what is there now. */
@object()
export class Delivery {
  /** Number of the release; 0 when there is none */
  @func()
  release = 0;

  /** pending, waiting, live, superseded, rolled-back, failed or aborted; of status: healthy or unhealthy */
  @func()
  state = "";

  /** The release's image by its digest */
  @func()
  reference = "";

  /** A text for a terminal */
  @func()
  table = "";

  /** The same for GitHub's step summary */
  @func()
  markdown = "";

  /** All that is recorded, as JSON: image, commit, model, steps with their analyses, timings, outcome */
  @func()
  json = "";
}

/** How a run ended, as the module's callers see it. */
export function deliveryObject(ended: Ended): Delivery {
  const { release } = ended;
  const table = endedText(ended);
  return Object.assign(new Delivery(), {
    release: release.number,
    state: release.status,
    reference: release.reference,
    table,
    markdown: summaryOf(table),
    // What was applied is long, and read by nobody.
    json: JSON.stringify({ ...release, objects: undefined }),
  });
}

/** What is there, as the module's callers see it. */
export function toldObject({ table, json, isHealthy, reference, number }: Told): Delivery {
  const state = isHealthy ? "healthy" : "unhealthy";
  const markdown = summaryOf(table);
  return Object.assign(new Delivery(), {
    release: number,
    state,
    reference,
    table,
    markdown,
    json,
  });
}

function summaryOf(table: string): string {
  return `### Delivery\n\n${fenced(table)}`;
}

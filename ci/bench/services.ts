import { join } from "node:path";

import { enter, typed } from "./ground.js";
import { inSession } from "./embedded.js";
import { atMost, enginePeak, megabytes, ratio, type Row, type Section } from "./measure.js";
import { writeProject } from "./project.js";

interface Cost {
  readonly count: number;
  /** Requests to the API server for one service. */
  readonly requests: number;
  /** The most memory that the engine held, in bytes. */
  readonly memory: number;
}

/** First deployments of all services of one repository, one after the other, in one engine. */
export async function services(scratch: string, counts: readonly number[]): Promise<Section> {
  const costs: Cost[] = [];
  for (const count of counts) costs.push(await cost(join(scratch, String(count)), count));
  const [first, last] = [costs[0], costs.at(-1)];
  const plain = costs.flatMap(({ count, requests, memory }): Row[] => [
    { what: `${count} services: requests to the API server for each`, value: requests.toFixed(1) },
    { what: `${count} services: memory of the engine`, value: megabytes(memory) },
  ]);
  return {
    title: "Services of one repository",
    how: "first deployments of services of one pod, each in a folder of its own, one after the other in one engine; its memory is the most that it held",
    rows: [
      ...plain,
      ...(first && last && first !== last
        ? [
            atMost(
              `requests for each of ${last.count} against ${first.count}`,
              last.requests / first.requests,
              1.1,
              ratio,
            ),
            atMost(
              `memory for ${last.count} against ${first.count}`,
              last.memory / first.memory,
              2,
              ratio,
            ),
          ]
        : []),
    ],
  };
}

async function cost(scratch: string, count: number): Promise<Cost> {
  const ground = await enter(scratch);
  try {
    const { namespace } = ground;
    await ground.image("v1");
    const projects = Array.from({ length: count }, (_, index) => ({
      name: `service-${index}`,
      folder: join(scratch, "services", String(index)),
    }));
    for (const { name, folder } of projects)
      await writeProject(folder, {
        ...{ name, namespace, replicas: 1, steps: [10, 50, 100], keep: 1, drain: 1 },
        analysis: { warmup: 0, duration: 5 },
      });
    const before = await ground.requests();
    const memory = await inSession(async (session) => {
      for (const { folder } of projects) await typed(ground, folder, "deploy", "v1", { session });
      return await enginePeak();
    });
    return { count, requests: ((await ground.requests()) - before) / count, memory };
  } finally {
    await ground.leave();
  }
}

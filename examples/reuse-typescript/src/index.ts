/** A service's own pipeline in TypeScript, made of Slipway's functions */
import { dag, func, object, type Container, type Directory } from "@dagger.io/dagger";

/** A service's own pipeline */
@object()
export class ReuseTypescript {
  /** Run the quick checks, and answer with their table; the error says which of them failed */
  @func()
  async quick(
    /** The service's source */
    source: Directory,
  ): Promise<string> {
    const report = dag.slipway({ source }).checks({ only: ["lint", "format"] });
    const summary = await report.summary();
    await report.assert();
    return summary;
  }

  /** Test the service in parallel, then build its image with a label of this pipeline */
  @func()
  async image(
    /** The service's source */
    source: Directory,
    /** Where the source came from */
    revision?: string,
  ): Promise<Container> {
    const service = dag.slipway({ source });
    await service.test({ workers: "auto" });
    const image = service.build(revision === undefined ? {} : { revision });
    return image.withLabel("pipeline", "reuse-typescript");
  }
}

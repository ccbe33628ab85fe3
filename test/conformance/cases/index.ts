import type { Case } from "../case.js";
import { caching } from "./caching.js";
import { cancellation } from "./cancellation.js";
import { chains } from "./chains.js";
import { changes } from "./changes.js";
import { config } from "./config.js";
import { copying } from "./copying.js";
import { directory } from "./directory.js";
import { dockerBuild } from "./docker-build.js";
import { dockerfileCopy } from "./dockerfile-copy.js";
import { dockerfileRun } from "./dockerfile-run.js";
import { dockerfileStages } from "./dockerfile-stages.js";
import { errors } from "./errors.js";
import { exec } from "./exec.js";
import { file } from "./file.js";
import { filters } from "./filters.js";
import { healthChecks } from "./health-checks.js";
import { host } from "./host.js";
import { ids } from "./ids.js";
import { images } from "./images.js";
import { moduleTypes } from "./module-types.js";
import { modules } from "./modules.js";
import { mounts } from "./mounts.js";
import { nestedModule } from "./nested-module.js";
import { plainModule } from "./plain-module.js";
import { redirects } from "./redirects.js";
import { secrets } from "./secrets.js";
import { services } from "./services.js";
import { volumes } from "./volumes.js";

/** Every case; the modules last, for they may have a runtime to build first. */
export const allCases: readonly Case[] = [
  ...chains,
  ...exec,
  ...redirects,
  ...errors,
  ...caching,
  ...config,
  ...directory,
  ...copying,
  ...filters,
  ...changes,
  ...file,
  ...host,
  ...mounts,
  ...volumes,
  ...secrets,
  ...ids,
  ...services,
  ...healthChecks,
  ...cancellation,
  ...images,
  ...dockerBuild,
  ...dockerfileStages,
  ...dockerfileRun,
  ...dockerfileCopy,
  ...modules,
  ...plainModule,
  ...nestedModule,
  ...moduleTypes,
];

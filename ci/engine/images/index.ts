export { imageTarball, importTarball } from "./archive.js";
export { RegistryClient } from "./client.js";
export { ImageError } from "./failure.js";
export { exportLayers, type ExportedLayer } from "./layer-out.js";
export { pull, resolve, type PulledImage } from "./pull.js";
export { pushImage } from "./push.js";
export { parseRef } from "./reference.js";

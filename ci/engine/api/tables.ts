import type { TypeTable } from "../session.js";
import { cacheVolumeFields } from "./cache.js";
import { checkFields, checkGroupFields, moduleCheckFields } from "./checks.js";
import { configFields, dockerImage } from "./container/config.js";
import { dockerCopy } from "./container/copy.js";
import { execFields } from "./container/exec.js";
import { fileSystemFields } from "./container/files.js";
import { dockerWorkdir } from "./container/folder.js";
import { imageFields } from "./container/image.js";
import { mountFields } from "./container/mounts.js";
import { at, directoryFields } from "./directory.js";
import { fileFields } from "./file.js";
import { hostFields, hostIdentities } from "./host.js";
import { loaders } from "./loaders.js";
import {
  currentModuleFields,
  errorFields,
  functionCallFields,
  moduleFields,
  moduleSourceFields,
} from "./module.js";
import { plainFields } from "./plain.js";
import { queryFields, queryIdentities } from "./query.js";
import { secretFields } from "./secret.js";
import { serviceFields } from "./service.js";
import {
  enumTypeDefFields,
  enumValueTypeDefFields,
  fieldTypeDefFields,
  functionArgFields,
  functionFields,
  inputTypeDefFields,
  interfaceTypeDefFields,
  listTypeDefFields,
  objectTypeDefFields,
  scalarTypeDefFields,
  sourceMapFields,
  typeDefFields,
} from "./typedef.js";

const types: readonly TypeTable[] = [
  {
    name: "Container",
    fields: { ...configFields, ...fileSystemFields, ...mountFields, ...execFields, ...imageFields },
  },
  { name: "Directory", fields: directoryFields },
  { name: "File", fields: fileFields },
  { name: "Secret", fields: secretFields },
  { name: "CacheVolume", fields: cacheVolumeFields },
  { name: "Service", fields: serviceFields },
  { name: "Host", fields: hostFields, identities: hostIdentities },
  { name: "Module", fields: { ...moduleFields, ...moduleCheckFields } },
  { name: "Check", fields: checkFields },
  { name: "CheckGroup", fields: checkGroupFields },
  { name: "ModuleSource", fields: moduleSourceFields },
  { name: "CurrentModule", fields: currentModuleFields },
  { name: "FunctionCall", fields: functionCallFields },
  { name: "Error", fields: errorFields },
  { name: "TypeDef", fields: typeDefFields },
  { name: "Function", fields: functionFields },
  { name: "FunctionArg", fields: functionArgFields },
  { name: "ObjectTypeDef", fields: objectTypeDefFields },
  { name: "InterfaceTypeDef", fields: interfaceTypeDefFields },
  { name: "EnumTypeDef", fields: enumTypeDefFields },
  { name: "EnumValueTypeDef", fields: enumValueTypeDefFields },
  { name: "ScalarTypeDef", fields: scalarTypeDefFields },
  { name: "InputTypeDef", fields: inputTypeDefFields },
  { name: "ListTypeDef", fields: listTypeDefFields },
  { name: "FieldTypeDef", fields: fieldTypeDefFields },
  { name: "SourceMap", fields: sourceMapFields },
  ...Object.entries(plainFields).map(([name, fields]) => ({ name, fields })),
];

/** Every type that the embedded engine implements. */
export const coreTables: readonly TypeTable[] = [
  { name: "Query", fields: { ...queryFields, ...loaders(types) }, identities: queryIdentities },
  ...types,
];

/** Operations that no client can name: steps of others, so that they are shared and cached alike. */
export const internalOperations = {
  "Container.__copy": dockerCopy,
  "Container.__image": dockerImage,
  "Container.__workdir": dockerWorkdir,
  "Directory.__at": at,
};

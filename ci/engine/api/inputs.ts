/** Scalars, enumerations and input objects of the API, as Dagger v0.21 names them. */
export const inputs = `
scalar JSON
scalar Platform
scalar Void
enum CacheSharingMode { SHARED PRIVATE LOCKED }
enum ExistsType { REGULAR_TYPE DIRECTORY_TYPE SYMLINK_TYPE }
enum FileType { UNKNOWN REGULAR DIRECTORY SYMLINK REGULAR_TYPE DIRECTORY_TYPE SYMLINK_TYPE }
enum FunctionCachePolicy { Default PerSession Never }
enum ImageLayerCompression { Gzip Zstd EStarGZ Uncompressed GZIP ZSTD ESTARGZ UNCOMPRESSED }
enum ImageMediaTypes { OCIMediaTypes DockerMediaTypes OCI DOCKER }
enum ModuleSourceKind { LOCAL_SOURCE GIT_SOURCE DIR_SOURCE LOCAL GIT DIR }
enum NetworkProtocol { TCP UDP }
enum ReturnType { SUCCESS FAILURE ANY }
enum TypeDefKind {
  STRING_KIND INTEGER_KIND FLOAT_KIND BOOLEAN_KIND SCALAR_KIND LIST_KIND OBJECT_KIND
  INTERFACE_KIND INPUT_KIND VOID_KIND ENUM_KIND
  STRING INTEGER FLOAT BOOLEAN SCALAR LIST OBJECT INTERFACE INPUT VOID ENUM
}
input BuildArg { name: String! value: String! }
input PortForward { frontend: Int backend: Int! protocol: NetworkProtocol = TCP }
`;

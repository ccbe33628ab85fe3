/** The file of the bundle in which the runtime says which process the command is. */
export const PID_FILE = "pid";

/** An OCI runtime and the container that it runs; `id` is its name, and that of runc's cgroup. */
export interface Runtime {
  readonly name: string;
  readonly id: string;
}

/** Where the runtime keeps what it knows of the container, in the bundle. */
export function stateFolder({ id }: Runtime): string {
  return `state/${id}`;
}

/** The command line that starts the container, to be run inside of the bundle. */
export function runtimeCommand({ name, id }: Runtime): string {
  const options = "--log-format=json --root=state";
  const run = `run --pid-file=${PID_FILE} ${id}`;
  return name === "crun"
    ? `crun --log=file:/proc/self/fd/4 ${options} --cgroup-manager=disabled ${run}`
    : `${name} --log=/proc/self/fd/4 ${options} ${run}`;
}

/** The command line that runs one more process in the container, as a file describes it; to be run likewise. */
export function besideCommand({ name, id }: Runtime, file: string): string {
  const cgroups = name === "crun" ? "--cgroup-manager=disabled " : "";
  return `${name} --root=state ${cgroups}exec --process=${file} ${id}`;
}

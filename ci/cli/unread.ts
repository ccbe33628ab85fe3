/** What a pipe without a reader and a terminal that is gone say to who writes. */
const GONE = ["EPIPE", "EIO"];

/** Goes on when nobody reads any more: a delivery that was begun has to be ended. */
export function outliveReaders(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on("error", (error: NodeJS.ErrnoException) => {
      if (!GONE.includes(error.code ?? "")) throw error;
    });
  }
}

/** Edit distance between two words: insertions, deletions, replacements and swaps of neighbours cost 1. */
export function distance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = cell(last, j - 1) + (a[i - 1] === b[j - 1] ? 0 : 1);
      let best = Math.min(cell(last, j) + 1, cell(row, j - 1) + 1, replaced);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        best = Math.min(best, cell(beforeLast, j - 2) + 1);
      row.push(best);
    }
    beforeLast = last;
    last = row;
  }
  return cell(last, b.length);
}

/** The name that was probably meant, or undefined when none is close (a third of the letters, at least two). */
export function nearest(word: string, names: Iterable<string>): string | undefined {
  let best: string | undefined;
  let bestDistance = Math.max(2, Math.floor(word.length / 3)) + 1;
  for (const name of names) {
    const found = distance(word.toLowerCase(), name.toLowerCase());
    if (found < bestDistance && found < name.length) {
      best = name;
      bestDistance = found;
    }
  }
  return best;
}

function cell(row: number[], index: number): number {
  return row[index] ?? Number.POSITIVE_INFINITY;
}

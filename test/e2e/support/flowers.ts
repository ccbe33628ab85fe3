/** Recorded requests of the iris service: flowers on both sides of every boundary. */
export function recordedFlowers(count: number): string {
  const lines = Array.from({ length: count }, (_, index) => {
    const flower = {
      sepal_length: 5 + (index % 5) / 10,
      sepal_width: 3,
      petal_length: 1 + (index % 6),
      petal_width: 0.2 + (index % 10) / 4,
    };
    return JSON.stringify({ method: "POST", path: "/predict", body: { instances: [flower] } });
  });
  return `${lines.join("\n")}\n`;
}

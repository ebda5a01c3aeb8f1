// Chart.js, which is served as one minified file without exports and names itself on the global object.
import "chart.js";

export const { Chart } = globalThis;

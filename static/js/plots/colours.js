// The colours of the page's theme as a canvas takes them. The custom properties are those of components/plot.css.
const NAMES = ["ink", "context", "text", "grid", "soft", "bar", "band", "surface", "live", "stop", "wait", "run"];

export function coloursOf(host) {
  const probe = document.createElement("span");
  probe.hidden = true;
  host.append(probe);
  const read = reader(probe);
  const colours = Object.fromEntries(NAMES.map((name) => [name, read(`var(--plot-${name})`)]));
  colours.font = getComputedStyle(probe).fontFamily;
  probe.remove();
  return colours;
}

// Any colour that CSS knows becomes rgba: one pixel is painted with it and read back.
function reader(probe) {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = 1;
  const context = canvas.getContext("2d", { willReadFrequently: true });
  return (value) => {
    probe.style.color = value;
    context.clearRect(0, 0, 1, 1);
    context.fillStyle = getComputedStyle(probe).color;
    context.fillRect(0, 0, 1, 1);
    const [red, green, blue, alpha] = context.getImageData(0, 0, 1, 1).data;
    return `rgba(${red}, ${green}, ${blue}, ${(alpha / 255).toFixed(3)})`;
  };
}

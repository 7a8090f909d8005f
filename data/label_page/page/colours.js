// Colours of signals and labels.

/** Colours of the page, as its style sheet has them now. */
export function theme(colours) {
  const style = getComputedStyle(document.documentElement);
  const [ink, grey, grid, paper, accent] = ["ink", "grey", "grid", "paper", "accent"].map((name) =>
    style.getPropertyValue(`--${name}`).trim(),
  );
  const dark = matchMedia("(prefers-color-scheme: dark)").matches;
  return { ink, grey, grid, paper, accent, axes: colours.axes[dark ? "dark" : "light"], labels: colours.labels };
}

const hatched = new Map();

/** Colour of a label; from the ninth on with lines across. */
export function fill(ctx, { labels, paper }, index) {
  const colour = labels[index % labels.length];
  const round = Math.floor(index / labels.length);
  if (!round) return colour;
  const key = `${colour} ${round} ${paper}`;
  if (!hatched.has(key)) hatched.set(key, ctx.createPattern(hatch(colour, paper, 2 + 2 * round), "repeat"));
  return hatched.get(key);
}

function hatch(colour, paper, size) {
  const tile = Object.assign(document.createElement("canvas"), { width: 2 * size, height: 2 * size });
  const ctx = tile.getContext("2d");
  ctx.fillStyle = colour;
  ctx.fillRect(0, 0, 2 * size, 2 * size);
  ctx.strokeStyle = paper;
  ctx.lineWidth = 1.2;
  for (const shift of [-size, size]) {
    ctx.moveTo(shift - size, size);
    ctx.lineTo(shift + 2 * size, -2 * size + size);
    ctx.moveTo(shift - size, 2 * size + size);
    ctx.lineTo(shift + 2 * size, 0);
  }
  ctx.stroke();
  return tile;
}

/** Black or white, whichever can be read on a colour (WCAG 2, relative luminance). */
export function inkOn(colour) {
  const [red, green, blue] = [1, 3, 5].map((at) => {
    const part = parseInt(colour.slice(at, at + 2), 16) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue > 0.179 ? "#10171f" : "#ffffff";
}

// Times and numbers as people read them.

/** A time as 1:02:03.4, 2:03.45 or 3.450, with so many decimals. */
export function clock(seconds, decimals) {
  const whole = 10 ** decimals;
  const ticks = Math.round(seconds * whole);
  const s = Math.floor(ticks / whole);
  const rest = decimals ? `.${String(ticks % whole).padStart(decimals, "0")}` : "";
  const two = (number) => String(number).padStart(2, "0");
  if (s >= 3600) return `${Math.floor(s / 3600)}:${two(Math.floor(s / 60) % 60)}:${two(s % 60)}${rest}`;
  return `${Math.floor(s / 60)}:${two(s % 60)}${rest}`;
}

/** A length of time as 4.25 s, 3 min or 1 h 20 min. */
export function duration(seconds) {
  if (seconds < 60) return `${Number(seconds.toFixed(seconds < 10 ? 2 : 1))} s`;
  const minutes = seconds / 60;
  if (minutes < 60) return `${Number(minutes.toFixed(minutes < 10 ? 1 : 0))} min`;
  return `${Math.floor(minutes / 60)} h ${Math.round(minutes % 60)} min`;
}

export const count = (number, what) => `${number} ${what}${number === 1 ? "" : "s"}`;

/** The largest of 1, 2 or 5 times a power of ten that divides `span` into at least `parts`. */
export function niceStep(span, parts) {
  const raw = span / parts;
  const power = 10 ** Math.floor(Math.log10(raw));
  return power * ([5, 2, 1].find((factor) => factor * power <= raw) ?? 1);
}

const CLOCK_STEPS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 21600, 43200, 86400];

/** A step of a time axis, in seconds, with at most so many parts. */
export function timeStep(span, parts) {
  const raw = span / parts;
  if (raw > 1) return CLOCK_STEPS.find((step) => step >= raw) ?? 86400 * Math.ceil(raw / 86400);
  const power = 10 ** Math.floor(Math.log10(raw));
  return power * ([1, 2, 5].find((factor) => factor * power >= raw) ?? 10);
}

export const decimalsOf = (step) => Math.max(0, -Math.floor(Math.log10(step) + 1e-9));

// Texts of the page.

/** Seconds as 3:07 or 1:02:09. */
export function clock(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const two = (value) => String(value).padStart(2, "0");
  return hours ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`;
}

export function note(message) {
  switch (message.kind) {
    case "gap":
      return `gap: ${message.reason}, ${message.lost} samples`;
    case "recovery":
      return `recovery: ${message.rung} (${message.count}) after ${message.cause}`;
    case "implausible":
      return message.ended ? "plausible again" : `implausible: ${message.meaning}`;
    case "mounting":
      return message.meaning;
    case "drift":
      return `${message.windows} windows summed up${message.verdict ? `; day so far ${message.verdict}` : ""}`;
    case "alarm":
      return `${message.label}: ${message.state}${message.reason ? ` (${message.reason})` : ""}`;
    default:
      return `→ ${message.label}`;
  }
}

/** What is known of sensor and loop: name, text, and whether it is bad news. */
export function figures(run) {
  const { rate, health, about, dropped } = run;
  if (!about) return [];
  const measured = rate
    ? `${rate.rate.toFixed(2)} Hz measured, ${rate.nominal} Hz nominal${rate.resampled ? ", resampled" : ""}`
    : `${about.rate} Hz, not measured yet`;
  const found = [["rate", measured, false]];
  if (run.mounted) found.push(["mounting", run.mounted.meaning, run.mounted.turned]);
  if (run.drift?.verdict) found.push(["drift", run.drift.verdict, run.drift.differs]);
  if (!health) return found;
  const lost = health.gaps ? `${health.gaps}, ${health.lost} samples lost` : "none";
  found.push(
    ["read to label", `p50 ${health.latency.p50} µs, p99 ${health.latency.p99} µs`, false],
    ["late labels", `${health.missed} of ${health.windows} windows`, health.missed > 0],
    ["gaps", lost, health.gaps > 0],
    ["recoveries", `${health.recoveries || "none"}`, health.recoveries > 0],
  );
  if (health.temperature != null) found.push(["processor", `${health.temperature.toFixed(0)} °C`, false]);
  if (health.throttled?.length) found.push(["throttled", health.throttled.join(", "), true]);
  if (dropped) found.push(["this page", `${dropped} messages skipped: too slow`, true]);
  return found;
}

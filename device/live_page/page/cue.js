// What somebody hears and feels whose phone is in a pocket.

const LENGTH_S = 0.25;
let audio = null;

/** A tone of so many hertz, and a shake; 0 for nothing, from a click, after which a browser lets tones be heard. */
export function cue(hertz) {
  try {
    audio ??= new AudioContext();
    audio.resume();
    if (!hertz) return;
    navigator.vibrate?.(300);
    const tone = audio.createOscillator();
    tone.frequency.value = hertz;
    tone.connect(audio.destination);
    tone.start();
    tone.stop(audio.currentTime + LENGTH_S);
  } catch {
    // A browser without sound: the page says the same in words.
  }
}

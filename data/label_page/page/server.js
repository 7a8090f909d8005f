// Requests to the command that serves this page. Those that change something wait for each other.

export class ServerError extends Error {
  constructor(message, status) {
    super(message);
    this.status = status;
  }
}

export class Server {
  #last = Promise.resolve();
  #revision = 0;

  async state() {
    const state = await (await ask("state")).json();
    this.#revision = state.revision;
    return state;
  }

  /** Samples of a recording, one Float32Array a channel. */
  async signals(index, channels) {
    const buffer = await (await ask(`signals/${index}`)).arrayBuffer();
    const samples = buffer.byteLength / 4 / channels;
    return Array.from({ length: channels }, (_, channel) => floats(buffer, channel * samples, samples));
  }

  /** Have labels saved ("save") or kept for later ("keep"). `content` is called when its turn has come. */
  change(what, content) {
    const next = this.#last.then(async () => {
      const body = JSON.stringify({ revision: this.#revision, ...content() });
      const headers = { "Content-Type": "application/json" };
      const answer = await (await ask(what, { method: "POST", headers, body })).json();
      this.#revision = answer.revision;
      return answer;
    });
    this.#last = next.catch(() => {});
    return next;
  }
}

async function ask(path, options) {
  let answer;
  try {
    answer = await fetch(path, options);
  } catch {
    throw new ServerError("The command has ended. What was changed before is kept: start it again, and use the page that it opens.", 0);
  }
  if (!answer.ok) {
    const { error } = await answer.json().catch(() => ({ error: answer.statusText }));
    throw new ServerError(error, answer.status);
  }
  return answer;
}

/** Little-endian numbers whatever the machine's own order is. */
function floats(buffer, first, count) {
  if (new Uint8Array(new Uint16Array([1]).buffer)[0] === 1) return new Float32Array(buffer, 4 * first, count);
  const view = new DataView(buffer, 4 * first);
  return Float32Array.from({ length: count }, (_, index) => view.getFloat32(4 * index, true));
}

// The connection to the run: messages as they come, and a new connection whenever one ends.

const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 10_000;
// The server tells of its health every two seconds: a longer silence is a connection that died without a word.
const SILENCE_MS = 9_000;
const TOO_MANY = 4001;

/** Call `take` with each message, and `state` with "on", "off" or "full" as the connection comes and goes. */
export function follow(take, state) {
  let pause = FIRST_PAUSE_MS;
  let watchdog = 0;

  function connect() {
    const address = new URL("live", location.href);
    address.protocol = address.protocol.replace("http", "ws");
    const socket = new WebSocket(address);
    const alive = () => {
      clearTimeout(watchdog);
      watchdog = setTimeout(() => socket.close(), SILENCE_MS);
    };
    alive();
    socket.onmessage = ({ data }) => {
      alive();
      const message = JSON.parse(data);
      if (message.kind === "beginning") {
        pause = FIRST_PAUSE_MS;
        state("on");
      }
      take(message);
    };
    socket.onclose = ({ code }) => {
      clearTimeout(watchdog);
      state(code === TOO_MANY ? "full" : "off");
      setTimeout(connect, pause);
      pause = Math.min(2 * pause, LONGEST_PAUSE_MS);
    };
  }

  connect();
}

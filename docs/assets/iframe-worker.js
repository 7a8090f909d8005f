// Browsers start no worker from file://. An iframe runs the worker's script in its place, so that the search also works
// where the pages are opened as files, without a server.
if (location.protocol === "file:") {
  window.Worker = class extends EventTarget {
    constructor(url) {
      super()
      const frame = document.createElement("iframe")
      frame.hidden = true
      document.body.appendChild(frame)
      this.inner = frame.contentWindow
      this.waiting = []
      this.inner.answer = data => this.dispatchEvent(new MessageEvent("message", { data }))
      this.inner.ready = () => {
        this.started = true
        this.waiting.splice(0).forEach(data => this.postMessage(data))
      }
      this.inner.document.open()
      this.inner.document.write(
        `<script>window.postMessage = data => answer(data)<\/script>` +
        `<script src="${url}" onload="ready()"><\/script>`
      )
      this.inner.document.close()
    }

    postMessage(data) {
      if (this.started) this.inner.dispatchEvent(new MessageEvent("message", { data }))
      else this.waiting.push(data)
    }

    terminate() {
      this.inner.frameElement.remove()
    }
  }
}

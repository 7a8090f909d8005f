// Requests to the run that change something.

/** Have something done, and what comes of it; an error says why it was not. */
export async function ask(what, content) {
  let answer;
  try {
    answer = await fetch(what, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(content),
    });
  } catch {
    throw new Error("No connection to the run.");
  }
  if (!answer.ok) {
    const { error } = await answer.json().catch(() => ({ error: answer.statusText }));
    throw new Error(error);
  }
  return answer.json();
}
